//! Attention: what models ask for, and how MLX's ops answer where no kernel of ours does.

use crate::tensor::optional;
use crate::{Tensor, arange, concatenate, cpu, full, select};
use mlx_core::{Dtype, Error, Result, fast};

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

/// How [`attention`] weighs keys: `Attention { mask: Mask::Causal, ..Attention::new(scale) }`.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// What scores are multiplied with, mostly `1 / sqrt(D)`.
    pub scale: f32,
    /// What queries may see.
    pub mask: Mask<'a>,
    /// A query sees no key after its own position and only so many up to it, the last query being the last key; at least 1.
    pub window: Option<i32>,
    /// Scores become `cap * tanh(score / cap)` before the mask (Gemma 2).
    pub softcap: Option<f32>,
    /// A score for each of the `H` heads that takes part in the softmax but has no value (gpt-oss).
    pub sinks: Option<&'a Tensor>,
}

impl Attention<'_> {
    /// Every query sees every key.
    pub fn new(scale: f32) -> Self {
        Self { scale, mask: Mask::None, window: None, softcap: None, sinks: None }
    }
}

/// `softmax(scale * q @ k.T + mask) @ v` for q `(B, H, L, D)` and k, v `(B, KV, S, D)`, `H` a multiple of `KV`.
///
/// A query that a boolean mask hides every key from takes the mean of the values; an additive mask of -inf gives NaN.
#[track_caller]
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, how: &Attention<'_>) -> Result<Tensor> {
    if let [_, 0, ..] = k.shape() {
        return Err(Error::new(format!("[attention] keys of shape {:?} have no heads", k.shape())));
    }
    if let Some(window) = how.window.filter(|&window| window < 1) {
        return Err(Error::new(format!("[attention] a window has at least 1 position, not {window}")));
    }
    if let Some(out) = cpu::attention(&q.0, &k.0, &v.0, how) {
        return out.map(Tensor);
    }
    by_ops(q, k, v, how)
}

/// Which of `s` keys the last `l` positions may see, `(L, S)`: themselves and what is before, within `window` if given.
#[track_caller]
pub fn causal(l: i32, s: i32, window: Option<i32>) -> Result<Tensor> {
    let keys = arange(0.0, f64::from(s), 1.0, Dtype::I32)?;
    let queries = arange(f64::from(s - l), f64::from(s), 1.0, Dtype::I32)?.expand_dims([1])?;
    let before = queries.greater_equal(&keys)?;
    Ok(match window {
        Some(window) => before.logical_and(queries.less(keys + window)?)?,
        None => before,
    })
}

/// [`attention`] by MLX's ops: its fused one, unless there is a softcap, which that does not know.
#[track_caller]
pub(crate) fn by_ops(q: &Tensor, k: &Tensor, v: &Tensor, how: &Attention<'_>) -> Result<Tensor> {
    let (l, s) = (q.dim(-2)?, k.dim(-2)?);
    let built = match (how.mask, how.window) {
        (Mask::Tensor(mask), Some(window)) => Some(windowed(mask, &causal(l, s, Some(window))?, q.dtype())?),
        (_, Some(window)) => Some(causal(l, s, Some(window))?),
        (Mask::Causal, None) if how.softcap.is_some() => Some(causal(l, s, None)?),
        _ => None,
    };
    let mask = built.as_ref().map_or(how.mask, Mask::Tensor);
    if let Some(cap) = how.softcap {
        return capped(q, k, v, cap, mask, how);
    }
    let (mode, mask) = match mask {
        Mask::None => ("", None),
        Mask::Causal => ("causal", None),
        Mask::Tensor(mask) => ("array", Some(&mask.0)),
    };
    fast::scaled_dot_product_attention(&q.0, &k.0, &v.0, how.scale, mode, mask, optional(how.sinks)).map(Tensor)
}

/// An additive mask: `mask`, and -inf outside of the window.
fn windowed(mask: &Tensor, window: &Tensor, dtype: Dtype) -> Result<Tensor> {
    let added = match mask.dtype() {
        Dtype::Bool => select(mask, &Tensor::scalar(0.0, dtype)?, lowest(dtype))?,
        _ => mask.clone(),
    };
    select(window, &added, f32::NEG_INFINITY)
}

/// Attention of which scores are capped, op by op.
fn capped(q: &Tensor, k: &Tensor, v: &Tensor, cap: f32, mask: Mask<'_>, how: &Attention<'_>) -> Result<Tensor> {
    let ([b, h, l, d], [_, kv, _, _]) = (q.dims()?, k.dims()?);
    let q = (q * how.scale)?.reshape([b, kv, h / kv, l, d])?;
    let scores = q.matmul(&k.expand_dims([2])?.swapaxes(-1, -2)?)?; // (B, KV, H / KV, L, S)
    let mut scores = ((scores / cap)?.tanh()? * cap)?;
    if let Mask::Tensor(mask) = mask {
        let mask = match mask.shape() {
            [.., 1, _, _] => mask.expand_dims([-3])?,
            [.., _, _, _] => mask.unflatten(-3, [kv, h / kv])?,
            _ => mask.clone(),
        };
        scores = match mask.dtype() {
            Dtype::Bool => select(&mask, &scores, lowest(scores.dtype()))?,
            _ => (&scores + mask.astype(scores.dtype())?)?,
        };
    }
    if let Some(sinks) = how.sinks {
        let sinks = sinks.astype(scores.dtype())?.reshape([1, kv, h / kv, 1, 1])?;
        let sinks = (full([b, kv, h / kv, l, 1], 0.0, scores.dtype())? + sinks)?;
        scores = concatenate(&[scores, sinks], -1)?;
    }
    let mut weights = scores.softmax(-1)?;
    if how.sinks.is_some() {
        weights = weights.i((.., .., .., .., ..-1))?;
    }
    weights.matmul(&v.expand_dims([2])?)?.reshape([b, h, l, -1])
}

fn lowest(dtype: Dtype) -> f32 {
    match dtype {
        Dtype::F16 => -65504.0,
        Dtype::Bf16 => -3.389_531_4e38,
        _ => f32::MIN,
    }
}
