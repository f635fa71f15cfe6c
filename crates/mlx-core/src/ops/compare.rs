//! Comparisons and logic; results are `bool`.

use crate::Array;
use crate::bridge::ops::ffi;

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
    /// Whether shapes and all values are equal; a scalar.
    fn array_equal(a: &Array, b: &Array, equal_nan: bool) -> Array;
    /// Whether all values differ by at most `atol + rtol * abs(b)`; a scalar.
    fn allclose(a: &Array, b: &Array, rtol: f64, atol: f64, equal_nan: bool) -> Array;
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
