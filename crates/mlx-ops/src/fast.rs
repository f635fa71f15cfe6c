//! The fused operations of `mlx.core.fast`.

pub use crate::rotation::{Frequencies, Rotation, rope};
pub use crate::self_attention::causal;
use crate::tensor::optional;
use crate::{Dtype, Tensor, cpu, select};
use mlx_core::{Result, fast};

/// Root-mean-square normalisation of the last axis, times `weight` if given.
#[track_caller]
pub fn rms_norm(x: &Tensor, weight: Option<&Tensor>, eps: f32) -> Result<Tensor> {
    if let Some(normal) = cpu::rms_norm(&x.0, optional(weight), eps) {
        return normal.map(Tensor);
    }
    fast::rms_norm(&x.0, optional(weight), eps).map(Tensor)
}

/// Normalisation of the last axis to mean 0 and variance 1, then `weight` and `bias` if given.
#[track_caller]
pub fn layer_norm(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f32) -> Result<Tensor> {
    fast::layer_norm(&x.0, optional(weight), optional(bias), eps).map(Tensor)
}

/// What a query may see.
#[derive(Clone, Copy, Debug)]
pub enum Mask<'a> {
    /// Everything.
    None,
    /// Keys up to the query's own position, the last query being the last key.
    Causal,
    /// A boolean (true: visible) or additive mask, broadcastable to `(B, H, L, S)`.
    Tensor(&'a Tensor),
}

/// `softmax(scale * q @ k.T + mask) @ v` for q `(B, H, L, D)` and k, v `(B, KV, S, D)`, `H` a multiple of `KV`.
///
/// With `softcap`, scores pass through `cap * tanh(score / cap)` before the mask (Gemma 2).
#[track_caller]
pub fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    scale: f32,
    mask: Mask<'_>,
    softcap: Option<f32>,
) -> Result<Tensor> {
    if let Some(cap) = softcap {
        return capped(q, k, v, scale, mask, cap);
    }
    if let Mask::None | Mask::Causal = mask
        && let Some(out) = cpu::attention(&q.0, &k.0, &v.0, scale, matches!(mask, Mask::Causal))
    {
        return out.map(Tensor);
    }
    let (mode, mask) = match mask {
        Mask::None => ("", None),
        Mask::Causal => ("causal", None),
        Mask::Tensor(mask) => ("array", Some(&mask.0)),
    };
    fast::scaled_dot_product_attention(&q.0, &k.0, &v.0, scale, mode, mask, None).map(Tensor)
}

fn capped(q: &Tensor, k: &Tensor, v: &Tensor, scale: f32, mask: Mask<'_>, cap: f32) -> Result<Tensor> {
    let ([b, h, l, d], [_, kv, s, _]) = (q.dims()?, k.dims()?);
    let q = (q * scale)?.reshape([b, kv, h / kv, l, d])?;
    let scores = q.matmul(&k.expand_dims([2])?.swapaxes(-1, -2)?)?; // (B, KV, H / KV, L, S)
    let scores = ((scores / cap)?.tanh()? * cap)?;
    let lowest = if scores.dtype() == Dtype::F16 { -65504.0 } else { f32::MIN };
    let scores = match mask {
        Mask::None => scores,
        Mask::Tensor(mask) => select(mask, &scores, lowest)?,
        Mask::Causal => select(&causal(l, s, None)?, &scores, lowest)?,
    };
    let out = scores.softmax(-1)?.matmul(&v.expand_dims([2])?)?;
    out.reshape([b, h, l, -1])
}
