//! Comparisons and logic; results are `bool`.

use super::over_nothing;
use crate::bridge::ops::ffi;
use crate::call::call;
use crate::{Array, Result};

crate::call::functions! { ffi;
    /// Elementwise `a == b`.
    fn equal(a: &Array, b: &Array) -> Array;
    /// Elementwise `a != b`.
    fn not_equal(a: &Array, b: &Array) -> Array;
    /// Elementwise `a > b`.
    fn greater(a: &Array, b: &Array) -> Array;
    /// Elementwise `a >= b`.
    fn greater_equal(a: &Array, b: &Array) -> Array;
    /// Elementwise `a < b`.
    fn less(a: &Array, b: &Array) -> Array;
    /// Elementwise `a <= b`.
    fn less_equal(a: &Array, b: &Array) -> Array;
    /// Whether values differ by at most `atol + rtol * abs(b)`, elementwise.
    fn isclose(a: &Array, b: &Array, rtol: f64, atol: f64, equal_nan: bool) -> Array;
    /// Whether each element is NaN.
    fn isnan(a: &Array) -> Array;
    /// Whether each element is infinite.
    fn isinf(a: &Array) -> Array;
    /// Whether each element is neither infinite nor NaN.
    fn isfinite(a: &Array) -> Array;
    /// Elementwise negation.
    fn logical_not(a: &Array) -> Array;
    /// Elementwise `and`.
    fn logical_and(a: &Array, b: &Array) -> Array;
    /// Elementwise `or`.
    fn logical_or(a: &Array, b: &Array) -> Array;
    /// `x` where `condition` holds, else `y` (`mlx.core.where`).
    fn select(condition: &Array, x: &Array, y: &Array) -> Array;
    /// Whether each element is positive infinity.
    fn isposinf(a: &Array) -> Array;
    /// Whether each element is negative infinity.
    fn isneginf(a: &Array) -> Array;
    /// Elementwise exclusive `or`.
    fn logical_xor(a: &Array, b: &Array) -> Array;
}

/// Whether shapes and all values are equal; a scalar.
#[track_caller]
pub fn array_equal(a: &Array, b: &Array, equal_nan: bool) -> Result<Array> {
    let equal = call!(ffi::array_equal(a, b, equal_nan))?;
    if a.shape() == b.shape() { over_nothing(a, equal, 1.0) } else { Ok(equal) }
}

/// Whether all values differ by at most `atol + rtol * abs(b)`; a scalar.
#[track_caller]
pub fn allclose(a: &Array, b: &Array, rtol: f64, atol: f64, equal_nan: bool) -> Result<Array> {
    let close = call!(ffi::allclose(a, b, rtol, atol, equal_nan))?;
    over_nothing(if a.size() == 0 { a } else { b }, close, 1.0)
}
