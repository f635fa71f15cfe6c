//! Elementwise functions of two arrays, which broadcast.

use crate::bridge::ops::ffi;
use crate::call::call;
use crate::checks::divisor;
use crate::{Array, Result};

crate::call::functions! { ffi;
    /// `a + b`.
    fn add(a: &Array, b: &Array) -> Array;
    /// `a - b`.
    fn subtract(a: &Array, b: &Array) -> Array;
    /// `a * b`.
    fn multiply(a: &Array, b: &Array) -> Array;
    /// `a / b`; integers divide as floats.
    fn divide(a: &Array, b: &Array) -> Array;
    /// `a` to the power `b`.
    fn power(a: &Array, b: &Array) -> Array;
    /// The larger value; NaN wins.
    fn maximum(a: &Array, b: &Array) -> Array;
    /// The smaller value; NaN wins.
    fn minimum(a: &Array, b: &Array) -> Array;
    /// `log(exp(a) + exp(b))`, without overflow.
    fn logaddexp(a: &Array, b: &Array) -> Array;
    /// The angle of `(b, a)`, radians.
    fn arctan2(a: &Array, b: &Array) -> Array;
    /// Bitwise `and` of integers or booleans.
    fn bitwise_and(a: &Array, b: &Array) -> Array;
    /// Bitwise `or` of integers or booleans.
    fn bitwise_or(a: &Array, b: &Array) -> Array;
    /// Bitwise exclusive `or` of integers or booleans.
    fn bitwise_xor(a: &Array, b: &Array) -> Array;
    /// Bits moved left.
    fn left_shift(a: &Array, b: &Array) -> Array;
    /// Bits moved right.
    fn right_shift(a: &Array, b: &Array) -> Array;
    /// Limited to `min` and `max`, each of which may be absent.
    fn clip(a: &Array, min: Option<&Array>, max: Option<&Array>) -> Array;
}

/// `a / b` rounded towards minus infinity. On a CPU an integer divided by zero is an error, now or when it is computed.
#[track_caller]
pub fn floor_divide(a: &Array, b: &Array) -> Result<Array> {
    call!(ffi::floor_divide(a, &divisor(c"floor_divide", a, b)?))
}

/// The remainder with the sign of `b`. On a CPU an integer divided by zero is an error, now or when it is computed.
#[track_caller]
pub fn remainder(a: &Array, b: &Array) -> Result<Array> {
    call!(ffi::remainder(a, &divisor(c"remainder", a, b)?))
}

/// `[floor_divide, remainder]` of `a / b`.
#[track_caller]
pub fn divmod(a: &Array, b: &Array) -> Result<Vec<Array>> {
    call!(ffi::divmod(a, &divisor(c"divmod", a, b)?))
}
