//! Normalisation of the last axis.

use crate::{Result, Weights};
use mlx_ops::{Tensor, fast};

/// Which normalisation a model uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// Root mean square, times the weight.
    Rms,
    /// Root mean square, times one plus the weight (Gemma).
    RmsPlusOne,
    /// Mean and variance, times the weight, plus the bias.
    Layer,
    /// The same without a bias (ModernBERT).
    LayerUnbiased,
}

/// A normalisation layer.
pub struct Norm {
    weight: Tensor,
    bias: Option<Tensor>,
    mean: bool,
    eps: f32,
}

impl Norm {
    /// The layer at `name` over `dims` features.
    pub fn new(w: &Weights, name: &str, dims: i32, kind: NormKind, eps: f32) -> Result<Self> {
        let w = w.at(name);
        // The names of BERT's first checkpoints.
        let [scale, shift] = if w.has("gamma") { ["gamma", "beta"] } else { ["weight", "bias"] };
        let weight = w.take(scale, &[dims])?;
        let weight = if kind == NormKind::RmsPlusOne { (1.0 + &weight)? } else { weight };
        let mean = matches!(kind, NormKind::Layer | NormKind::LayerUnbiased);
        let bias = (kind == NormKind::Layer).then(|| w.take(shift, &[dims])).transpose()?;
        Ok(Self { weight, bias, mean, eps })
    }

    /// The weight and epsilon of a root-mean-square norm.
    pub fn rms(&self) -> Option<(&Tensor, f32)> {
        (!self.mean).then_some((&self.weight, self.eps))
    }

    /// Normalises `(.., dims)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(match self.mean {
            true => fast::layer_norm(x, Some(&self.weight), self.bias.as_ref(), self.eps)?,
            false => fast::rms_norm(x, Some(&self.weight), self.eps)?,
        })
    }
}
