//! Matrix products, dense and quantized.

use crate::Array;
use crate::bridge::ops::ffi;

crate::call::functions! { ffi;
    /// The matrix product of the last two axes; leading axes broadcast.
    fn matmul(a: &Array, b: &Array) -> Array;
    /// `beta * c + alpha * (a @ b)`.
    fn addmm(c: &Array, a: &Array, b: &Array, alpha: f32, beta: f32) -> Array;
    /// The outer product of two flattened arrays.
    fn outer(a: &Array, b: &Array) -> Array;
    /// Products summed over the last axis of both.
    fn inner(a: &Array, b: &Array) -> Array;
    /// Products summed over pairs of axes.
    fn tensordot(a: &Array, b: &Array, axes_a: &[i32], axes_b: &[i32]) -> Array;
    /// `w` packed in groups along its last axis: `[packed, scales, biases]` for mode `affine`, else `[packed, scales]`.
    fn quantize(w: &Array, group_size: Option<i32>, bits: Option<i32>, mode: &str) -> Vec<Array>;
    /// The inverse of [`quantize`]; the dtype is that of the scales (bf16 for the float modes).
    fn dequantize(w: &Array, scales: &Array, biases: Option<&Array>, group_size: Option<i32>, bits: Option<i32>, mode: &str) -> Array;
    /// `x @ w.T` (or `x @ w`) with `w` packed by [`quantize`].
    fn quantized_matmul(x: &Array, w: &Array, scales: &Array, biases: Option<&Array>, transpose: bool, group_size: Option<i32>, bits: Option<i32>, mode: &str) -> Array;
    /// Matrix products of the batch entries named by two index arrays.
    fn gather_mm(a: &Array, b: &Array, lhs: Option<&Array>, rhs: Option<&Array>, sorted: bool) -> Array;
    /// [`gather_mm`] with `w` packed by [`quantize`].
    fn gather_qmm(x: &Array, w: &Array, scales: &Array, biases: Option<&Array>, lhs: Option<&Array>, rhs: Option<&Array>, transpose: bool, group_size: Option<i32>, bits: Option<i32>, mode: &str, sorted: bool) -> Array;
}
