//! Functions of single numbers that models name in their files.

use crate::Result;
use mlx_ops::{Activation, Tensor};

/// A function that is applied to each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The element itself.
    Identity,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// One that layers know too.
    Of(Activation),
}

impl Function {
    /// The names that [`Function::of_class`] knows.
    pub const CLASSES: &str = "Identity, Tanh, Sigmoid, ReLU, GELU or SiLU";

    /// The function of a class of PyTorch, given by its path, such as `torch.nn.modules.activation.Tanh`.
    pub fn of_class(path: &str) -> Option<Self> {
        Some(match path.rsplit('.').next().unwrap_or(path) {
            "Identity" => Self::Identity,
            "Tanh" => Self::Tanh,
            "Sigmoid" => Self::Sigmoid,
            "ReLU" => Self::Of(Activation::Relu),
            "GELU" => Self::Of(Activation::Gelu),
            "SiLU" => Self::Of(Activation::Silu),
            _ => return None,
        })
    }

    /// The function of each element.
    pub fn forward(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Identity => x.clone(),
            Self::Tanh => x.tanh()?,
            Self::Sigmoid => x.sigmoid()?,
            Self::Of(activation) => activation.forward(x)?,
        })
    }
}
