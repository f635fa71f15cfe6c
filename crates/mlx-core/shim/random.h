#pragma once
#include "mlx-core/shim/base.h"

// One line per op: the chosen overload, defaults spelt, the scoped stream passed on.
namespace mlx_shim {
inline array key(size_t seed) { return mx::random::key(seed); }
inline array split_key(const array& key, int32_t num) { return mx::random::split(key, num, stream()); }
inline array bits(Ints dims, int32_t width, Arrays key) { return mx::random::bits(shape(dims), width, opt(key), stream()); }
inline array uniform(const array& low, const array& high, Ints dims, uint8_t dtype, Arrays key) { return mx::random::uniform(low, high, shape(dims), mlx_shim::dtype(dtype), opt(key), stream()); }
inline array normal(Ints dims, uint8_t dtype, Arrays key) { return mx::random::normal(shape(dims), mlx_shim::dtype(dtype), std::nullopt, std::nullopt, opt(key), stream()); }
inline array randint(const array& low, const array& high, Ints dims, uint8_t dtype, Arrays key) { return mx::random::randint(low, high, shape(dims), mlx_shim::dtype(dtype), opt(key), stream()); }
inline array bernoulli(const array& p, Ints dims, Arrays key) { return mx::random::bernoulli(p, shape(dims), opt(key), stream()); }
inline array gumbel(Ints dims, uint8_t dtype, Arrays key) { return mx::random::gumbel(shape(dims), mlx_shim::dtype(dtype), opt(key), stream()); }
inline array categorical(const array& logits, int32_t axis, Arrays key) { return mx::random::categorical(logits, axis, opt(key), stream()); }
} // namespace mlx_shim
