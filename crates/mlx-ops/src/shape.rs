//! Shapes, views and joins.

use crate::tensor::{arrays, methods};
use crate::{Operand, Tensor};
use mlx_core::{Result, ops};

methods! {
    /// The same values in row-major memory; no copy where they already are.
    fn contiguous();
    /// Axes `start` to `end` (inclusive) joined into one.
    fn flatten(start: i32, end: i32);
    /// Two axes exchanged.
    fn swapaxes(axis1: i32, axis2: i32);
    /// One axis moved to another place.
    fn moveaxis(source: i32, destination: i32);
    /// Elements moved by `shift` along `axis`, those that leave re-entering at the other end.
    fn roll(shift: i32, axis: i32);
    /// Each element along `axis` repeated `repeats` times.
    fn repeat(repeats: i32, axis: i32);
    /// The lower triangle of the last two axes, zeros above diagonal `k`.
    fn tril(k: i32);
    /// The upper triangle of the last two axes, zeros below diagonal `k`.
    fn triu(k: i32);
    /// A diagonal matrix from a vector, or the diagonal of a matrix.
    fn diag(k: i32);
}

macro_rules! list_methods {
    ($($(#[$doc:meta])* $name:ident($arg:ident);)*) => {
        impl Tensor { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, $arg: impl AsRef<[i32]>) -> Result<Tensor> {
                ops::$name(&self.0, $arg.as_ref()).map(Tensor)
            }
        )* }
    };
}

list_methods! {
    /// The same elements in shape `dims`; one dimension may be -1.
    reshape(dims);
    /// Axes in the given order.
    transpose(axes);
    /// Without the given axes, which must have size 1.
    squeeze(axes);
    /// With new axes of size 1 at the given places of the result.
    expand_dims(axes);
    /// Repeated, without a copy, to shape `dims`.
    broadcast_to(dims);
    /// Reversed along the given axes.
    flip(axes);
    /// The tensor repeated `reps` times per axis.
    tile(reps);
}

impl Tensor {
    /// Axes in reverse order: the transpose of a matrix.
    #[track_caller]
    pub fn t(&self) -> Result<Tensor> {
        ops::reverse_axes(&self.0).map(Tensor)
    }

    /// Axis `axis` split into `dims`, of which one may be -1.
    #[track_caller]
    pub fn unflatten(&self, axis: i32, dims: impl AsRef<[i32]>) -> Result<Tensor> {
        ops::unflatten(&self.0, axis, dims.as_ref()).map(Tensor)
    }

    /// Pieces of `axis` cut before each of `indices`.
    #[track_caller]
    pub fn split(&self, indices: impl AsRef<[i32]>, axis: i32) -> Result<Vec<Tensor>> {
        Ok(ops::split(&self.0, indices.as_ref(), axis)?.into_iter().map(Tensor).collect())
    }

    /// Padded with `value`: `low` and `high` elements on the two ends of each of `axes`.
    #[track_caller]
    pub fn pad(&self, axes: &[i32], low: &[i32], high: &[i32], value: impl Operand) -> Result<Tensor> {
        ops::pad(&self.0, axes, low, high, value.hold(self.dtype())?.as_ref()).map(Tensor)
    }
}

/// Tensors joined along an existing axis.
#[track_caller]
pub fn concatenate(tensors: &[Tensor], axis: i32) -> Result<Tensor> {
    ops::concatenate(arrays(tensors), axis).map(Tensor)
}

/// Tensors of one shape joined along a new axis.
#[track_caller]
pub fn stack(tensors: &[Tensor], axis: i32) -> Result<Tensor> {
    ops::stack(arrays(tensors), axis).map(Tensor)
}
