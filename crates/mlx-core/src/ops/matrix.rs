//! Matrix products, dense and quantized.

use super::over_nothing;
use crate::bridge::ops::ffi;
use crate::call::{Argument, call};
use crate::checks::{Bounds, checked, filled};
use crate::{Array, Dtype, Result};
use std::ffi::CStr;

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
    /// `w` packed in groups along its last axis: `[packed, scales, biases]` for mode `affine`, else `[packed, scales]`. `global_scale` is for `nvfp4`.
    fn quantize(w: &Array, group_size: Option<i32>, bits: Option<i32>, mode: &str, global_scale: Option<&Array>) -> Vec<Array>;
    /// The inverse of [`quantize`]; `None` takes the dtype of the scales (bf16 for the float modes).
    fn dequantize(w: &Array, scales: &Array, biases: Option<&Array>, group_size: Option<i32>, bits: Option<i32>, mode: &str, global_scale: Option<&Array>, dtype: Option<Dtype>) -> Array;
    /// The Kronecker product.
    fn kron(a: &Array, b: &Array) -> Array;
    /// Products summed over the last `count` axes of `a` and the first of `b`.
    fn tensordot_count(a: &Array, b: &Array, count: i32) -> Array;
    /// `a @ b` in blocks of 32 or 64, of which masks leave some out of the result or of either side.
    fn block_masked_mm(a: &Array, b: &Array, block_size: i32, mask_out: Option<&Array>, mask_lhs: Option<&Array>, mask_rhs: Option<&Array>) -> Array;
    /// `x @ w.T` with both sides quantized (`nvfp4` or `mxfp8`); without `scales`, `w` is dense and quantized first. GPUs only.
    fn qqmm(x: &Array, w: &Array, scales: Option<&Array>, group_size: Option<i32>, bits: Option<i32>, mode: &str, global_scale_x: Option<&Array>, global_scale_w: Option<&Array>) -> Array;
    /// [`qqmm`] of the batch entries named by two index arrays. GPUs only.
    fn gather_qqmm(x: &Array, w: &Array, scales: Option<&Array>, lhs: Option<&Array>, rhs: Option<&Array>, group_size: Option<i32>, bits: Option<i32>, mode: &str, global_scale_x: Option<&Array>, global_scale_w: Option<&Array>, sorted: bool) -> Array;
}

/// Products summed over `axis` of both, which broadcast.
#[track_caller]
pub fn vecdot(a: &Array, b: &Array, axis: i32) -> Result<Array> {
    over_nothing(if a.size() == 0 { a } else { b }, call!(ffi::vecdot(a, b, axis))?, 0.0)
}

/// Which matrices of a batch are multiplied: those positions are checked as those of [`take`](super::take) are.
#[track_caller]
fn chosen(name: &'static CStr, matrices: &Array, positions: Option<&Array>) -> Result<Option<Array>> {
    let batch = matrices.shape().len().saturating_sub(2);
    let count = matrices.shape()[..batch].iter().map(|&dim| i64::from(dim)).product();
    positions.map(|at| checked(name, at, vec![Bounds { length: count, size: 1, wraps: false }])).transpose()
}

/// Matrix products of the batch entries named by two index arrays.
#[track_caller]
pub fn gather_mm(a: &Array, b: &Array, lhs: Option<&Array>, rhs: Option<&Array>, sorted: bool) -> Result<Array> {
    let (lhs, rhs) = (chosen(c"gather_mm", a, lhs)?, chosen(c"gather_mm", b, rhs)?);
    call!(ffi::gather_mm(a, b, lhs.as_ref().ffi(), rhs.as_ref().ffi(), sorted))
}

/// [`gather_mm`] with `w` packed by [`quantize`].
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn gather_qmm(
    x: &Array,
    w: &Array,
    scales: &Array,
    biases: Option<&Array>,
    lhs: Option<&Array>,
    rhs: Option<&Array>,
    transpose: bool,
    group_size: Option<i32>,
    bits: Option<i32>,
    mode: &str,
    global_scale: Option<&Array>,
    sorted: bool,
) -> Result<Array> {
    let (lhs, rhs) = (chosen(c"gather_qmm", x, lhs)?, chosen(c"gather_qmm", w, rhs)?);
    let (lhs, rhs) = (lhs.as_ref().ffi(), rhs.as_ref().ffi());
    let (group_size, bits) = (group_size.ffi(), bits.ffi());
    let (biases, global_scale) = (biases.ffi(), global_scale.ffi());
    call!(ffi::gather_qmm(x, w, scales, biases, lhs, rhs, transpose, group_size, bits, mode, global_scale, sorted))
}

/// `a[:, s0:s1] @ b[s0:s1]` for each row `(s0, s1)` of `segments` (`u32`).
#[track_caller]
pub fn segmented_mm(a: &Array, b: &Array, segments: &Array) -> Result<Array> {
    filled("segmented_mm", &[a, b])?;
    let inner = a.shape().last().map(|&inner| Bounds { length: i64::from(inner), size: 0, wraps: false });
    let segments = checked(c"segmented_mm", segments, inner.into_iter().collect())?;
    call!(ffi::segmented_mm(a, b, &segments))
}

/// `x @ w.T` (or `x @ w`) with `w` packed by [`quantize`].
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn quantized_matmul(
    x: &Array,
    w: &Array,
    scales: &Array,
    biases: Option<&Array>,
    transpose: bool,
    group_size: Option<i32>,
    bits: Option<i32>,
    mode: &str,
) -> Result<Array> {
    let (biases, group_size, bits) = (biases.ffi(), group_size.ffi(), bits.ffi());
    let product = call!(ffi::quantized_matmul(x, w, scales, biases, transpose, group_size, bits, mode))?;
    // MLX divides by the number of rows.
    over_nothing(x, product, 0.0)
}
