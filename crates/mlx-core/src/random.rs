//! Random numbers from explicit or default keys, as `mlx.core.random`.

use crate::bridge::random::ffi;
use crate::checks::countable;
use crate::{Array, Dtype};

crate::call::functions! { ffi;
    /// A key, shape `(2,)` of `u32`, from a seed.
    fn key(seed: u64) -> Array;
    /// `num` independent keys, shape `(num, 2)`.
    fn split_key(key: &Array, num: i32) -> Array;
    /// Random bits of `width` bytes each.
    fn bits(dims: &[i32], width: i32, key: Option<&Array>) -> Array where countable("random::bits", dims);
    /// Uniform values in `[low, high)`.
    fn uniform(low: &Array, high: &Array, dims: &[i32], dtype: Dtype, key: Option<&Array>) -> Array where countable("random::uniform", dims);
    /// Normal values, with mean `loc` (0 for `None`) and standard deviation `scale` (1).
    fn normal(dims: &[i32], dtype: Dtype, loc: Option<&Array>, scale: Option<&Array>, key: Option<&Array>) -> Array where countable("random::normal", dims);
    /// Uniform integers in `[low, high)`.
    fn randint(low: &Array, high: &Array, dims: &[i32], dtype: Dtype, key: Option<&Array>) -> Array where countable("random::randint", dims);
    /// Booleans that are true with probability `p`.
    fn bernoulli(p: &Array, dims: &[i32], key: Option<&Array>) -> Array where countable("random::bernoulli", dims);
    /// Values of the standard Gumbel distribution.
    fn gumbel(dims: &[i32], dtype: Dtype, key: Option<&Array>) -> Array where countable("random::gumbel", dims);
    /// Indices (`u32`) drawn along `axis` with probabilities `softmax(logits)`.
    fn categorical(logits: &Array, axis: i32, key: Option<&Array>) -> Array;
    /// Vectors of the normal distribution with `mean` `(.., n)` and covariance `cov` `(.., n, n)`, shape `dims` and then `(n,)`.
    fn multivariate_normal(mean: &Array, cov: &Array, dims: &[i32], dtype: Dtype, key: Option<&Array>) -> Array where countable("random::multivariate_normal", dims);
    /// Standard normal values between `lower` and `upper`.
    fn truncated_normal(lower: &Array, upper: &Array, dims: &[i32], dtype: Dtype, key: Option<&Array>) -> Array where countable("random::truncated_normal", dims);
    /// Values of the Laplace distribution.
    fn laplace(dims: &[i32], dtype: Dtype, loc: f32, scale: f32, key: Option<&Array>) -> Array where countable("random::laplace", dims);
    /// [`categorical`], `num_samples` draws each, as a new last axis.
    fn categorical_num(logits: &Array, axis: i32, num_samples: i32, key: Option<&Array>) -> Array;
    /// [`categorical`] of shape `dims`, to which the shape of `logits` without `axis` broadcasts.
    fn categorical_shape(logits: &Array, axis: i32, dims: &[i32], key: Option<&Array>) -> Array where countable("random::categorical_shape", dims);
    /// The entries of `axis` in random order.
    fn permutation(x: &Array, axis: i32, key: Option<&Array>) -> Array;
    /// The numbers below `n` in random order.
    fn permutation_of(n: i32, key: Option<&Array>) -> Array;
}
