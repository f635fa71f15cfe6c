//! Elementwise functions of one array.

use crate::Array;
use crate::bridge::ops::ffi;

crate::call::functions! { ffi;
    /// The absolute value.
    fn abs(a: &Array) -> Array;
    /// The negated value.
    fn negative(a: &Array) -> Array;
    /// -1, 0 or 1.
    fn sign(a: &Array) -> Array;
    /// `1 / a`.
    fn reciprocal(a: &Array) -> Array;
    /// Rounded towards minus infinity.
    fn floor(a: &Array) -> Array;
    /// Rounded towards infinity.
    fn ceil(a: &Array) -> Array;
    /// Rounded to `decimals` places, ties to even.
    fn round(a: &Array, decimals: i32) -> Array;
    /// `a * a`.
    fn square(a: &Array) -> Array;
    /// The square root.
    fn sqrt(a: &Array) -> Array;
    /// `1 / sqrt(a)`.
    fn rsqrt(a: &Array) -> Array;
    /// e to the power `a`.
    fn exp(a: &Array) -> Array;
    /// `exp(a) - 1`, accurate near zero.
    fn expm1(a: &Array) -> Array;
    /// The natural logarithm.
    fn log(a: &Array) -> Array;
    /// The logarithm to base 2.
    fn log2(a: &Array) -> Array;
    /// The logarithm to base 10.
    fn log10(a: &Array) -> Array;
    /// `log(1 + a)`, accurate near zero.
    fn log1p(a: &Array) -> Array;
    /// The sine, radians.
    fn sin(a: &Array) -> Array;
    /// The cosine, radians.
    fn cos(a: &Array) -> Array;
    /// The tangent, radians.
    fn tan(a: &Array) -> Array;
    /// The inverse sine, radians.
    fn arcsin(a: &Array) -> Array;
    /// The inverse cosine, radians.
    fn arccos(a: &Array) -> Array;
    /// The inverse tangent, radians.
    fn arctan(a: &Array) -> Array;
    /// The hyperbolic sine.
    fn sinh(a: &Array) -> Array;
    /// The hyperbolic cosine.
    fn cosh(a: &Array) -> Array;
    /// The hyperbolic tangent.
    fn tanh(a: &Array) -> Array;
    /// The error function.
    fn erf(a: &Array) -> Array;
    /// The inverse error function.
    fn erfinv(a: &Array) -> Array;
    /// `1 / (1 + exp(-a))`.
    fn sigmoid(a: &Array) -> Array;
    /// NaN and infinities replaced; `None` takes the largest finite values.
    fn nan_to_num(a: &Array, nan: f32, posinf: Option<f32>, neginf: Option<f32>) -> Array;
}
