#pragma once
#include "mlx-core/shim/list.h"

// One line per op: the chosen overload, defaults spelt, the scoped stream passed on.
namespace mlx_shim {
inline array rms_norm(const array& x, Arrays weight, float eps) { return mx::fast::rms_norm(x, opt(weight), eps, stream()); }
inline array layer_norm(const array& x, Arrays weight, Arrays bias, float eps) { return mx::fast::layer_norm(x, opt(weight), opt(bias), eps, stream()); }
inline array rope(const array& x, int32_t dims, bool traditional, float base, float scale, int32_t offset, Arrays freqs) { return mx::fast::rope(x, dims, traditional, opt(base), scale, static_cast<int>(offset), opt(freqs), stream()); }
inline array rope_at(const array& x, int32_t dims, bool traditional, float base, float scale, const array& offset, Arrays freqs) { return mx::fast::rope(x, dims, traditional, opt(base), scale, offset, opt(freqs), stream()); }
inline array scaled_dot_product_attention(const array& q, const array& k, const array& v, float scale, rust::Str mask_mode, Arrays mask, Arrays sinks) { return mx::fast::scaled_dot_product_attention(q, k, v, scale, str(mask_mode), opt(mask), opt(sinks), false, stream()); }
inline array cross_entropy(const array& logits, const array& targets) { return mx::fast::cross_entropy(logits, targets, stream()); }
inline rust::Vec<array> gated_delta_update(const array& q, const array& k, const array& v, const array& gates, const array& beta, Arrays state, Arrays mask) { return list(mx::fast::gated_delta_update(q, k, v, gates, beta, opt(state), opt(mask), stream())); }
} // namespace mlx_shim
