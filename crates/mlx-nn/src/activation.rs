//! Activations of feed-forward layers.

use crate::Result;
use mlx_ops::{Tensor, fast};

/// The function on the gate of a gated feed-forward layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(x)`.
    Silu,
    /// The tanh approximation of GELU.
    GeluTanh,
}

impl Activation {
    /// `activation(gate) * up`.
    pub fn gate(self, gate: &Tensor, up: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Silu => fast::swiglu(gate, up)?,
            Self::GeluTanh => (self.forward(gate)? * up)?,
        })
    }

    /// The activation of each element.
    pub fn forward(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Silu => (x * x.sigmoid()?)?,
            Self::GeluTanh => {
                const SQRT_2_OVER_PI: f32 = 0.797_884_6;
                let cubic = (((x * x)? * x)? * 0.044715)?;
                let inner = ((x + cubic)? * SQRT_2_OVER_PI)?;
                ((x * 0.5)? * (inner.tanh()? + 1.0)?)?
            }
        })
    }
}
