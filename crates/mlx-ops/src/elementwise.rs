//! Elementwise methods.

use crate::tensor::{methods, pair};
use crate::{Operand, Tensor};
use mlx_core::{Dtype, Result, ops};

methods! {
    /// The absolute value.
    fn abs();
    /// -1, 0 or 1.
    fn sign();
    /// `1 / x`.
    fn reciprocal();
    /// Rounded towards minus infinity.
    fn floor();
    /// Rounded towards infinity.
    fn ceil();
    /// Rounded towards zero.
    fn trunc();
    /// Rounded to `decimals` places, ties to even.
    fn round(decimals: i32);
    /// `x * x`.
    fn square();
    /// The square root.
    fn sqrt();
    /// `1 / sqrt(x)`.
    fn rsqrt();
    /// e to the power `x`.
    fn exp();
    /// `exp(x) - 1`, accurate near zero.
    fn expm1();
    /// The natural logarithm.
    fn log();
    /// The logarithm to base 2.
    fn log2();
    /// The logarithm to base 10.
    fn log10();
    /// `log(1 + x)`, accurate near zero.
    fn log1p();
    /// The sine, radians.
    fn sin();
    /// The cosine, radians.
    fn cos();
    /// The tangent, radians.
    fn tan();
    /// The inverse sine, radians.
    fn arcsin();
    /// The inverse cosine, radians.
    fn arccos();
    /// The inverse tangent, radians.
    fn arctan();
    /// Radians as degrees.
    fn degrees();
    /// Degrees as radians.
    fn radians();
    /// The hyperbolic sine.
    fn sinh();
    /// The hyperbolic cosine.
    fn cosh();
    /// The hyperbolic tangent.
    fn tanh();
    /// The inverse hyperbolic sine.
    fn arcsinh();
    /// The inverse hyperbolic cosine.
    fn arccosh();
    /// The inverse hyperbolic tangent.
    fn arctanh();
    /// The error function.
    fn erf();
    /// The inverse error function.
    fn erfinv();
    /// `1 / (1 + exp(-x))`.
    fn sigmoid();
    /// Whether each element is NaN.
    fn isnan();
    /// Whether each element is infinite.
    fn isinf();
    /// Whether each element is positive infinity.
    fn isposinf();
    /// Whether each element is negative infinity.
    fn isneginf();
    /// Whether each element is neither infinite nor NaN.
    fn isfinite();
    /// Elementwise negation of booleans.
    fn logical_not();
    /// The value itself (`+x`).
    fn positive();
    /// The value with the other sign (`-x`).
    fn negative();
    /// All bits of integers inverted; the negation of booleans.
    fn bitwise_invert();
    /// The complex conjugate.
    fn conjugate();
    /// The real part, f32 for complex values.
    fn real();
    /// The imaginary part, f32 for complex values.
    fn imag();
    /// NaN and infinities replaced; `None` takes the largest finite values of the dtype.
    fn nan_to_num(nan: f32, posinf: Option<f32>, neginf: Option<f32>);
    /// Floats as 8-bit E4M3 codes, `u8`.
    fn to_fp8();
    /// 8-bit E4M3 codes (`u8`) as floats of `dtype`.
    fn from_fp8(dtype: Dtype);
    /// The values converted to `dtype`.
    fn astype(dtype: Dtype);
    /// The same bytes read as `dtype`; the last axis scales with the item sizes.
    fn view(dtype: Dtype);
    /// The same values, through which no gradient flows.
    fn stop_gradient();
}

macro_rules! binary_methods {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        impl Tensor { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, other: impl Operand) -> Result<Tensor> {
                ops::$name(&self.0, other.hold(self.dtype())?.as_ref()).map(Tensor)
            }
        )* }
    };
}

binary_methods! {
    /// Elementwise `x == other`.
    equal;
    /// Elementwise `x != other`.
    not_equal;
    /// Elementwise `x > other`.
    greater;
    /// Elementwise `x >= other`.
    greater_equal;
    /// Elementwise `x < other`.
    less;
    /// Elementwise `x <= other`.
    less_equal;
    /// Elementwise `and` of booleans.
    logical_and;
    /// Elementwise `or` of booleans.
    logical_or;
    /// Elementwise exclusive `or` of booleans.
    logical_xor;
    /// `x + other`, as the operator.
    add;
    /// `x - other`, as the operator.
    subtract;
    /// `x * other`, as the operator.
    multiply;
    /// `x / other`, as the operator; integers divide as floats.
    divide;
    /// The remainder with the sign of `other`, as the operator `%`.
    remainder;
    /// The larger value; NaN wins.
    maximum;
    /// The smaller value; NaN wins.
    minimum;
    /// `x / other` rounded towards minus infinity.
    floor_divide;
    /// `x` to the power `other`.
    power;
    /// `log(exp(x) + exp(other))`, without overflow.
    logaddexp;
    /// The angle of the point `(other, x)`, radians.
    arctan2;
    /// Bitwise `and` of integers or booleans.
    bitwise_and;
    /// Bitwise `or` of integers or booleans.
    bitwise_or;
    /// Bitwise exclusive `or` of integers or booleans.
    bitwise_xor;
    /// Bits moved left.
    left_shift;
    /// Bits moved right.
    right_shift;
}

impl Tensor {
    /// Limited to `min..=max`.
    #[track_caller]
    pub fn clip(&self, min: impl Operand, max: impl Operand) -> Result<Tensor> {
        let (min, max) = (min.hold(self.dtype())?, max.hold(self.dtype())?);
        ops::clip(&self.0, Some(min.as_ref()), Some(max.as_ref())).map(Tensor)
    }

    /// `x / other` rounded towards minus infinity, and the remainder.
    #[track_caller]
    pub fn divmod(&self, other: impl Operand) -> Result<(Tensor, Tensor)> {
        ops::divmod(&self.0, other.hold(self.dtype())?.as_ref()).and_then(pair)
    }

    /// Whether values differ by at most `atol + rtol * abs(other)`, elementwise; NaN equals NaN where `equal_nan`.
    #[track_caller]
    pub fn isclose(&self, other: impl Operand, rtol: f64, atol: f64, equal_nan: bool) -> Result<Tensor> {
        ops::isclose(&self.0, other.hold(self.dtype())?.as_ref(), rtol, atol, equal_nan).map(Tensor)
    }

    /// Whether shapes and all values are equal, NaN and NaN too where `equal_nan`; computes both.
    #[track_caller]
    pub fn array_equal(&self, other: &Tensor, equal_nan: bool) -> Result<bool> {
        ops::array_equal(&self.0, &other.0, equal_nan)?.item()
    }

    /// Whether all values differ by at most `atol + rtol * abs(other)`, NaN and NaN not where `equal_nan`; computes both.
    #[track_caller]
    pub fn allclose(&self, other: &Tensor, rtol: f64, atol: f64, equal_nan: bool) -> Result<bool> {
        ops::allclose(&self.0, &other.0, rtol, atol, equal_nan)?.item()
    }
}

impl Tensor {
    /// The Walsh-Hadamard transform of the last axis, of size `m * 2^k` with m in 1, 12, 20, 28, times `scale` (`None`:
    /// `1 / sqrt(size)`).
    #[track_caller]
    pub fn hadamard_transform(&self, scale: Option<f32>) -> Result<Tensor> {
        ops::hadamard_transform(&self.0, scale).map(Tensor)
    }
}

/// `x` where `condition` holds, else `y` (`mlx.core.where`); a scalar `y` takes the dtype of `x`.
///
/// ```
/// use mlx_ops::{Tensor, select};
/// let x = Tensor::from_slice(&[-1f32, 2.0], [2])?;
/// assert_eq!(select(&x.greater(0.0)?, &x, 0.0)?.to_vec::<f32>()?, [0.0, 2.0]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn select(condition: &Tensor, x: &Tensor, y: impl Operand) -> Result<Tensor> {
    ops::select(&condition.0, &x.0, y.hold(x.dtype())?.as_ref()).map(Tensor)
}
