//! Linear layers and embeddings over dense or packed matrices.

use crate::{Norm, Result, Weights};
use mlx_ops::{Activation, Dtype, Matrix, Projection, Tensor, concatenate};

/// `x @ w.T + bias`, with `w` dense or packed.
pub struct Linear {
    matrix: Matrix,
    bias: Option<Tensor>,
}

/// What stands around a linear layer, so that all of it can be one pass.
#[derive(Clone, Copy, Default)]
pub struct Around<'a> {
    /// Normalises the input.
    pub norm: Option<&'a Norm>,
    /// Makes `activation(first half) * second half` of the output.
    pub gate: Option<Activation>,
    /// Is applied to each element of the output, where there is no gate.
    pub activation: Option<Activation>,
    /// Normalises the output.
    pub after: Option<&'a Norm>,
    /// Is added at the end.
    pub residual: Option<&'a Tensor>,
}

impl Linear {
    /// A layer over a matrix of shape `(out, in)` and an optional bias of shape `(out,)`.
    pub fn new(matrix: Matrix, bias: Option<Tensor>) -> Self {
        Self { matrix, bias }
    }

    /// `(.., in)` to `(.., out)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.forward_with(x, Around::default())
    }

    /// The layer with its surroundings, `(.., in)` to `(.., out)`, or half of that with a gate.
    pub fn forward_with(&self, x: &Tensor, around: Around<'_>) -> Result<Tensor> {
        let Around { norm, gate, activation, after, residual } = around;
        // A norm that is no root mean square stands apart.
        let (before, norm) = apart(norm);
        let (behind, after) = apart(after);
        let normal = before.map(|norm| norm.forward(x)).transpose()?;
        let inner = if behind.is_some() { None } else { residual };
        let bias = self.bias.as_ref();
        let p = Projection { matrix: &self.matrix, bias, norm, gate, activation, after, residual: inner };
        let y = p.forward(normal.as_ref().unwrap_or(x))?;
        let Some(norm) = behind else { return Ok(y) };
        let y = norm.forward(&y)?;
        Ok(match residual {
            Some(residual) => (residual + y)?,
            None => y,
        })
    }
}

type Rms<'a> = Option<(&'a Tensor, f32)>;

fn apart(norm: Option<&Norm>) -> (Option<&Norm>, Rms<'_>) {
    match norm.map(|norm| (norm, norm.rms())) {
        Some((_, Some(rms))) => (None, Some(rms)),
        Some((norm, None)) => (Some(norm), None),
        None => (None, None),
    }
}

/// Projections of the same input: one matrix, unless the checkpoint packs them differently.
pub(crate) enum Projections {
    Joined(Linear),
    Apart(Vec<Linear>),
}

impl Projections {
    /// The projection `fused` that the checkpoint holds as one matrix, or those of `names`.
    pub(crate) fn new(
        w: &Weights,
        fused: Option<&str>,
        names: &[&str],
        inputs: i32,
        outputs: &[i32],
        bias: bool,
    ) -> Result<Self> {
        if let Some(name) = fused {
            return Ok(Self::Joined(w.linear(name, inputs, outputs.iter().sum(), bias)?));
        }
        let mut layers = w.joined(names, inputs, outputs, bias)?;
        Ok(match layers.len() {
            1 => Self::Joined(layers.remove(0)),
            _ => Self::Apart(layers),
        })
    }

    /// The projections side by side; with a gate, the gated one.
    pub(crate) fn forward(&self, x: &Tensor, norm: Option<&Norm>, gate: Option<Activation>) -> Result<Tensor> {
        let layers = match self {
            Self::Joined(layer) => return layer.forward_with(x, Around { norm, gate, ..Around::default() }),
            Self::Apart(layers) => layers,
        };
        let normal = norm.map(|norm| norm.forward(x)).transpose()?;
        let x = normal.as_ref().unwrap_or(x);
        let parts: Vec<Tensor> = layers.iter().map(|layer| layer.forward(x)).collect::<Result<_>>()?;
        Ok(match (gate, &parts[..]) {
            (Some(activation), [gate, up]) => activation.gate(gate, up)?,
            _ => concatenate(&parts, -1)?,
        })
    }
}

/// A table of rows looked up by id, dense or packed.
pub struct Embedding {
    matrix: Matrix,
    dtype: Dtype,
}

impl Embedding {
    /// A table over a matrix of shape `(entries, dims)`, whose rows come out as `dtype`.
    pub fn new(matrix: Matrix, dtype: Dtype) -> Self {
        Self { matrix, dtype }
    }

    /// Ids of shape `(..)` to rows of shape `(.., dims)`. Ids are not checked here.
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        Ok(self.matrix.rows(ids, self.dtype)?)
    }

    /// The output layer that shares these rows, with a bias of shape `(entries,)` or without.
    pub fn tied(&self, bias: Option<Tensor>) -> Linear {
        Linear::new(self.matrix.clone(), bias)
    }
}
