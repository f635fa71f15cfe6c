//! Matrix products, dense and quantized.

use crate::tensor::{arrays, optional};
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

/// Which entries of the batch axes a gathered product multiplies, by number; all in order where there are none.
///
/// Both index tensors broadcast to the batch shape of the result.
#[derive(Clone, Copy, Default)]
pub struct Gather<'a> {
    /// Entries of the left side.
    pub lhs: Option<&'a Tensor>,
    /// Entries of the right side, such as the experts that each token goes to.
    pub rhs: Option<&'a Tensor>,
    /// Whether the indices ascend, which GPUs make use of.
    pub sorted: bool,
}

/// Which blocks a masked product takes: masks of one element per block of the result and of either side.
#[derive(Clone, Copy, Default)]
pub struct BlockMasks<'a> {
    /// Blocks of the result.
    pub out: Option<&'a Tensor>,
    /// Blocks of the left side.
    pub lhs: Option<&'a Tensor>,
    /// Blocks of the right side.
    pub rhs: Option<&'a Tensor>,
}

impl Gather<'_> {
    fn indices(&self) -> cpu::Indices<'_> {
        cpu::Indices { lhs: optional(self.lhs), rhs: optional(self.rhs), sorted: self.sorted }
    }
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

    /// Products summed over the last axis of both.
    #[track_caller]
    pub fn inner(&self, other: &Tensor) -> Result<Tensor> {
        ops::inner(&self.0, &other.0).map(Tensor)
    }

    /// Products summed over `axis` of both, which broadcast; the first factor is conjugated.
    #[track_caller]
    pub fn vecdot(&self, other: &Tensor, axis: i32) -> Result<Tensor> {
        ops::vecdot(&self.0, &other.0, axis).map(Tensor)
    }

    /// Products summed over pairs of axes.
    #[track_caller]
    pub fn tensordot(&self, other: &Tensor, axes: &[i32], other_axes: &[i32]) -> Result<Tensor> {
        ops::tensordot(&self.0, &other.0, axes, other_axes).map(Tensor)
    }

    /// Products summed over the last `count` axes of this and the first of the other.
    #[track_caller]
    pub fn tensordot_count(&self, other: &Tensor, count: i32) -> Result<Tensor> {
        ops::tensordot_count(&self.0, &other.0, count).map(Tensor)
    }

    /// The Kronecker product.
    #[track_caller]
    pub fn kron(&self, other: &Tensor) -> Result<Tensor> {
        ops::kron(&self.0, &other.0).map(Tensor)
    }

    /// `x[:, s0:s1] @ w[s0:s1]` for each row `(s0, s1)` of `segments` (`u32`): `(m, k)` and `(k, n)` to `(segments, m, n)`.
    #[track_caller]
    pub fn segmented_matmul(&self, w: &Tensor, segments: &Tensor) -> Result<Tensor> {
        ops::segmented_mm(&self.0, &w.0, &segments.0).map(Tensor)
    }

    /// The matrix product without the blocks that `masks` leave out.
    #[track_caller]
    pub fn block_masked_matmul(&self, w: &Tensor, block_size: i32, masks: BlockMasks<'_>) -> Result<Tensor> {
        let (out, lhs, rhs) = (optional(masks.out), optional(masks.lhs), optional(masks.rhs));
        ops::block_masked_mm(&self.0, &w.0, block_size, out, lhs, rhs).map(Tensor)
    }

    /// `x @ w.T` with both sides quantized, mode `nvfp4` or `mxfp8`: x on the fly, and w too where it has no `scales`. MLX
    /// computes it on GPUs only.
    #[track_caller]
    pub fn quantized_both_matmul(&self, w: &Tensor, scales: Option<&Tensor>, q: Quantization) -> Result<Tensor> {
        let (group, bits) = (Some(q.group_size), Some(q.bits));
        ops::qqmm(&self.0, &w.0, optional(scales), group, bits, q.mode, None, None).map(Tensor)
    }

    /// [`Tensor::quantized_both_matmul`] of the named entries.
    #[track_caller]
    pub fn gather_quantized_both_matmul(
        &self,
        w: &Tensor,
        scales: Option<&Tensor>,
        q: Quantization,
        gather: Gather<'_>,
    ) -> Result<Tensor> {
        let (cpu::Indices { lhs, rhs, sorted }, group, bits) = (gather.indices(), Some(q.group_size), Some(q.bits));
        ops::gather_qqmm(&self.0, &w.0, optional(scales), lhs, rhs, group, bits, q.mode, None, None, sorted).map(Tensor)
    }

    /// The outer product of two flattened tensors.
    #[track_caller]
    pub fn outer(&self, other: &Tensor) -> Result<Tensor> {
        ops::outer(&self.0, &other.0).map(Tensor)
    }

    /// Packed rows with their scales and, in mode `affine`, their biases.
    #[track_caller]
    pub fn quantize(&self, q: Quantization) -> Result<(Tensor, Tensor, Option<Tensor>)> {
        let parts = ops::quantize(&self.0, Some(q.group_size), Some(q.bits), q.mode, None)?;
        let mut parts = parts.into_iter().map(Tensor);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(packed), Some(scales), biases) => Ok((packed, scales, biases)),
            _ => Err(mlx_core::Error::new("[quantize] MLX returned fewer than two arrays")),
        }
    }

    /// The inverse of [`Tensor::quantize`], called on the packed rows.
    #[track_caller]
    pub fn dequantize(&self, scales: &Tensor, biases: Option<&Tensor>, q: Quantization) -> Result<Tensor> {
        ops::dequantize(&self.0, &scales.0, optional(biases), Some(q.group_size), Some(q.bits), q.mode, None, None)
            .map(Tensor)
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

    /// `x @ w` of the named entries: `(.., m, k)` with `(.., k, n)` to the shape of the indices, then `(m, n)`.
    ///
    /// On a CPU, an index out of range is an error of the evaluation.
    ///
    /// ```
    /// use mlx_ops::{Dtype, Gather, Tensor, arange};
    /// let x = Tensor::from_slice(&[1f32, 2.0], [2, 1, 1])?;
    /// let experts = arange(0.0, 3.0, 1.0, Dtype::F32)?.reshape([3, 1, 1])?;
    /// let rhs = Tensor::from_slice(&[2u32, 1], [2])?;
    /// let y = x.gather_matmul(&experts, Gather { rhs: Some(&rhs), ..Gather::default() })?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.0, 2.0]);
    /// # Ok::<(), mlx_ops::Error>(())
    /// ```
    #[track_caller]
    pub fn gather_matmul(&self, w: &Tensor, gather: Gather<'_>) -> Result<Tensor> {
        let indices = gather.indices();
        if let Some(product) = cpu::gather_matmul(&self.0, &w.0, gather.indices()) {
            return product.map(Tensor);
        }
        ops::gather_mm(&self.0, &w.0, indices.lhs, indices.rhs, indices.sorted).map(Tensor)
    }

    /// [`Tensor::gather_matmul`] with `w` packed by [`Tensor::quantize`]: `x @ w.T` where `transpose`, else `x @ w`.
    #[track_caller]
    pub fn gather_quantized_matmul(
        &self,
        w: &Tensor,
        scales: &Tensor,
        biases: Option<&Tensor>,
        transpose: bool,
        q: Quantization,
        gather: Gather<'_>,
    ) -> Result<Tensor> {
        let indices = gather.indices();
        if transpose {
            if indices.lhs.is_none() && indices.rhs.is_none() {
                return self.quantized_matmul(w, scales, biases, q);
            }
            let biases = optional(biases);
            if let Some(product) = cpu::gather_quantized_matmul(&self.0, &w.0, &scales.0, biases, q, gather.indices()) {
                return product.map(Tensor);
            }
        }
        let (Gather { sorted, .. }, group, bits) = (gather, Some(q.group_size), Some(q.bits));
        let (x, w, scales, biases) = (&self.0, &w.0, &scales.0, optional(biases));
        ops::gather_qmm(x, w, scales, biases, indices.lhs, indices.rhs, transpose, group, bits, q.mode, None, sorted)
            .map(Tensor)
    }
}

/// `beta * c + alpha * (a @ b)`.
#[track_caller]
pub fn addmm(c: &Tensor, a: &Tensor, b: &Tensor, alpha: f32, beta: f32) -> Result<Tensor> {
    ops::addmm(&c.0, &a.0, &b.0, alpha, beta).map(Tensor)
}

/// The sum of products that `subscripts` describes.
///
/// ```
/// use mlx_ops::{Dtype, einsum, ones};
/// let (a, b) = (ones([2, 3], Dtype::F32)?, ones([3, 4], Dtype::F32)?);
/// let c = einsum("ij,jk->ki", &[a, b])?;
/// assert_eq!(c.shape(), [4, 2]);
/// assert_eq!(c.to_vec::<f32>()?, [3.0; 8]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn einsum(subscripts: &str, operands: &[Tensor]) -> Result<Tensor> {
    mlx_core::einsum(subscripts, arrays(operands)).map(Tensor)
}

/// The order in which [`einsum`] multiplies: for each step the places of the operands that it takes from the list, putting
/// the product at its end; and MLX's table of the costs.
#[track_caller]
pub fn einsum_path(subscripts: &str, operands: &[Tensor]) -> Result<(Vec<Vec<usize>>, String)> {
    mlx_core::einsum_path(subscripts, arrays(operands))
}
