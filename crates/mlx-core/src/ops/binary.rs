//! Elementwise functions of two arrays, which broadcast.

use crate::Array;
use crate::bridge::ops::ffi;

crate::call::functions! { ffi;
    /// `a + b`.
    fn add(a: &Array, b: &Array) -> Array;
    /// `a - b`.
    fn subtract(a: &Array, b: &Array) -> Array;
    /// `a * b`.
    fn multiply(a: &Array, b: &Array) -> Array;
    /// `a / b`; integers divide as floats.
    fn divide(a: &Array, b: &Array) -> Array;
    /// `a / b` rounded towards minus infinity.
    fn floor_divide(a: &Array, b: &Array) -> Array;
    /// The remainder with the sign of `b`.
    fn remainder(a: &Array, b: &Array) -> Array;
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
    /// `[floor_divide, remainder]` of `a / b`.
    fn divmod(a: &Array, b: &Array) -> Vec<Array>;
}
