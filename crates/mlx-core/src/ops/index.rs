//! Reading and writing by index.

use crate::Array;
use crate::bridge::ops::ffi;

crate::call::functions! { ffi;
    /// The entries of `axis`, or of the flattened array, named by `indices`, whose shape replaces that axis. Indices are not checked.
    fn take(a: &Array, indices: &Array, axis: Option<i32>) -> Array;
    /// Elements of `axis` named by `indices`, which has the rank of `a`. Indices are not checked.
    fn take_along_axis(a: &Array, indices: &Array, axis: i32) -> Array;
    /// `a` with the elements named by `indices` replaced by `values`. Indices are not checked.
    fn put_along_axis(a: &Array, indices: &Array, values: &Array, axis: i32) -> Array;
    /// `a` with `values` added to the elements named by `indices`. Indices are not checked.
    fn scatter_add_axis(a: &Array, indices: &Array, values: &Array, axis: i32) -> Array;
    /// Elements `start..start + sizes`, the start of each of `axes` given by an integer array; other axes start at 0. `sizes` has a value
    /// per axis. The start is not checked.
    fn slice_dynamic(a: &Array, start: &Array, axes: &[i32], sizes: &[i32]) -> Array;
    /// `a` with the part that begins at `start` on `axes`, and has the shape of `update`, replaced. The start is not
    /// checked.
    fn slice_update_dynamic(a: &Array, update: &Array, start: &Array, axes: &[i32]) -> Array;
    /// `a` with `update`, which broadcasts to the slice, added to it.
    fn slice_update_add(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// `a` with the slice multiplied by `update`.
    fn slice_update_prod(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// `a` with the larger of slice and `update`.
    fn slice_update_max(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// `a` with the smaller of slice and `update`.
    fn slice_update_min(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// The entry of `axis`, which disappears, or of the flattened array. The index is not checked.
    fn take_at(a: &Array, index: i32, axis: Option<i32>) -> Array;
    /// Slices of shape `sizes` (a value per axis of `a`) that begin at `indices`, one array per entry of `axes`; they broadcast, and the
    /// result has their shape, then `sizes`. Indices are not checked.
    fn gather(a: &Array, indices: &[Array], axes: &[i32], sizes: &[i32]) -> Array;
    /// The inverse of [`gather`]: `a` with the slices at `indices` replaced by `updates`, whose shape is that of the indices and then of a slice.
    fn scatter(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Array;
    /// [`scatter`] that adds, also where an index comes twice.
    fn scatter_add(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Array;
    /// [`scatter`] that multiplies.
    fn scatter_prod(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Array;
    /// [`scatter`] that keeps the larger value.
    fn scatter_max(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Array;
    /// [`scatter`] that keeps the smaller value.
    fn scatter_min(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Array;
    /// `a` with the elements where `mask` holds replaced by those of `values` in order; the mask covers leading axes of `a`.
    fn masked_scatter(a: &Array, mask: &Array, values: &Array) -> Array;
}
