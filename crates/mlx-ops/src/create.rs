//! Constructors.

use crate::tensor::{arrays, tensors};
use crate::{Operand, Tensor};
use mlx_core::{Dtype, Result, ops};

/// Zeros of shape `dims`.
#[track_caller]
pub fn zeros(dims: impl AsRef<[i32]>, dtype: Dtype) -> Result<Tensor> {
    ops::zeros(dims.as_ref(), dtype).map(Tensor)
}

/// Ones of shape `dims`.
#[track_caller]
pub fn ones(dims: impl AsRef<[i32]>, dtype: Dtype) -> Result<Tensor> {
    ops::ones(dims.as_ref(), dtype).map(Tensor)
}

/// A tensor of shape `dims` filled with `value`, which broadcasts to it.
#[track_caller]
pub fn full(dims: impl AsRef<[i32]>, value: impl Operand, dtype: Dtype) -> Result<Tensor> {
    ops::full(dims.as_ref(), value.hold(dtype)?.as_ref(), dtype).map(Tensor)
}

/// Values from `start` (inclusive) to `stop` (exclusive) in steps of `step`, shape `(n,)`.
///
/// ```
/// use mlx_ops::{Dtype, arange};
/// assert_eq!(arange(0, 6, 2, Dtype::I32)?.to_vec::<i32>()?, [0, 2, 4]);
/// assert_eq!(arange(1.0, 0.0, -0.5, Dtype::F32)?.to_vec::<f32>()?, [1.0, 0.5]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn arange(start: impl Into<f64>, stop: impl Into<f64>, step: impl Into<f64>, dtype: Dtype) -> Result<Tensor> {
    ops::arange(start.into(), stop.into(), step.into(), dtype).map(Tensor)
}

/// `num` evenly spaced values from `start` to `stop`, which is the last one where `endpoint`, shape `(num,)`.
#[track_caller]
pub fn linspace(start: impl Into<f64>, stop: impl Into<f64>, num: i32, endpoint: bool, dtype: Dtype) -> Result<Tensor> {
    ops::linspace(start.into(), stop.into(), num, endpoint, dtype).map(Tensor)
}

/// An `(n, m)` matrix with ones on diagonal `k`.
#[track_caller]
pub fn eye(n: i32, m: i32, k: i32, dtype: Dtype) -> Result<Tensor> {
    ops::eye(n, m, k, dtype).map(Tensor)
}

/// The `(n, n)` identity matrix.
#[track_caller]
pub fn identity(n: i32, dtype: Dtype) -> Result<Tensor> {
    ops::identity(n, dtype).map(Tensor)
}

/// An `(n, m)` matrix with ones at and below diagonal `k`.
#[track_caller]
pub fn tri(n: i32, m: i32, k: i32, dtype: Dtype) -> Result<Tensor> {
    ops::tri(n, m, k, dtype).map(Tensor)
}

macro_rules! windows {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(m: i32) -> Result<Tensor> {
            ops::$name(m).map(Tensor)
        }
    )* };
}

windows! {
    /// The Hann window of `m` points, f32, shape `(m,)`.
    hanning;
    /// The Hamming window of `m` points, f32, shape `(m,)`.
    hamming;
    /// The triangular window of `m` points, f32, shape `(m,)`.
    bartlett;
    /// The Blackman window of `m` points, f32, shape `(m,)`.
    blackman;
}

/// Which axis of a grid the first vector of [`meshgrid`] runs along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indexing {
    /// The second, as x does in a picture.
    Xy,
    /// The first, as rows do in a matrix.
    Ij,
}

/// The coordinates of a grid from the vectors of its axes; where `sparse`, each has size 1 on the other axes.
///
/// ```
/// use mlx_ops::{Dtype, Indexing, arange, meshgrid};
/// let (x, y) = (arange(0, 3, 1, Dtype::I32)?, arange(0, 2, 1, Dtype::I32)?);
/// let grid = meshgrid(&[x, y], false, Indexing::Xy)?;
/// assert_eq!(grid[0].to_vec::<i32>()?, [0, 1, 2, 0, 1, 2]);
/// assert_eq!(grid[1].to_vec::<i32>()?, [0, 0, 0, 1, 1, 1]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn meshgrid(axes: &[Tensor], sparse: bool, indexing: Indexing) -> Result<Vec<Tensor>> {
    let indexing = if indexing == Indexing::Xy { "xy" } else { "ij" };
    ops::meshgrid(arrays(axes), sparse, indexing).map(tensors)
}

impl Tensor {
    /// Zeros of this shape and dtype.
    #[track_caller]
    pub fn zeros_like(&self) -> Result<Tensor> {
        ops::zeros_like(&self.0, None).map(Tensor)
    }

    /// Ones of this shape and dtype.
    #[track_caller]
    pub fn ones_like(&self) -> Result<Tensor> {
        ops::ones_like(&self.0, None).map(Tensor)
    }

    /// A tensor of this shape and dtype filled with `value`, which broadcasts to it.
    #[track_caller]
    pub fn full_like(&self, value: impl Operand) -> Result<Tensor> {
        ops::full_like(&self.0, value.hold(self.dtype())?.as_ref(), None).map(Tensor)
    }
}
