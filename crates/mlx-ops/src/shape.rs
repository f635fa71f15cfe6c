//! Shapes, views and joins.

use crate::tensor::{arrays, methods, tensors};
use crate::{Axes, Axis, Operand, Tensor};
use mlx_core::{Array, Error, Result, ops};

/// What [`Tensor::pad_with`] puts beside the ends of `a b c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadWith {
    /// The outermost element: `a a | a b c | c c`.
    Edge,
    /// The elements mirrored at the outermost one: `c b | a b c | b a`.
    Reflect,
    /// The elements mirrored at the end: `b a | a b c | c b`.
    Symmetric,
}

methods! {
    /// The same values in row-major memory; no copy where they already are.
    fn contiguous();
    /// Axes `start` to `end` (inclusive) joined into one.
    fn flatten(start: i32, end: i32);
    /// Two axes exchanged.
    fn swapaxes(axis1: i32, axis2: i32);
    /// One axis moved to another place.
    fn moveaxis(source: i32, destination: i32);
    /// The last two axes exchanged.
    fn matrix_transpose();
    /// At least one axis.
    fn atleast_1d();
    /// At least two axes.
    fn atleast_2d();
    /// At least three axes.
    fn atleast_3d();
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
    /// With new axes of size 1 at the given places of the result.
    expand_dims(axes);
    /// Repeated, without a copy, to shape `dims`.
    broadcast_to(dims);
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

    /// The elements in row-major order read with another shape, strides and offset, both in elements; an error where that
    /// leaves the tensor.
    #[track_caller]
    pub fn as_strided(&self, dims: impl AsRef<[i32]>, strides: impl AsRef<[i64]>, offset: usize) -> Result<Tensor> {
        ops::as_strided(&self.0, dims.as_ref(), strides.as_ref(), offset).map(Tensor)
    }

    /// Without the given axes, which must have size 1, or without all that have it (`..`).
    #[track_caller]
    pub fn squeeze(&self, axes: impl Axes) -> Result<Tensor> {
        match axes.are_all() {
            true => ops::squeeze_all(&self.0),
            false => axes.with(self.ndim(), |axes| ops::squeeze(&self.0, axes)),
        }
        .map(Tensor)
    }

    /// Reversed along the given axes.
    #[track_caller]
    pub fn flip(&self, axes: impl Axes) -> Result<Tensor> {
        axes.with(self.ndim(), |axes| ops::flip(&self.0, axes)).map(Tensor)
    }

    /// Elements moved by `shift` along `axis`, or in the flattened tensor (`..`); those that leave re-enter at the other end.
    #[track_caller]
    pub fn roll(&self, shift: i32, axis: impl Axis) -> Result<Tensor> {
        let axis = axis.one();
        ops::roll(&self.0, &[shift], axis.as_ref().map(std::slice::from_ref)).map(Tensor)
    }

    /// [`Tensor::roll`] of several axes, each by its own shift.
    #[track_caller]
    pub fn roll_axes(&self, shifts: impl AsRef<[i32]>, axes: impl AsRef<[i32]>) -> Result<Tensor> {
        ops::roll(&self.0, shifts.as_ref(), Some(axes.as_ref())).map(Tensor)
    }

    /// Each element along `axis`, or of the flattened tensor (`..`), repeated `repeats` times.
    #[track_caller]
    pub fn repeat(&self, repeats: i32, axis: impl Axis) -> Result<Tensor> {
        ops::repeat(&self.0, repeats, axis.one()).map(Tensor)
    }

    /// `parts` equal pieces of `axis`.
    #[track_caller]
    pub fn split_equal(&self, parts: i32, axis: i32) -> Result<Vec<Tensor>> {
        ops::split_equal(&self.0, parts, axis).map(tensors)
    }

    /// The entries of `axis`, without it.
    #[track_caller]
    pub fn unstack(&self, axis: i32) -> Result<Vec<Tensor>> {
        ops::unstack(&self.0, axis).map(tensors)
    }

    /// Pieces of `axis` cut before each of `indices`.
    #[track_caller]
    pub fn split(&self, indices: impl AsRef<[i32]>, axis: i32) -> Result<Vec<Tensor>> {
        ops::split(&self.0, indices.as_ref(), axis).map(tensors)
    }

    /// Padded with `value`: `low` and `high` elements on the two ends of each of `axes`.
    #[track_caller]
    pub fn pad(&self, axes: &[i32], low: &[i32], high: &[i32], value: impl Operand) -> Result<Tensor> {
        ops::pad(&self.0, axes, low, high, value.hold(self.dtype())?.as_ref(), "constant").map(Tensor)
    }

    /// Padded with values of the tensor: `low` and `high` elements on the two ends of each of `axes`.
    #[track_caller]
    pub fn pad_with(&self, axes: &[i32], low: &[i32], high: &[i32], with: PadWith) -> Result<Tensor> {
        let mode = match with {
            PadWith::Edge => "edge",
            PadWith::Reflect => "reflect",
            PadWith::Symmetric => "symmetric",
        };
        ops::pad(&self.0, axes, low, high, &Array::scalar(0.0, self.dtype())?, mode).map(Tensor)
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

/// All tensors, without copies, in their common shape.
#[track_caller]
pub fn broadcast_arrays(inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    ops::broadcast_arrays(arrays(inputs)).map(tensors)
}

/// The common shape of tensors with these shapes; an error where they do not broadcast.
///
/// ```
/// assert_eq!(mlx_ops::broadcast_shapes(&[&[3, 1], &[4], &[]])?, [3, 4]);
/// assert!(mlx_ops::broadcast_shapes(&[&[3], &[4]]).is_err());
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn broadcast_shapes(shapes: &[&[i32]]) -> Result<Vec<i32>> {
    let mut common = Vec::new();
    for &shape in shapes {
        let size = |shape: &[i32], back: usize| shape.iter().rev().nth(back).copied().unwrap_or(1);
        let sizes =
            (0..shape.len().max(common.len())).rev().map(|back| match (size(&common, back), size(shape, back)) {
                (1, size) | (size, 1) => Some(size),
                (a, b) => (a == b).then_some(a),
            });
        let Some(sizes) = sizes.collect() else {
            let text = |shape: &[i32]| shape.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
            let (a, b) = (text(&common), text(shape));
            return Err(Error::new(format!("[broadcast_shapes] Shapes ({a}) and ({b}) cannot be broadcast.")));
        };
        common = sizes;
    }
    Ok(common)
}

/// The same tensors, computed after `dependencies`.
#[track_caller]
pub fn depends(inputs: &[Tensor], dependencies: &[Tensor]) -> Result<Vec<Tensor>> {
    ops::depends(arrays(inputs), arrays(dependencies)).map(tensors)
}
