//! The one entry to attention.

use crate::Result;
use crate::cache::Visible;
use mlx_ops::fast::{self, Mask};
use mlx_ops::{Dtype, Tensor, arange, select};

/// `softmax(scale * q @ k.T) @ v` under a mask for q `(B, H, L, D)` and k, v `(B, KV, S, D)`.
///
/// With `softcap`, scores pass through `cap * tanh(score / cap)` first (Gemma 2), which no fused kernel does.
pub fn attend(q: &Tensor, k: &Tensor, v: &Tensor, scale: f32, softcap: Option<f32>, mask: &Visible) -> Result<Tensor> {
    let Some(cap) = softcap else {
        let mask = match mask {
            Visible::All => Mask::None,
            Visible::Causal => Mask::Causal,
            Visible::Masked(mask) => Mask::Tensor(mask),
        };
        return Ok(fast::attention(q, k, v, scale, mask)?);
    };
    let ([b, h, l, d], [_, kv, s, _]) = (q.dims()?, k.dims()?);
    let q = (q * scale)?.reshape([b, kv, h / kv, l, d])?;
    let scores = q.matmul(&k.expand_dims([2])?.swapaxes(-1, -2)?)?; // (B, KV, H / KV, L, S)
    let scores = ((scores / cap)?.tanh()? * cap)?;
    let scores = match mask {
        Visible::All => scores,
        Visible::Masked(mask) => select(mask, &scores, lowest(scores.dtype()))?,
        Visible::Causal => select(&causal(l, s, None)?, &scores, lowest(scores.dtype()))?,
    };
    let out = scores.softmax(-1)?.matmul(&v.expand_dims([2])?)?;
    Ok(out.reshape([b, h, l, -1])?)
}

/// Which of `s` keys the last `l` positions may see, `(L, S)`: themselves and what is before, within `window` if given.
pub(crate) fn causal(l: i32, s: i32, window: Option<i32>) -> Result<Tensor> {
    let keys = arange(0.0, f64::from(s), 1.0, Dtype::I32)?;
    let queries = arange(f64::from(s - l), f64::from(s), 1.0, Dtype::I32)?.expand_dims([1])?;
    let before = queries.greater_equal(&keys)?;
    Ok(match window {
        Some(window) => before.logical_and(queries.less(keys + window)?)?,
        None => before,
    })
}

fn lowest(dtype: Dtype) -> f32 {
    match dtype {
        Dtype::F16 => -65504.0,
        _ => f32::MIN,
    }
}
