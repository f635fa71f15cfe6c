//! Activations of feed-forward layers.

use crate::{Tensor, cpu};
use mlx_core::Result;

/// The function on the gate of a gated feed-forward layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(x)`.
    Silu,
    /// The tanh approximation of GELU.
    GeluTanh,
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
        }
    }
}
