//! Shapes, views and joins.

use super::{not_equal, over_nothing};
use crate::bridge::ops::ffi;
use crate::call::{Argument, call};
use crate::{Array, Dtype, Error, Result};

/// An error where a size is to be inferred beside one of 0, which any size would fit.
#[track_caller]
fn inferable(name: &str, dims: &[i32]) -> Result<()> {
    match dims.contains(&-1) && dims.contains(&0) {
        true => Err(Error::new(format!("[{name}] the size -1 cannot be inferred beside 0 in {dims:?}"))),
        false => Ok(()),
    }
}

/// An error for more parts than an axis has elements: MLX would make an array for each, where the axis is empty.
#[track_caller]
fn divided(a: &Array, parts: i32) -> Result<()> {
    let longest = a.shape().iter().copied().max().unwrap_or(0).max(1);
    match parts <= longest {
        true => Ok(()),
        false => Err(Error::new(format!("[split] {parts} equal parts of an array of shape {:?}", a.shape()))),
    }
}

/// The same bytes read as `dtype`; the last axis scales with the item sizes. As booleans, all bytes but 0 are true.
#[track_caller]
pub fn view(a: &Array, dtype: Dtype) -> Result<Array> {
    match dtype {
        Dtype::Bool => booleans(&call!(ffi::view(a, Dtype::U8.ffi()))?),
        _ => call!(ffi::view(a, dtype.ffi())),
    }
}

/// Bytes as booleans: MLX computes with what is neither 0 nor 1 as if it were a number, also to find its way in memory.
#[track_caller]
pub(crate) fn booleans(bytes: &Array) -> Result<Array> {
    not_equal(bytes, &Array::scalar_int(0, Dtype::U8)?)
}

crate::call::functions! { ffi;
    /// The values converted to `dtype`.
    fn astype(a: &Array, dtype: Dtype) -> Array;
    /// The same values in row-major memory; no copy where they already are.
    fn contiguous(a: &Array) -> Array;
    /// A copy of the array.
    fn copy(a: &Array) -> Array;
    /// The same values, through which no gradient flows.
    fn stop_gradient(a: &Array) -> Array;
    /// The same elements in shape `dims`; one dimension may be -1.
    fn reshape(a: &Array, dims: &[i32]) -> Array;
    /// Axes `start` to `end` (inclusive) joined into one.
    fn flatten(a: &Array, start: i32, end: i32) -> Array;
    /// Axis `axis` split into `dims`, of which one may be -1.
    fn unflatten(a: &Array, axis: i32, dims: &[i32]) -> Array where inferable("unflatten", dims);
    /// Without the given axes, which must have size 1.
    fn squeeze(a: &Array, axes: &[i32]) -> Array;
    /// With new axes of size 1 at the given places of the result.
    fn expand_dims(a: &Array, axes: &[i32]) -> Array;
    /// Axes in the given order.
    fn transpose(a: &Array, axes: &[i32]) -> Array;
    /// Axes in reverse order.
    fn reverse_axes(a: &Array) -> Array;
    /// Two axes exchanged.
    fn swapaxes(a: &Array, axis1: i32, axis2: i32) -> Array;
    /// One axis moved to another place.
    fn moveaxis(a: &Array, source: i32, destination: i32) -> Array;
    /// Repeated, without a copy, to shape `dims`.
    fn broadcast_to(a: &Array, dims: &[i32]) -> Array;
    /// Reversed along the given axes.
    fn flip(a: &Array, axes: &[i32]) -> Array;
    /// Elements moved by `shifts`, one per axis, or by their sum in the flattened array; those that leave re-enter at the other end.
    fn roll(a: &Array, shifts: &[i32], axes: Option<&[i32]>) -> Array;
    /// Elements `start..stop` in steps of `strides`, one value per axis. Out-of-range bounds are clipped.
    fn slice(a: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// `a` with the slice replaced by `update`, which broadcasts to it; reuses the memory of `a` when nothing else holds it.
    fn slice_update(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// Pieces of `axis` cut before each of `indices`.
    fn split(a: &Array, indices: &[i32], axis: i32) -> Vec<Array>;
    /// `parts` equal pieces of `axis`.
    fn split_equal(a: &Array, parts: i32, axis: i32) -> Vec<Array> where divided(a, parts);
    /// Arrays joined along an existing axis.
    fn concatenate(arrays: &[Array], axis: i32) -> Array;
    /// Arrays of one shape joined along a new axis.
    fn stack(arrays: &[Array], axis: i32) -> Array;
    /// Each element along `axis`, or of the flattened array, repeated `repeats` times.
    fn repeat(a: &Array, repeats: i32, axis: Option<i32>) -> Array;
    /// The array repeated `reps` times per axis.
    fn tile(a: &Array, reps: &[i32]) -> Array;
    /// Padded on both ends of the given axes; mode `constant` (with `value`), `edge`, `reflect` or `symmetric`. Gradients take the
    /// value as constant: MLX has none for it, and would read beyond what it has.
    fn pad(a: &Array, axes: &[i32], low: &[i32], high: &[i32], value: &Array, mode: &str) -> Array => value = &stop_gradient(value)?;
    /// The diagonal of two axes, as the last axis.
    fn diagonal(a: &Array, offset: i32, axis1: i32, axis2: i32) -> Array;
    /// A diagonal matrix from a vector, or the diagonal of a matrix.
    fn diag(a: &Array, k: i32) -> Array;
    /// Without all axes of size 1.
    fn squeeze_all(a: &Array) -> Array;
    /// The last two axes exchanged.
    fn matrix_transpose(a: &Array) -> Array;
    /// The entries of `axis`, without it.
    fn unstack(a: &Array, axis: i32) -> Vec<Array>;
    /// All arrays, without copies, in their common shape.
    fn broadcast_arrays(arrays: &[Array]) -> Vec<Array>;
    /// At least one axis.
    fn atleast_1d(a: &Array) -> Array;
    /// At least two axes.
    fn atleast_2d(a: &Array) -> Array;
    /// At least three axes.
    fn atleast_3d(a: &Array) -> Array;
    /// The same arrays, computed after `dependencies`.
    fn depends(arrays: &[Array], dependencies: &[Array]) -> Vec<Array>;
}

/// The elements of `a` in row-major order read with another shape, strides and offset, both in elements; an error where
/// that leaves the array.
#[track_caller]
pub fn as_strided(a: &Array, dims: &[i32], strides: &[i64], offset: usize) -> Result<Array> {
    if dims.len() != strides.len() {
        let message = format!("[as_strided] {} strides for a shape of {} axes", strides.len(), dims.len());
        return Err(Error::new(message));
    }
    let (mut first, mut last) = (offset as i128, offset as i128);
    for (&size, &stride) in dims.iter().zip(strides) {
        let reach = i128::from(size.max(1) - 1) * i128::from(stride);
        first += reach.min(0);
        last += reach.max(0);
    }
    if !dims.contains(&0) && (first < 0 || last >= a.size() as i128) {
        let message = format!("[as_strided] elements {first} to {last} are not all in an array of {}", a.size());
        return Err(Error::new(message));
    }
    crate::call::call!(ffi::as_strided(a, dims, strides, offset))
}

/// The sum along a diagonal of two axes; `None` keeps the dtype of a sum.
#[track_caller]
pub fn trace(a: &Array, offset: i32, axis1: i32, axis2: i32, dtype: Option<Dtype>) -> Result<Array> {
    let trace = crate::call::call!(ffi::trace(a, offset, axis1, axis2, dtype.ffi()))?;
    over_nothing(&diagonal(a, offset, axis1, axis2)?, trace, 0.0)
}
