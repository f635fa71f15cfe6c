//! The vectors of texts.

use mlx_nn::{Error, Result};
use mlx_ops::Tensor;

/// A vector of f32 for each text, in the order of the texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    values: Vec<f32>,
    dims: usize,
}

impl Embeddings {
    /// Rows of `dims` numbers, one after the other. An error if they do not divide into such rows.
    pub fn new(values: Vec<f32>, dims: usize) -> Result<Self> {
        match dims > 0 && values.len().is_multiple_of(dims) {
            true => Ok(Self { values, dims }),
            false => Err(Error::msg(format!("{} numbers are no rows of {dims}.", values.len()))),
        }
    }

    /// How many vectors there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.dims
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Numbers of each vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The vector of text `i`. Panics where there is no such text.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.dims..(i + 1) * self.dims]
    }

    /// The vectors in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.dims)
    }

    /// All numbers, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The vectors as a tensor `(texts, dims)`, f32.
    pub fn tensor(&self) -> Result<Tensor> {
        Ok(Tensor::from_slice(&self.values, [self.len() as i32, self.dims as i32])?)
    }
}
