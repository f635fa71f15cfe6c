//! The fused operations of `mlx.core.fast`.

use crate::tensor::optional;
use crate::{Tensor, cpu};
use mlx_core::{Result, fast};

pub use crate::attention::{Attention, Mask, attention, causal};

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
    if let Some(normal) = cpu::layer_norm(&x.0, optional(weight), optional(bias), eps) {
        return normal.map(Tensor);
    }
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
