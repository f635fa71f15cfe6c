//! Shapes, views and joins.

use crate::bridge::ops::ffi;
use crate::{Array, Dtype};

crate::call::functions! { ffi;
    /// The values converted to `dtype`.
    fn astype(a: &Array, dtype: Dtype) -> Array;
    /// The same bytes read as `dtype`; the last axis scales with the item sizes.
    fn view(a: &Array, dtype: Dtype) -> Array;
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
    fn unflatten(a: &Array, axis: i32, dims: &[i32]) -> Array;
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
    /// Elements moved by `shift` along `axis`, those that leave re-entering at the other end.
    fn roll(a: &Array, shift: i32, axis: i32) -> Array;
    /// Elements `start..stop` in steps of `strides`, one value per axis. Out-of-range bounds are clipped.
    fn slice(a: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// `a` with the slice replaced by `update`, which broadcasts to it; reuses the memory of `a` when nothing else holds it.
    fn slice_update(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// Pieces of `axis` cut before each of `indices`.
    fn split(a: &Array, indices: &[i32], axis: i32) -> Vec<Array>;
    /// `parts` equal pieces of `axis`.
    fn split_equal(a: &Array, parts: i32, axis: i32) -> Vec<Array>;
    /// Arrays joined along an existing axis.
    fn concatenate(arrays: &[Array], axis: i32) -> Array;
    /// Arrays of one shape joined along a new axis.
    fn stack(arrays: &[Array], axis: i32) -> Array;
    /// Each element along `axis` repeated `repeats` times.
    fn repeat(a: &Array, repeats: i32, axis: i32) -> Array;
    /// The array repeated `reps` times per axis.
    fn tile(a: &Array, reps: &[i32]) -> Array;
    /// Padded with `value` on both ends of the given axes.
    fn pad(a: &Array, axes: &[i32], low: &[i32], high: &[i32], value: &Array) -> Array;
    /// The diagonal of two axes, as the last axis.
    fn diagonal(a: &Array, offset: i32, axis1: i32, axis2: i32) -> Array;
    /// A diagonal matrix from a vector, or the diagonal of a matrix.
    fn diag(a: &Array, k: i32) -> Array;
}
