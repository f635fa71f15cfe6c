//! Constructors.

use crate::Tensor;
use mlx_core::{Array, Dtype, Result, ops};

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

/// A tensor of shape `dims` filled with `value`.
#[track_caller]
pub fn full(dims: impl AsRef<[i32]>, value: f64, dtype: Dtype) -> Result<Tensor> {
    ops::full(dims.as_ref(), &Array::scalar(value, dtype)?, dtype).map(Tensor)
}

/// Values from `start` (inclusive) to `stop` (exclusive) in steps of `step`, shape `(n,)`.
#[track_caller]
pub fn arange(start: f64, stop: f64, step: f64, dtype: Dtype) -> Result<Tensor> {
    ops::arange(start, stop, step, dtype).map(Tensor)
}

/// `num` evenly spaced values from `start` to `stop`, both included, shape `(num,)`.
#[track_caller]
pub fn linspace(start: f64, stop: f64, num: i32, dtype: Dtype) -> Result<Tensor> {
    ops::linspace(start, stop, num, dtype).map(Tensor)
}

/// An `(n, m)` matrix with ones on diagonal `k`.
#[track_caller]
pub fn eye(n: i32, m: i32, k: i32, dtype: Dtype) -> Result<Tensor> {
    ops::eye(n, m, k, dtype).map(Tensor)
}

/// An `(n, m)` matrix with ones at and below diagonal `k`.
#[track_caller]
pub fn tri(n: i32, m: i32, k: i32, dtype: Dtype) -> Result<Tensor> {
    ops::tri(n, m, k, dtype).map(Tensor)
}
