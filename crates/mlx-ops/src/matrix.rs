//! Matrix products, dense and quantized.

use crate::tensor::optional;
use crate::{Tensor, cpu};
use mlx_core::{Result, ops};

/// How a matrix is packed: `bits` per element in groups of `group_size` along the last axis.
///
/// The mode is MLX's: `affine` (a scale and a bias per group), `mxfp4`, `mxfp8` or `nvfp4` (a scale alone).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantization {
    /// Elements that share a scale.
    pub group_size: i32,
    /// Bits per element.
    pub bits: i32,
    /// MLX's name of the format.
    pub mode: &'static str,
}

impl Tensor {
    /// The matrix product of the last two axes; leading axes broadcast.
    #[track_caller]
    pub fn matmul(&self, other: &Tensor) -> Result<Tensor> {
        ops::matmul(&self.0, &other.0).map(Tensor)
    }

    /// `x @ w.T` for weights `w` of shape `(out, in)`.
    ///
    /// On the CPU, one matrix of f16 or bf16 stays as it is in memory: sums are f32, rounded once where `x` has the dtype of
    /// `w`. Everything else is [`Tensor::matmul`].
    ///
    /// ```
    /// use mlx_ops::{Dtype, Tensor};
    /// let x = Tensor::from_slice(&[1f32, 2.0], [1, 2])?;
    /// let w = Tensor::from_slice(&[1f32, 0.0, 0.0, 1.0, 3.0, -1.0], [3, 2])?;
    /// assert_eq!(x.linear(&w)?.to_vec::<f32>()?, [1.0, 2.0, 1.0]);
    /// assert_eq!(x.linear(&w.astype(Dtype::F16)?)?.to_vec::<f32>()?, [1.0, 2.0, 1.0]);
    /// # Ok::<(), mlx_ops::Error>(())
    /// ```
    #[track_caller]
    pub fn linear(&self, w: &Tensor) -> Result<Tensor> {
        if let Some(product) = cpu::linear16(&self.0, &w.0) {
            return product.map(Tensor);
        }
        ops::matmul(&self.0, &ops::swapaxes(&w.0, -2, -1)?).map(Tensor)
    }

    /// The outer product of two flattened tensors.
    #[track_caller]
    pub fn outer(&self, other: &Tensor) -> Result<Tensor> {
        ops::outer(&self.0, &other.0).map(Tensor)
    }

    /// Packed rows with their scales and, in mode `affine`, their biases.
    #[track_caller]
    pub fn quantize(&self, q: Quantization) -> Result<(Tensor, Tensor, Option<Tensor>)> {
        let parts = ops::quantize(&self.0, Some(q.group_size), Some(q.bits), q.mode)?;
        let mut parts = parts.into_iter().map(Tensor);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(packed), Some(scales), biases) => Ok((packed, scales, biases)),
            _ => Err(mlx_core::Error::new("[quantize] MLX returned fewer than two arrays")),
        }
    }

    /// The inverse of [`Tensor::quantize`], called on the packed rows.
    #[track_caller]
    pub fn dequantize(&self, scales: &Tensor, biases: Option<&Tensor>, q: Quantization) -> Result<Tensor> {
        ops::dequantize(&self.0, &scales.0, optional(biases), Some(q.group_size), Some(q.bits), q.mode).map(Tensor)
    }

    /// `x @ w.T` with `w` of shape `(out, in)` packed by [`Tensor::quantize`].
    #[track_caller]
    pub fn quantized_matmul(
        &self,
        w: &Tensor,
        scales: &Tensor,
        biases: Option<&Tensor>,
        q: Quantization,
    ) -> Result<Tensor> {
        if let Some(product) = cpu::quantized_matmul(&self.0, &w.0, &scales.0, optional(biases), q) {
            return product.map(Tensor);
        }
        let (group, bits) = (Some(q.group_size), Some(q.bits));
        ops::quantized_matmul(&self.0, &w.0, &scales.0, optional(biases), true, group, bits, q.mode).map(Tensor)
    }
}

/// `c + a @ b`.
#[track_caller]
pub fn addmm(c: &Tensor, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    ops::addmm(&c.0, &a.0, &b.0, 1.0, 1.0).map(Tensor)
}
