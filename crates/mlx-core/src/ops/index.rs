//! Reading and writing by index.
//!
//! On a CPU positions are checked: one outside of its axis is an error, now or when it is computed. Negative ones count from
//! the end of their axis where nothing else is said. On GPUs they are not checked, as in MLX.

use crate::bridge::ops::ffi;
use crate::call::{Argument, call};
use crate::checks::{Bounds, checked, filled};
use crate::{Array, Error, Result};
use std::ffi::CStr;

/// An axis counted from the first and its size, or nothing where there is no such axis: MLX says so itself.
fn axis_of(a: &Array, axis: i32) -> Option<(usize, usize)> {
    let axis = if axis < 0 { axis + a.ndim() as i32 } else { axis };
    let axis = usize::try_from(axis).ok()?;
    a.shape().get(axis).map(|&length| (axis, length as usize))
}

#[track_caller]
fn on_axis(name: &'static CStr, a: &Array, positions: &Array, axis: Option<i32>) -> Result<Array> {
    let length = axis.map_or(Some(a.size()), |axis| axis_of(a, axis).map(|(_, length)| length));
    checked(name, positions, length.map(Bounds::of_axis).into_iter().collect())
}

/// Starts of slices: a position for each of `axes`, each array of `positions` alike.
#[track_caller]
fn starts(
    name: &'static CStr,
    a: &Array,
    positions: &[Array],
    axes: &[i32],
    size: impl Fn(usize) -> Option<i32>,
) -> Result<Vec<Array>> {
    let bounds = |axis: i32| {
        let (axis, length) = axis_of(a, axis)?;
        Some(Bounds { length: length as i64, size: size(axis)?.into(), wraps: true })
    };
    let each = positions.iter().zip(axes);
    each.map(|(array, &axis)| checked(name, array, bounds(axis).into_iter().collect())).collect()
}

#[track_caller]
fn start(name: &'static CStr, a: &Array, start: &Array, axes: &[i32], sizes: &[i32]) -> Result<Array> {
    let bounds = axes.iter().map(|&axis| {
        let (axis, length) = axis_of(a, axis)?;
        Some(Bounds { length: length as i64, size: (*sizes.get(axis)?).into(), wraps: false })
    });
    let bounds: Option<Vec<Bounds>> = bounds.collect();
    checked(name, start, bounds.filter(|bounds| bounds.len() == start.size()).unwrap_or_default())
}

/// The entries of `axis`, or of the flattened array, named by `indices`, whose shape replaces that axis.
#[track_caller]
pub fn take(a: &Array, indices: &Array, axis: Option<i32>) -> Result<Array> {
    let indices = &on_axis(c"take", a, indices, axis)?;
    call!(ffi::take(a, indices, Argument::ffi(axis)))
}

/// Elements of `axis` named by `indices`, which has the rank of `a`.
#[track_caller]
pub fn take_along_axis(a: &Array, indices: &Array, axis: i32) -> Result<Array> {
    let indices = &on_axis(c"take_along_axis", a, indices, Some(axis))?;
    call!(ffi::take_along_axis(a, indices, axis))
}

/// `a` with the elements named by `indices` replaced by `values`.
#[track_caller]
pub fn put_along_axis(a: &Array, indices: &Array, values: &Array, axis: i32) -> Result<Array> {
    let indices = &on_axis(c"put_along_axis", a, indices, Some(axis))?;
    call!(ffi::put_along_axis(a, indices, values, axis))
}

/// `a` with `values` added to the elements named by `indices`.
#[track_caller]
pub fn scatter_add_axis(a: &Array, indices: &Array, values: &Array, axis: i32) -> Result<Array> {
    let indices = &on_axis(c"scatter_add_axis", a, indices, Some(axis))?;
    call!(ffi::scatter_add_axis(a, indices, values, axis))
}

/// Elements `start..start + sizes`, the start of each of `axes` given by an integer array; other axes start at 0. `sizes` has a value
/// per axis.
#[track_caller]
pub fn slice_dynamic(a: &Array, start: &Array, axes: &[i32], sizes: &[i32]) -> Result<Array> {
    let start = &self::start(c"slice", a, start, axes, sizes)?;
    call!(ffi::slice_dynamic(a, start, axes, sizes))
}

/// `a` with the part that begins at `start` on `axes`, and has the shape of `update`, replaced.
#[track_caller]
pub fn slice_update_dynamic(a: &Array, update: &Array, start: &Array, axes: &[i32]) -> Result<Array> {
    if update.ndim() != a.ndim() || axes.len() != start.size() {
        return Err(Error::new(format!(
            "[slice_update] an update of shape {:?} at {} positions on axes {axes:?} does not fit an array of shape {:?}",
            update.shape(),
            start.size(),
            a.shape()
        )));
    }
    let start = &self::start(c"slice_update", a, start, axes, update.shape())?;
    call!(ffi::slice_update_dynamic(a, update, start, axes))
}

/// The entry of `axis`, which disappears, or of the flattened array.
#[track_caller]
pub fn take_at(a: &Array, index: i32, axis: Option<i32>) -> Result<Array> {
    on_axis(c"take", a, &Array::from_slice(&[index], &[])?, axis)?;
    call!(ffi::take_at(a, index, Argument::ffi(axis)))
}

/// Slices of shape `sizes` (a value per axis of `a`) that begin at `indices`, one array per entry of `axes`; they broadcast, and the
/// result has their shape, then `sizes`.
#[track_caller]
pub fn gather(a: &Array, indices: &[Array], axes: &[i32], sizes: &[i32]) -> Result<Array> {
    let indices = &starts(c"gather", a, indices, axes, |axis| sizes.get(axis).copied())?[..];
    call!(ffi::gather(a, indices, axes, sizes))
}

/// Scatters of one signature: positions are checked as starts of slices of the shape that `updates` gives them.
macro_rules! scatters {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Result<Array> {
            let batch = updates.ndim().saturating_sub(a.ndim());
            let size = |axis: usize| updates.shape().get(batch + axis).copied();
            let indices = starts(c"scatter", a, indices, axes, size)?;
            let scattered = call!(ffi::$name(a, &indices, updates, axes))?;
            // MLX would divide by the empty slice.
            Ok(if a.size() == 0 || updates.size() == 0 { a.clone() } else { scattered })
        }
    )* };
}

scatters! {
    /// The inverse of [`gather`]: `a` with the slices at `indices` replaced by `updates`, whose shape is that of the indices and then of a slice.
    scatter;
    /// [`scatter`] that adds, also where an index comes twice.
    scatter_add;
    /// [`scatter`] that multiplies.
    scatter_prod;
    /// [`scatter`] that keeps the larger value.
    scatter_max;
    /// [`scatter`] that keeps the smaller value.
    scatter_min;
}

crate::call::functions! { ffi;
    /// `a` with `update`, which broadcasts to the slice, added to it.
    fn slice_update_add(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// `a` with the slice multiplied by `update`.
    fn slice_update_prod(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// `a` with the larger of slice and `update`.
    fn slice_update_max(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
    /// `a` with the smaller of slice and `update`.
    fn slice_update_min(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Array;
}

/// `a` with the elements where `mask` holds replaced by those of `values` in order; the mask covers leading axes of `a`.
#[track_caller]
pub fn masked_scatter(a: &Array, mask: &Array, values: &Array) -> Result<Array> {
    let scattered = call!(ffi::masked_scatter(a, mask, values))?;
    // MLX would divide by their sizes.
    if a.size() == 0 {
        return Ok(a.clone());
    }
    filled("masked_scatter", &[values])?;
    Ok(scattered)
}
