#pragma once
#include "mlx-core/shim/base.h"

// One line per op: the chosen overload, defaults spelt, the scoped stream passed on.
namespace mlx_shim {
inline array key(uint64_t seed) { return mx::random::key(seed); }
inline array split_key(const array& key, int32_t num) { return mx::random::split(key, num, stream()); }
inline array bits(Ints dims, int32_t width, Arrays key) { return mx::random::bits(shape(dims), width, opt(key), stream()); }
inline array uniform(const array& low, const array& high, Ints dims, uint8_t dtype, Arrays key) { return mx::random::uniform(low, high, shape(dims), mlx_shim::dtype(dtype), opt(key), stream()); }
inline array normal(Ints dims, uint8_t dtype, Arrays loc, Arrays scale, Arrays key) { return mx::random::normal(shape(dims), mlx_shim::dtype(dtype), opt(loc), opt(scale), opt(key), stream()); }
inline array randint(const array& low, const array& high, Ints dims, uint8_t dtype, Arrays key) { return mx::random::randint(low, high, shape(dims), mlx_shim::dtype(dtype), opt(key), stream()); }
inline array bernoulli(const array& p, Ints dims, Arrays key) { return mx::random::bernoulli(p, shape(dims), opt(key), stream()); }
inline array gumbel(Ints dims, uint8_t dtype, Arrays key) { return mx::random::gumbel(shape(dims), mlx_shim::dtype(dtype), opt(key), stream()); }
inline array categorical(const array& logits, int32_t axis, Arrays key) { return mx::random::categorical(logits, axis, opt(key), stream()); }
inline array multivariate_normal(const array& mean, const array& cov, Ints dims, uint8_t dtype, Arrays key) { return mx::random::multivariate_normal(mean, cov, shape(dims), mlx_shim::dtype(dtype), opt(key), stream()); }
inline array truncated_normal(const array& lower, const array& upper, Ints dims, uint8_t dtype, Arrays key) { return mx::random::truncated_normal(lower, upper, shape(dims), mlx_shim::dtype(dtype), opt(key), stream()); }
inline array laplace(Ints dims, uint8_t dtype, float loc, float scale, Arrays key) { return mx::random::laplace(shape(dims), mlx_shim::dtype(dtype), loc, scale, opt(key), stream()); }
inline array categorical_num(const array& logits, int32_t axis, int32_t num_samples, Arrays key) { return mx::random::categorical(logits, axis, num_samples, opt(key), stream()); }
inline array categorical_shape(const array& logits, int32_t axis, Ints dims, Arrays key) { return mx::random::categorical(logits, axis, shape(dims), opt(key), stream()); }
inline array permutation(const array& x, int32_t axis, Arrays key) { return mx::random::permutation(x, axis, opt(key), stream()); }
inline array permutation_of(int32_t n, Arrays key) { return mx::random::permutation(n, opt(key), stream()); }
} // namespace mlx_shim
