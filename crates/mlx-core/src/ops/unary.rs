//! Elementwise functions of one array.

use crate::bridge::ops::ffi;
use crate::{Array, Dtype, Error, Result};

/// An error where the last axis is not `m * 2^k` with m 1, 12, 20 or 28: MLX takes every multiple of the last three.
#[track_caller]
fn composed(a: &Array) -> Result<()> {
    let last = a.shape().last().map_or(1, |&n| n as usize);
    match [1, 12, 20, 28].iter().any(|m| last.is_multiple_of(*m) && (last / m).is_power_of_two()) {
        true => Ok(()),
        false => Err(Error::new("[hadamard] Only supports n = m*2^k where m in (1, 12, 20, 28).")),
    }
}

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
    /// The value itself.
    fn positive(a: &Array) -> Array;
    /// Rounded towards zero.
    fn trunc(a: &Array) -> Array;
    /// Radians as degrees.
    fn degrees(a: &Array) -> Array;
    /// Degrees as radians.
    fn radians(a: &Array) -> Array;
    /// The inverse hyperbolic sine.
    fn arcsinh(a: &Array) -> Array;
    /// The inverse hyperbolic cosine.
    fn arccosh(a: &Array) -> Array;
    /// The inverse hyperbolic tangent.
    fn arctanh(a: &Array) -> Array;
    /// The complex conjugate.
    fn conjugate(a: &Array) -> Array;
    /// The real part of a complex array, f32.
    fn real(a: &Array) -> Array;
    /// The imaginary part of a complex array, f32.
    fn imag(a: &Array) -> Array;
    /// All bits of integers inverted; the negation of booleans.
    fn bitwise_invert(a: &Array) -> Array;
    /// The Walsh-Hadamard transform of the last axis, of size `m * 2^k` with m in 1, 12, 20, 28; `None` scales by `1 / sqrt(size)`.
    fn hadamard_transform(a: &Array, scale: Option<f32>) -> Array where composed(a);
    /// Floats as 8-bit E4M3 codes, `u8`.
    fn to_fp8(a: &Array) -> Array;
    /// 8-bit E4M3 codes (`u8`) as floats of `dtype`.
    fn from_fp8(a: &Array, dtype: Dtype) -> Array;
}
