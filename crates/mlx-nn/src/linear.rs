//! Linear layers and embeddings over dense or packed matrices.

use crate::Result;
use crate::weights::Matrix;
use mlx_ops::{Tensor, addmm};

/// `x @ w.T + bias`, with `w` dense or packed.
pub struct Linear {
    matrix: Matrix,
    bias: Option<Tensor>,
}

impl Linear {
    /// A layer over a matrix of shape `(out, in)` and an optional bias of shape `(out,)`.
    pub fn new(matrix: Matrix, bias: Option<Tensor>) -> Result<Self> {
        // A dense product takes the transposed view, made once.
        let matrix = match matrix {
            Matrix::Dense(weight) => Matrix::Dense(weight.t()?),
            packed => packed,
        };
        Ok(Self { matrix, bias })
    }

    /// `(.., in)` to `(.., out)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = match (&self.matrix, &self.bias) {
            (Matrix::Dense(weight), None) => return Ok(x.matmul(weight)?),
            (Matrix::Dense(weight), Some(bias)) => return Ok(addmm(bias, x, weight)?),
            (Matrix::Packed { weight, scales, biases, q }, _) => {
                x.quantized_matmul(weight, scales, biases.as_ref(), *q)?
            }
        };
        Ok(match &self.bias {
            Some(bias) => (y + bias)?,
            None => y,
        })
    }
}

/// A table of rows looked up by id, dense or packed.
pub struct Embedding {
    matrix: Matrix,
}

impl Embedding {
    /// A table over a matrix of shape `(entries, dims)`.
    pub fn new(matrix: Matrix) -> Self {
        Self { matrix }
    }

    /// Ids of shape `(..)` to rows of shape `(.., dims)`. Ids are not checked here.
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        Ok(match &self.matrix {
            Matrix::Dense(weight) => weight.take(ids, 0)?,
            Matrix::Packed { weight, scales, biases, q } => {
                let biases = biases.as_ref().map(|biases| biases.take(ids, 0)).transpose()?;
                weight.take(ids, 0)?.dequantize(&scales.take(ids, 0)?, biases.as_ref(), *q)?
            }
        })
    }

    /// The output layer that shares these rows.
    pub fn tied(&self) -> Result<Linear> {
        Linear::new(self.matrix.clone(), None)
    }
}
