//! Constructors.

use crate::bridge::ops::ffi;
use crate::{Array, Dtype};

crate::call::functions! { ffi;
    /// Values from `start` (inclusive) to `stop` (exclusive) in steps of `step`, shape `(n,)`.
    fn arange(start: f64, stop: f64, step: f64, dtype: Dtype) -> Array;
    /// `num` evenly spaced values from `start` to `stop`, which is the last one where `endpoint`, shape `(num,)`.
    fn linspace(start: f64, stop: f64, num: i32, endpoint: bool, dtype: Dtype) -> Array;
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
    /// An array of the shape of `a` filled with `value`, which broadcasts to it; `None` takes the dtype of `a`.
    fn full_like(a: &Array, value: &Array, dtype: Option<Dtype>) -> Array;
    /// Zeros of the shape of `a`; `None` takes its dtype.
    fn zeros_like(a: &Array, dtype: Option<Dtype>) -> Array;
    /// Ones of the shape of `a`; `None` takes its dtype.
    fn ones_like(a: &Array, dtype: Option<Dtype>) -> Array;
    /// The `(n, n)` identity matrix.
    fn identity(n: i32, dtype: Dtype) -> Array;
    /// The Hann window of `m` points, f32, shape `(m,)`.
    fn hanning(m: i32) -> Array;
    /// The Hamming window of `m` points, f32, shape `(m,)`.
    fn hamming(m: i32) -> Array;
    /// The triangular window of `m` points, f32, shape `(m,)`.
    fn bartlett(m: i32) -> Array;
    /// The Blackman window of `m` points, f32, shape `(m,)`.
    fn blackman(m: i32) -> Array;
    /// A coordinate array for each vector, of length-1 axes but its own where `sparse`; `indexing` is `xy` or `ij`.
    fn meshgrid(arrays: &[Array], sparse: bool, indexing: &str) -> Vec<Array>;
}
