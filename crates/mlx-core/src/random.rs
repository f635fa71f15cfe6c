//! Random numbers from explicit or default keys, as `mlx.core.random`.

use crate::bridge::random::ffi;
use crate::{Array, Dtype};

crate::call::functions! { ffi;
    /// A key, shape `(2,)` of `u32`, from a seed.
    fn key(seed: usize) -> Array;
    /// `num` independent keys, shape `(num, 2)`.
    fn split_key(key: &Array, num: i32) -> Array;
    /// Random bits of `width` bytes each.
    fn bits(dims: &[i32], width: i32, key: Option<&Array>) -> Array;
    /// Uniform values in `[low, high)`.
    fn uniform(low: &Array, high: &Array, dims: &[i32], dtype: Dtype, key: Option<&Array>) -> Array;
    /// Standard normal values.
    fn normal(dims: &[i32], dtype: Dtype, key: Option<&Array>) -> Array;
    /// Uniform integers in `[low, high)`.
    fn randint(low: &Array, high: &Array, dims: &[i32], dtype: Dtype, key: Option<&Array>) -> Array;
    /// Booleans that are true with probability `p`.
    fn bernoulli(p: &Array, dims: &[i32], key: Option<&Array>) -> Array;
    /// Values of the standard Gumbel distribution.
    fn gumbel(dims: &[i32], dtype: Dtype, key: Option<&Array>) -> Array;
    /// Indices (`u32`) drawn along `axis` with probabilities `softmax(logits)`.
    fn categorical(logits: &Array, axis: i32, key: Option<&Array>) -> Array;
}
