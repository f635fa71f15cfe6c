//! Elementwise ops and operators.

use super::call::{Call, Number, ops};
use mlx_ops::{Result, Tensor, select};

ops! {
    "abs" => |a| a.x("x").abs();
    "sign" => |a| a.x("x").sign();
    "reciprocal" => |a| a.x("x").reciprocal();
    "floor" => |a| a.x("x").floor();
    "ceil" => |a| a.x("x").ceil();
    "trunc" => |a| a.x("x").trunc();
    "square" => |a| a.x("x").square();
    "sqrt" => |a| a.x("x").sqrt();
    "rsqrt" => |a| a.x("x").rsqrt();
    "exp" => |a| a.x("x").exp();
    "expm1" => |a| a.x("x").expm1();
    "log" => |a| a.x("x").log();
    "log2" => |a| a.x("x").log2();
    "log10" => |a| a.x("x").log10();
    "log1p" => |a| a.x("x").log1p();
    "sin" => |a| a.x("x").sin();
    "cos" => |a| a.x("x").cos();
    "tan" => |a| a.x("x").tan();
    "arcsin" => |a| a.x("x").arcsin();
    "arccos" => |a| a.x("x").arccos();
    "arctan" => |a| a.x("x").arctan();
    "degrees" => |a| a.x("x").degrees();
    "radians" => |a| a.x("x").radians();
    "sinh" => |a| a.x("x").sinh();
    "cosh" => |a| a.x("x").cosh();
    "tanh" => |a| a.x("x").tanh();
    "arcsinh" => |a| a.x("x").arcsinh();
    "arccosh" => |a| a.x("x").arccosh();
    "arctanh" => |a| a.x("x").arctanh();
    "erf" => |a| a.x("x").erf();
    "erfinv" => |a| a.x("x").erfinv();
    "sigmoid" => |a| a.x("x").sigmoid();
    "isnan" => |a| a.x("x").isnan();
    "isinf" => |a| a.x("x").isinf();
    "isposinf" => |a| a.x("x").isposinf();
    "isneginf" => |a| a.x("x").isneginf();
    "isfinite" => |a| a.x("x").isfinite();
    "logical_not" => |a| a.x("x").logical_not();
    "positive" => |a| a.x("x").positive();
    "negative" => |a| a.x("x").negative();
    "bitwise_invert" => |a| a.x("x").bitwise_invert();
    "conjugate" => |a| a.x("x").conjugate();
    "real" => |a| a.x("x").real();
    "imag" => |a| a.x("x").imag();
    "stop_gradient" => |a| a.x("x").stop_gradient();
    "to_fp8" => |a| a.x("x").to_fp8();
    "round" => |a| a.x("x").round(a.int("decimals"));
    "from_fp8" => |a| a.x("x").from_fp8(a.dtype("dtype"));
    "nan_to_num" => |a| a.x("x").nan_to_num(a.float("nan") as f32, limit(a, "posinf"), limit(a, "neginf"));
    "add" => |a| a.x("x").add(a.x("y"));
    "subtract" => |a| a.x("x").subtract(a.x("y"));
    "multiply" => |a| a.x("x").multiply(a.x("y"));
    "divide" => |a| a.x("x").divide(a.x("y"));
    "remainder" => |a| a.x("x").remainder(a.x("y"));
    "floor_divide" => |a| a.x("x").floor_divide(a.x("y"));
    "power" => |a| a.x("x").power(a.x("y"));
    "maximum" => |a| a.x("x").maximum(a.x("y"));
    "minimum" => |a| a.x("x").minimum(a.x("y"));
    "logaddexp" => |a| a.x("x").logaddexp(a.x("y"));
    "arctan2" => |a| a.x("x").arctan2(a.x("y"));
    "equal" => |a| a.x("x").equal(a.x("y"));
    "not_equal" => |a| a.x("x").not_equal(a.x("y"));
    "greater" => |a| a.x("x").greater(a.x("y"));
    "greater_equal" => |a| a.x("x").greater_equal(a.x("y"));
    "less" => |a| a.x("x").less(a.x("y"));
    "less_equal" => |a| a.x("x").less_equal(a.x("y"));
    "logical_and" => |a| a.x("x").logical_and(a.x("y"));
    "logical_or" => |a| a.x("x").logical_or(a.x("y"));
    "logical_xor" => |a| a.x("x").logical_xor(a.x("y"));
    "bitwise_and" => |a| a.x("x").bitwise_and(a.x("y"));
    "bitwise_or" => |a| a.x("x").bitwise_or(a.x("y"));
    "bitwise_xor" => |a| a.x("x").bitwise_xor(a.x("y"));
    "left_shift" => |a| a.x("x").left_shift(a.x("y"));
    "right_shift" => |a| a.x("x").right_shift(a.x("y"));
    "divmod" => |a| a.x("x").divmod(a.x("y"));
    "operator.add" => |a| a.x("x") + a.x("y");
    "operator.sub" => |a| a.x("x") - a.x("y");
    "operator.mul" => |a| a.x("x") * a.x("y");
    "operator.truediv" => |a| a.x("x") / a.x("y");
    "operator.mod" => |a| a.x("x") % a.x("y");
    "operator.and" => |a| a.x("x") & a.x("y");
    "operator.or" => |a| a.x("x") | a.x("y");
    "operator.xor" => |a| a.x("x") ^ a.x("y");
    "operator.lshift" => |a| a.x("x") << a.x("y");
    "operator.rshift" => |a| a.x("x") >> a.x("y");
    "operator.add.scalar" => |a| a.x("x") + a.number("value");
    "operator.sub.scalar" => |a| a.x("x") - a.number("value");
    "operator.mul.scalar" => |a| a.x("x") * a.number("value");
    "operator.truediv.scalar" => |a| a.x("x") / a.number("value");
    "operator.mod.scalar" => |a| a.x("x") % a.number("value");
    "operator.radd.scalar" => |a| reversed(a, |v, x| v + x, |v, x| v + x);
    "operator.rsub.scalar" => |a| reversed(a, |v, x| v - x, |v, x| v - x);
    "operator.rmul.scalar" => |a| reversed(a, |v, x| v * x, |v, x| v * x);
    "operator.rtruediv.scalar" => |a| reversed(a, |v, x| v / x, |v, x| v / x);
    "operator.rmod.scalar" => |a| reversed(a, |v, x| v % x, |v, x| v % x);
    "operator.neg" => |a| -a.x("x");
    "operator.invert" => |a| !a.x("x");
    "isclose" => |a| a.x("x").isclose(a.x("y"), a.float("rtol"), a.float("atol"), a.flag("equal_nan"));
    "allclose" => |a| a.x("x").allclose(a.x("y"), a.float("rtol"), a.float("atol"), a.flag("equal_nan"));
    "array_equal" => |a| a.x("x").array_equal(a.x("y"), a.flag("equal_nan"));
    "clip" => |a| a.x("x").clip(a.number("low"), a.number("high"));
    "clip.arrays" => |a| a.x("x").clip(a.x("low"), a.x("high"));
    "where" => |a| select(a.x("c"), a.x("x"), a.x("y"));
    "astype" => |a| a.x("x").astype(a.dtype("dtype"));
    "view" => |a| a.x("x").view(a.dtype("dtype"));
    "hadamard_transform" => |a| a.x("x").hadamard_transform(limit(a, "scale"));
}

/// A float or `null`.
fn limit(a: &Call<'_>, name: &str) -> Option<f32> {
    a.args[name].as_f64().map(|value| value as f32)
}

/// A scalar before the operator.
fn reversed(
    a: &Call<'_>,
    int: fn(i32, &Tensor) -> Result<Tensor>,
    float: fn(f32, &Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    match a.number("value") {
        Number::Int(value) => int(value as i32, a.x("x")),
        Number::Float(value) => float(value as f32, a.x("x")),
    }
}
