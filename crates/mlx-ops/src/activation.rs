//! Activations of feed-forward layers.

use crate::{Tensor, cpu};
use mlx_core::Result;

/// The function inside a feed-forward layer, on its gate where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(x)`.
    Silu,
    /// The tanh approximation of GELU.
    GeluTanh,
    /// `x` times the normal distribution's probability of less than `x`.
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    /// `activation(gate) * x`.
    #[track_caller]
    pub fn gate(self, gate: &Tensor, x: &Tensor) -> Result<Tensor> {
        match cpu::gated(self, &gate.0, &x.0) {
            Some(out) => out.map(Tensor),
            None => self.forward(gate)? * x,
        }
    }

    /// The activation of each element.
    #[track_caller]
    pub fn forward(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Silu => x * x.sigmoid()?,
            Self::GeluTanh => {
                const SQRT_2_OVER_PI: f32 = 0.797_884_6;
                let cubic = (((x * x)? * x)? * 0.044715)?;
                let inner = ((x + cubic)? * SQRT_2_OVER_PI)?;
                (x * 0.5)? * (inner.tanh()? + 1.0)?
            }
            Self::Gelu => (x * 0.5)? * ((x * std::f32::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)?,
            Self::Relu => x.maximum(0.0),
        }
    }
}
