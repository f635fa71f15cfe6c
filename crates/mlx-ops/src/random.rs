//! Random tensors. Without a key, the thread's default key is used and advanced.

use crate::Tensor;
use crate::tensor::optional;
use mlx_core::{Array, Dtype, Result, random};

/// A key from a seed.
#[track_caller]
pub fn key(seed: u64) -> Result<Tensor> {
    random::key(seed as usize).map(Tensor)
}

/// Two independent keys from one.
#[track_caller]
pub fn split(key: &Tensor) -> Result<(Tensor, Tensor)> {
    let pair = Tensor(random::split_key(&key.0, 2)?);
    Ok((pair.i(0)?, pair.i(1)?))
}

/// Uniform values in `[low, high)` of shape `dims`.
#[track_caller]
pub fn uniform(low: f64, high: f64, dims: impl AsRef<[i32]>, dtype: Dtype, key: Option<&Tensor>) -> Result<Tensor> {
    let (low, high) = (Array::scalar(low, dtype)?, Array::scalar(high, dtype)?);
    random::uniform(&low, &high, dims.as_ref(), dtype, optional(key)).map(Tensor)
}

/// Standard normal values of shape `dims`.
#[track_caller]
pub fn normal(dims: impl AsRef<[i32]>, dtype: Dtype, key: Option<&Tensor>) -> Result<Tensor> {
    random::normal(dims.as_ref(), dtype, optional(key)).map(Tensor)
}

/// Uniform integers in `[low, high)` of shape `dims`.
#[track_caller]
pub fn randint(low: i64, high: i64, dims: impl AsRef<[i32]>, dtype: Dtype, key: Option<&Tensor>) -> Result<Tensor> {
    let (low, high) = (Array::scalar_int(low, dtype)?, Array::scalar_int(high, dtype)?);
    random::randint(&low, &high, dims.as_ref(), dtype, optional(key)).map(Tensor)
}

/// Indices (`u32`) drawn along the last axis with probabilities `softmax(logits)`.
#[track_caller]
pub fn categorical(logits: &Tensor, key: Option<&Tensor>) -> Result<Tensor> {
    random::categorical(&logits.0, -1, optional(key)).map(Tensor)
}
