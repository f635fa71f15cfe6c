//! Fused operations of `mlx.core.fast`.

use crate::bridge::fast::ffi;
use crate::call::{Argument, call};
use crate::checks::{Bounds, checked};
use crate::ops::over_nothing;
use crate::{Array, Error, Result};

/// An error where there are no heads of keys, by whose number MLX divides.
#[track_caller]
fn headed(k: &Array) -> Result<()> {
    match k.shape() {
        [_, 0, _, _] => {
            Err(Error::new(format!("[scaled_dot_product_attention] keys of shape {:?} have no heads", k.shape())))
        }
        _ => Ok(()),
    }
}

crate::call::functions! { ffi;
    /// Rotary positions on the first `dims` features of `(.., L, D)`, from position `offset`; `traditional` rotates neighbours.
    /// Exactly one of `base` and `freqs` (shape `(dims / 2,)`, wavelengths over 2 pi) is given.
    fn rope(x: &Array, dims: i32, traditional: bool, base: Option<f32>, scale: f32, offset: i32, freqs: Option<&Array>) -> Array;
    /// [`rope`] with one offset per batch entry, or a scalar array.
    fn rope_at(x: &Array, dims: i32, traditional: bool, base: Option<f32>, scale: f32, offset: &Array, freqs: Option<&Array>) -> Array;
    /// `softmax(scale * q @ k.T + mask) @ v` for q `(B, H, L, D)` and k, v `(B, KV, S, D)` with `H` a multiple of `KV`.
    /// `mask_mode` is `""`, `"causal"` (aligned at the end) or `"array"` with `mask` boolean or additive, broadcastable to `(B, H, L, S)`.
    fn scaled_dot_product_attention(q: &Array, k: &Array, v: &Array, scale: f32, mask_mode: &str, mask: Option<&Array>, sinks: Option<&Array>) -> Array where headed(k);
    /// `[outputs (B, T, Hv, Dv), state (B, Hv, Dv, Dk)]` of the gated delta rule for q and k `(B, T, Hk, Dk)`, v `(B, T, Hv, Dv)`, decay rates `gates` and update
    /// rates `beta` `(B, T, Hv)`.
    fn gated_delta_update(q: &Array, k: &Array, v: &Array, gates: &Array, beta: &Array, state: Option<&Array>, mask: Option<&Array>) -> Vec<Array>;
}

/// The cross entropy of `logits` `(.., classes)` and class indices `targets` `(..)`, elementwise, f32. On a CPU a target that is
/// no class is an error, now or when it is computed.
#[track_caller]
pub fn cross_entropy(logits: &Array, targets: &Array) -> Result<Array> {
    let classes = logits.shape().last().map(|&n| Bounds { length: n.into(), size: 1, wraps: false });
    let targets = checked(c"cross_entropy", targets, classes.into_iter().collect())?;
    call!(ffi::cross_entropy(logits, &targets))
}

/// Root-mean-square normalisation of the last axis, times `weight` if given.
#[track_caller]
pub fn rms_norm(x: &Array, weight: Option<&Array>, eps: f32) -> Result<Array> {
    over_nothing(x, call!(ffi::rms_norm(x, weight.ffi(), eps))?, 0.0)
}

/// Normalisation of the last axis to mean 0 and variance 1, then `weight` and `bias` if given.
#[track_caller]
pub fn layer_norm(x: &Array, weight: Option<&Array>, bias: Option<&Array>, eps: f32) -> Result<Array> {
    over_nothing(x, call!(ffi::layer_norm(x, weight.ffi(), bias.ffi(), eps))?, 0.0)
}
