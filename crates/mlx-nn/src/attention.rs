//! The one entry to attention.

use crate::Result;
use crate::cache::Visible;
use mlx_ops::Tensor;
use mlx_ops::fast::{self, Attention, Mask};

pub(crate) use mlx_ops::fast::causal;

/// `softmax(scale * q @ k.T) @ v` under a mask for q `(B, H, L, D)` and k, v `(B, KV, S, D)`.
///
/// With `softcap`, scores pass through `cap * tanh(score / cap)` first (Gemma 2).
pub fn attend(q: &Tensor, k: &Tensor, v: &Tensor, scale: f32, softcap: Option<f32>, mask: &Visible) -> Result<Tensor> {
    let mask = match mask {
        Visible::All => Mask::None,
        Visible::Causal => Mask::Causal,
        Visible::Masked(mask) => Mask::Tensor(mask),
    };
    Ok(fast::attention(q, k, v, &Attention { mask, softcap, ..Attention::new(scale) })?)
}
