//! The fused operations of `mlx.core.fast`.

use crate::tensor::optional;
use crate::{Tensor, cpu};
use mlx_core::{Result, fast};

pub use crate::attention::{Attention, Mask, attention, causal};
pub use crate::rotation::{Frequencies, Rotation, rope};

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
