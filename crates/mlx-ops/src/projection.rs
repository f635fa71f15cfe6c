//! A linear layer with what models put around it, in one pass where the CPU has a kernel for it.

use crate::{Activation, Dtype, Quantization, Tensor, addmm, concatenate, cpu, fast, zeros};
use mlx_core::Result;

/// A matrix that multiplies rows of activations, dense or packed.
#[derive(Clone)]
pub enum Matrix {
    /// One number an element.
    Dense {
        /// Shape `(out, in)`.
        weight: Tensor,
        /// The transposed view, made once.
        transposed: Tensor,
    },
    /// Rows packed along `in`, with scales and, in mode `affine`, biases per group.
    Packed {
        /// Shape `(out, in * bits / 32)`, u32.
        weight: Tensor,
        /// Shape `(out, in / group_size)`.
        scales: Tensor,
        /// Shape `(out, in / group_size)`.
        biases: Option<Tensor>,
        /// How the rows are packed.
        q: Quantization,
    },
    /// One number an element, in the order in which the CPU's kernels read them: see [`Matrix::paneled`].
    Paneled {
        /// Rows of the matrix as columns: `(panels, in, width)`, or `(panels, in / 2, width, 2)` where kernels multiply two
        /// neighbours at a time.
        panels: Tensor,
        /// Rows of the matrix.
        outputs: i32,
    },
}

/// How a [paneled](Matrix::paneled) matrix is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// As its numbers are.
    Exact,
    /// Rounded to bfloat16 on both sides, with sums in f32, where the processor has an instruction for that; else as
    /// [`Sums::Exact`].
    Bf16,
}

impl Matrix {
    /// The matrix of a weight of shape `(out, in)`.
    pub fn dense(weight: Tensor) -> Result<Self> {
        Ok(Self::Dense { transposed: weight.t()?, weight })
    }

    /// A dense matrix in the order in which the CPU's kernels read it, which is packed anew for every product otherwise; other
    /// matrices, and all elsewhere, stay as they are. It pays where products mostly have more than a few rows.
    ///
    /// ```
    /// use mlx_ops::{Matrix, Sums, Tensor};
    /// let w = Matrix::dense(Tensor::from_slice(&[1f32, 0.0, 0.0, 1.0, 3.0, -1.0], [3, 2])?)?.paneled(Sums::Exact)?;
    /// let x = Tensor::from_slice(&[1f32, 2.0], [1, 2])?;
    /// assert_eq!(w.product(&x)?.to_vec::<f32>()?, [1.0, 2.0, 1.0]);
    /// # Ok::<(), mlx_ops::Error>(())
    /// ```
    pub fn paneled(self, sums: Sums) -> Result<Self> {
        let Self::Dense { weight, .. } = &self else { return Ok(self) };
        let Some(width) = cpu::panel_width() else { return Ok(self) };
        let &[outputs, inner] = weight.shape() else { return Ok(self) };
        let behind = (width - outputs % width) % width;
        let columns = |weight: &Tensor| match behind {
            0 => Ok(weight.clone()),
            _ => concatenate(&[weight.clone(), zeros([behind, inner], weight.dtype())?], 0),
        };
        let panels = match sums {
            Sums::Bf16 if cpu::multiplies_pairs(inner) => {
                let columns = columns(&weight.astype(Dtype::Bf16)?)?;
                columns.reshape([-1, width, inner / 2, 2])?.transpose([0, 2, 1, 3])?
            }
            _ => columns(weight)?.reshape([-1, width, inner])?.transpose([0, 2, 1])?,
        };
        Ok(Self::Paneled { panels: panels.contiguous()?, outputs })
    }

    /// The dense matrix `(out, in)` that panels hold.
    pub(crate) fn unpaneled(panels: &Tensor, outputs: i32) -> Result<Tensor> {
        let rows = match panels.ndim() {
            4 => panels.transpose([0, 2, 1, 3])?,
            _ => panels.transpose([0, 2, 1])?,
        };
        let inner: i32 = rows.shape()[2..].iter().product();
        rows.reshape([-1, inner])?.i(..outputs)
    }

    /// Whether products of f32 rows with a 16-bit matrix, or with 16-bit scales, read it as it is: on the CPU, where kernels
    /// widen in registers. Elsewhere MLX would widen all of it on every call.
    pub fn widens_in_products() -> bool {
        cpu::is_current()
    }

    /// The rows of several matrices, one after the other; `None` where they are not of one kind.
    pub fn joined(matrices: &[Matrix]) -> Result<Option<Matrix>> {
        let all = |part: fn(&Matrix) -> Option<&Tensor>| -> Result<Option<Tensor>> {
            let parts: Option<Vec<Tensor>> = matrices.iter().map(|m| part(m).cloned()).collect();
            parts.map(|parts| concatenate(&parts, 0)).transpose()
        };
        let kind = |m: &Matrix| match m {
            Self::Dense { weight, .. } => (weight.dtype(), None),
            Self::Packed { scales, q, .. } => (scales.dtype(), Some(*q)),
            Self::Paneled { panels, .. } => (panels.dtype(), None),
        };
        let joins = |m: &Matrix| !matches!(m, Self::Paneled { .. });
        if matrices.is_empty() || !matrices.iter().all(joins) || matrices.iter().any(|m| kind(m) != kind(&matrices[0]))
        {
            return Ok(None);
        }
        let Some(weight) = all(|m| Some(m.weight()))? else { return Ok(None) };
        let Self::Packed { q, .. } = matrices[0] else { return Self::dense(weight).map(Some) };
        let Some(scales) = all(Self::scales)? else { return Ok(None) };
        Ok(Some(Self::Packed { weight, scales, biases: all(Self::biases)?, q }))
    }

    fn weight(&self) -> &Tensor {
        match self {
            Self::Dense { weight, .. } | Self::Packed { weight, .. } => weight,
            Self::Paneled { panels, .. } => panels,
        }
    }

    fn scales(&self) -> Option<&Tensor> {
        match self {
            Self::Dense { .. } | Self::Paneled { .. } => None,
            Self::Packed { scales, .. } => Some(scales),
        }
    }

    fn biases(&self) -> Option<&Tensor> {
        match self {
            Self::Dense { .. } | Self::Paneled { .. } => None,
            Self::Packed { biases, .. } => biases.as_ref(),
        }
    }

    /// The number of rows.
    pub fn outputs(&self) -> i32 {
        match self {
            Self::Paneled { outputs, .. } => *outputs,
            _ => self.weight().shape().first().copied().unwrap_or(0),
        }
    }

    /// The tensors that hold the matrix.
    pub fn parts(&self) -> impl Iterator<Item = &Tensor> {
        std::iter::once(self.weight()).chain(self.scales()).chain(self.biases())
    }

    /// `x @ matrix.T`, `(.., in)` to `(.., out)`.
    #[track_caller]
    pub fn product(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Dense { transposed, .. } => x.matmul(transposed),
            Self::Packed { weight, scales, biases, q } => x.quantized_matmul(weight, scales, biases.as_ref(), *q),
            Self::Paneled { panels, outputs } => x.matmul(&Self::unpaneled(panels, *outputs)?.t()?),
        }
    }

    /// The rows that ids of shape `(..)` name, as numbers of type `dtype`: `(.., in)`. Ids are not checked.
    #[track_caller]
    pub fn rows(&self, ids: &Tensor, dtype: Dtype) -> Result<Tensor> {
        let rows = match self {
            Self::Dense { weight, .. } => weight.take(ids, 0)?,
            Self::Packed { weight, scales, biases, q } => {
                // Scales of 16 bits would round what they multiply.
                let of = |part: &Tensor| match part.take(ids, 0)? {
                    part if part.dtype().is_float() && part.dtype() != dtype => part.astype(dtype),
                    part => Ok(part),
                };
                let biases = biases.as_ref().map(of).transpose()?;
                weight.take(ids, 0)?.dequantize(&of(scales)?, biases.as_ref(), *q)?
            }
            Self::Paneled { panels, outputs } => Self::unpaneled(panels, *outputs)?.take(ids, 0)?,
        };
        if rows.dtype() == dtype { Ok(rows) } else { rows.astype(dtype) }
    }
}

/// A linear layer with what stands around it.
///
/// For `x` of shape `(.., in)`: `norm` normalises x, the matrix multiplies it, `bias` is added, `gate` makes
/// `gate(first half) * second half` of it or `activation` is applied to each element, `after` normalises that, and `residual` is added.
///
/// ```
/// use mlx_ops::{Activation, Matrix, Projection, Tensor};
/// let x = Tensor::from_slice(&[1f32, 2.0], [1, 2])?;
/// let weight = Tensor::from_slice(&[0f32, 0.0, 3.0, 1.0], [2, 2])?;
/// let matrix = Matrix::dense(weight)?;
/// let gated = Projection { gate: Some(Activation::Silu), residual: Some(&x.i((.., ..1))?), ..Projection::new(&matrix) };
/// assert_eq!(gated.forward(&x)?.to_vec::<f32>()?, [1.0]); // silu(0) * 5 + 1
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Projection<'a> {
    /// The matrix, `(out, in)`.
    pub matrix: &'a Matrix,
    /// Shape `(out,)`.
    pub bias: Option<&'a Tensor>,
    /// Root-mean-square normalisation of the input: its weight, `(in,)`, and epsilon.
    pub norm: Option<(&'a Tensor, f32)>,
    /// The product's halves are the gate and what it is on.
    pub gate: Option<Activation>,
    /// The function of each element, where there is no gate.
    pub activation: Option<Activation>,
    /// Root-mean-square normalisation of the result: its weight and epsilon.
    pub after: Option<(&'a Tensor, f32)>,
    /// Of the result's shape.
    pub residual: Option<&'a Tensor>,
}

impl<'a> Projection<'a> {
    /// The product alone.
    pub fn new(matrix: &'a Matrix) -> Self {
        Self { matrix, bias: None, norm: None, gate: None, activation: None, after: None, residual: None }
    }

    /// `(.., in)` to `(.., out)`, or half of that with a gate.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match cpu::projection(self, x) {
            Some(out) => out.map(Tensor),
            None => self.composed(x),
        }
    }

    /// The same by one op after the other.
    #[track_caller]
    pub(crate) fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let normal = self.norm.map(|(weight, eps)| fast::rms_norm(x, Some(weight), eps)).transpose()?;
        let x = normal.as_ref().unwrap_or(x);
        let mut y = match (self.matrix, self.bias) {
            (Matrix::Dense { transposed, .. }, Some(bias)) => addmm(bias, x, transposed, 1.0, 1.0)?,
            (matrix, Some(bias)) => (matrix.product(x)? + bias)?,
            (matrix, None) => matrix.product(x)?,
        };
        if let Some(gate) = self.gate {
            let parts = y.split([y.dim(-1)? / 2], -1)?;
            y = gate.gate(&parts[0], &parts[1])?;
        } else if let Some(activation) = self.activation {
            y = activation.forward(&y)?;
        }
        if let Some((weight, eps)) = self.after {
            y = fast::rms_norm(&y, Some(weight), eps)?;
        }
        match self.residual {
            Some(residual) => residual + y,
            None => Ok(y),
        }
    }
}
