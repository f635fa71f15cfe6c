//! Linear layers and embeddings over dense or packed matrices.

use crate::{Norm, Result};
use mlx_ops::{Activation, Dtype, Matrix, Projection, Tensor};

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
        let Around { norm, gate, after, residual } = around;
        // A norm that is no root mean square stands apart.
        let (before, norm) = apart(norm);
        let (behind, after) = apart(after);
        let normal = before.map(|norm| norm.forward(x)).transpose()?;
        let inner = if behind.is_some() { None } else { residual };
        let p = Projection { matrix: &self.matrix, bias: self.bias.as_ref(), norm, gate, after, residual: inner };
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

    /// The output layer that shares these rows.
    pub fn tied(&self) -> Linear {
        Linear::new(self.matrix.clone(), None)
    }
}
