//! The fused operations of `mlx.core.fast`.

use crate::tensor::optional;
use crate::{Tensor, cpu};
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

/// `gate * sigmoid(gate) * x`, the gated activation of most feed-forward layers.
#[track_caller]
pub fn swiglu(gate: &Tensor, x: &Tensor) -> Result<Tensor> {
    if let Some(out) = cpu::swiglu(&gate.0, &x.0) {
        return out.map(Tensor);
    }
    (gate * gate.sigmoid()?)? * x
}

/// Where rotary frequencies come from.
#[derive(Clone, Copy, Debug)]
pub enum Frequencies<'a> {
    /// Powers of a base such as 10,000.
    Base(f32),
    /// One wavelength over 2 pi per pair of features, shape `(dims / 2,)`, f32.
    Table(&'a Tensor),
}

/// Rotary positions on the first `dims` features of `(.., L, D)`, from position `offset`, scaled by `scale`;
/// `traditional` rotates neighbours instead of halves.
#[track_caller]
pub fn rope(x: &Tensor, dims: i32, traditional: bool, f: Frequencies<'_>, scale: f32, offset: i32) -> Result<Tensor> {
    let (base, table) = match f {
        Frequencies::Base(base) => (Some(base), None),
        Frequencies::Table(table) => (None, Some(&table.0)),
    };
    if let Some(turned) = (cpu::Rope { dims, traditional, base, scale, offset }).apply(&x.0, table) {
        return turned.map(Tensor);
    }
    fast::rope(&x.0, dims, traditional, base, scale, offset, table).map(Tensor)
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
#[track_caller]
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, scale: f32, mask: Mask<'_>) -> Result<Tensor> {
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
