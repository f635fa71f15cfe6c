//! Reading and writing by index.

use crate::Array;
use crate::bridge::ops::ffi;

crate::call::functions! { ffi;
    /// The entries of `axis` named by `indices`, whose shape replaces that axis. Indices are not checked.
    fn take(a: &Array, indices: &Array, axis: i32) -> Array;
    /// Elements of `axis` named by `indices`, which has the rank of `a`. Indices are not checked.
    fn take_along_axis(a: &Array, indices: &Array, axis: i32) -> Array;
    /// `a` with the elements named by `indices` replaced by `values`. Indices are not checked.
    fn put_along_axis(a: &Array, indices: &Array, values: &Array, axis: i32) -> Array;
    /// `a` with `values` added to the elements named by `indices`. Indices are not checked.
    fn scatter_add_axis(a: &Array, indices: &Array, values: &Array, axis: i32) -> Array;
}
