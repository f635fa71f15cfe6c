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
        let weight = w.take("weight", &[dims])?;
        let weight = if kind == NormKind::RmsPlusOne { (1.0 + &weight)? } else { weight };
        let mean = kind == NormKind::Layer;
        let bias = mean.then(|| w.take("bias", &[dims])).transpose()?;
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
