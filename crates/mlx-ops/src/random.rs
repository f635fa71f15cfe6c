//! Random tensors. Without a key, the thread's default key is used and advanced.
//!
//! ```
//! use mlx_ops::{Dtype, random};
//! let (key, next) = random::split(&random::key(7)?)?;
//! let x = random::normal([2, 3], Dtype::F32, Some(&key))?;
//! assert!(x.array_equal(&random::normal([2, 3], Dtype::F32, Some(&key))?, false)?);
//! assert!(!x.array_equal(&random::normal([2, 3], Dtype::F32, Some(&next))?, false)?);
//! # Ok::<(), mlx_ops::Error>(())
//! ```

use crate::tensor::optional;
use crate::{Operand, Tensor};
use mlx_core::{Dtype, Result, random};

/// A key, `(2,)` of `u32`, from a seed.
#[track_caller]
pub fn key(seed: u64) -> Result<Tensor> {
    random::key(seed).map(Tensor)
}

/// Two independent keys from one.
#[track_caller]
pub fn split(key: &Tensor) -> Result<(Tensor, Tensor)> {
    let pair = split_into(key, 2)?;
    Ok((pair.i(0)?, pair.i(1)?))
}

/// `num` independent keys from one, `(num, 2)`.
#[track_caller]
pub fn split_into(key: &Tensor, num: i32) -> Result<Tensor> {
    random::split_key(&key.0, num).map(Tensor)
}

/// Random bits of shape `dims`, `width` bytes each: 1, 2 or 4, in `u8`, `u16` or `u32`.
#[track_caller]
pub fn bits(dims: impl AsRef<[i32]>, width: i32, key: Option<&Tensor>) -> Result<Tensor> {
    random::bits(dims.as_ref(), width, optional(key)).map(Tensor)
}

/// Uniform values in `[low, high)` of shape `dims`, to which the bounds broadcast.
#[track_caller]
pub fn uniform(
    low: impl Operand,
    high: impl Operand,
    dims: impl AsRef<[i32]>,
    dtype: Dtype,
    key: Option<&Tensor>,
) -> Result<Tensor> {
    let (low, high) = (low.hold(dtype)?, high.hold(dtype)?);
    random::uniform(low.as_ref(), high.as_ref(), dims.as_ref(), dtype, optional(key)).map(Tensor)
}

/// Standard normal values of shape `dims`.
#[track_caller]
pub fn normal(dims: impl AsRef<[i32]>, dtype: Dtype, key: Option<&Tensor>) -> Result<Tensor> {
    random::normal(dims.as_ref(), dtype, None, None, optional(key)).map(Tensor)
}

/// Normal values of shape `dims` with mean `loc` and standard deviation `scale`, which broadcast to it.
#[track_caller]
pub fn normal_with(
    loc: impl Operand,
    scale: impl Operand,
    dims: impl AsRef<[i32]>,
    dtype: Dtype,
    key: Option<&Tensor>,
) -> Result<Tensor> {
    let (loc, scale) = (loc.hold(dtype)?, scale.hold(dtype)?);
    random::normal(dims.as_ref(), dtype, Some(loc.as_ref()), Some(scale.as_ref()), optional(key)).map(Tensor)
}

/// Vectors of the normal distribution with `mean` `(.., n)` and covariance `cov` `(.., n, n)`, of shape `dims` and then
/// `(n,)`; `dims` may be empty. f32 only, and the singular values are computed on the CPU.
#[track_caller]
pub fn multivariate_normal(
    mean: &Tensor,
    cov: &Tensor,
    dims: impl AsRef<[i32]>,
    dtype: Dtype,
    key: Option<&Tensor>,
) -> Result<Tensor> {
    random::multivariate_normal(&mean.0, &cov.0, dims.as_ref(), dtype, optional(key)).map(Tensor)
}

/// Standard normal values between `lower` and `upper` of shape `dims`, to which the bounds broadcast.
#[track_caller]
pub fn truncated_normal(
    lower: impl Operand,
    upper: impl Operand,
    dims: impl AsRef<[i32]>,
    dtype: Dtype,
    key: Option<&Tensor>,
) -> Result<Tensor> {
    let (lower, upper) = (lower.hold(dtype)?, upper.hold(dtype)?);
    random::truncated_normal(lower.as_ref(), upper.as_ref(), dims.as_ref(), dtype, optional(key)).map(Tensor)
}

/// Values of the Laplace distribution of shape `dims`.
#[track_caller]
pub fn laplace(loc: f32, scale: f32, dims: impl AsRef<[i32]>, dtype: Dtype, key: Option<&Tensor>) -> Result<Tensor> {
    random::laplace(dims.as_ref(), dtype, loc, scale, optional(key)).map(Tensor)
}

/// Values of the standard Gumbel distribution of shape `dims`.
#[track_caller]
pub fn gumbel(dims: impl AsRef<[i32]>, dtype: Dtype, key: Option<&Tensor>) -> Result<Tensor> {
    random::gumbel(dims.as_ref(), dtype, optional(key)).map(Tensor)
}

/// Uniform integers in `[low, high)` of shape `dims`, to which the bounds broadcast.
#[track_caller]
pub fn randint(
    low: impl Operand,
    high: impl Operand,
    dims: impl AsRef<[i32]>,
    dtype: Dtype,
    key: Option<&Tensor>,
) -> Result<Tensor> {
    let (low, high) = (low.hold(dtype)?, high.hold(dtype)?);
    random::randint(low.as_ref(), high.as_ref(), dims.as_ref(), dtype, optional(key)).map(Tensor)
}

/// Booleans of shape `dims` that are true with probability `p`, which broadcasts to it.
#[track_caller]
pub fn bernoulli(p: impl Operand, dims: impl AsRef<[i32]>, key: Option<&Tensor>) -> Result<Tensor> {
    random::bernoulli(p.hold(Dtype::F32)?.as_ref(), dims.as_ref(), optional(key)).map(Tensor)
}

/// Indices (`u32`) drawn along the last axis with probabilities `softmax(logits)`.
#[track_caller]
pub fn categorical(logits: &Tensor, key: Option<&Tensor>) -> Result<Tensor> {
    random::categorical(&logits.0, -1, optional(key)).map(Tensor)
}

/// [`categorical`] along `axis`, `num_samples` draws from each distribution, as a new last axis.
#[track_caller]
pub fn categorical_num(logits: &Tensor, axis: i32, num_samples: i32, key: Option<&Tensor>) -> Result<Tensor> {
    random::categorical_num(&logits.0, axis, num_samples, optional(key)).map(Tensor)
}

/// [`categorical`] along `axis` in shape `dims`, to which the shape of `logits` without `axis` broadcasts.
#[track_caller]
pub fn categorical_shape(logits: &Tensor, axis: i32, dims: impl AsRef<[i32]>, key: Option<&Tensor>) -> Result<Tensor> {
    random::categorical_shape(&logits.0, axis, dims.as_ref(), optional(key)).map(Tensor)
}

/// The entries of `axis` in random order.
#[track_caller]
pub fn permutation(x: &Tensor, axis: i32, key: Option<&Tensor>) -> Result<Tensor> {
    random::permutation(&x.0, axis, optional(key)).map(Tensor)
}

/// The numbers below `n` in random order (`u32`), shape `(n,)`.
#[track_caller]
pub fn permutation_of(n: i32, key: Option<&Tensor>) -> Result<Tensor> {
    random::permutation_of(n, optional(key)).map(Tensor)
}
