//! Constructors.

use crate::bridge::ops::ffi;
use crate::{Array, Dtype};

crate::call::functions! { ffi;
    /// Values from `start` (inclusive) to `stop` (exclusive) in steps of `step`, shape `(n,)`.
    fn arange(start: f64, stop: f64, step: f64, dtype: Dtype) -> Array;
    /// `num` evenly spaced values from `start` to `stop`, both included, shape `(num,)`.
    fn linspace(start: f64, stop: f64, num: i32, dtype: Dtype) -> Array;
    /// An array of shape `dims` filled with `value`, which broadcasts to it.
    fn full(dims: &[i32], value: &Array, dtype: Dtype) -> Array;
    /// Zeros of shape `dims`.
    fn zeros(dims: &[i32], dtype: Dtype) -> Array;
    /// Ones of shape `dims`.
    fn ones(dims: &[i32], dtype: Dtype) -> Array;
    /// An `(n, m)` matrix with ones on diagonal `k`.
    fn eye(n: i32, m: i32, k: i32, dtype: Dtype) -> Array;
    /// An `(n, m)` matrix with ones at and below diagonal `k`.
    fn tri(n: i32, m: i32, k: i32, dtype: Dtype) -> Array;
    /// The lower triangle of the last two axes, zeros above diagonal `k`.
    fn tril(a: &Array, k: i32) -> Array;
    /// The upper triangle of the last two axes, zeros below diagonal `k`.
    fn triu(a: &Array, k: i32) -> Array;
}
