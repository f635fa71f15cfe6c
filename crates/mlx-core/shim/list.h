#pragma once
// Apart from base.h: the bridge that instantiates the vector must not have used it before.
#include "mlx-core/shim/base.h"

namespace mlx_shim {
inline rust::Vec<array> list(const std::vector<array>& arrays) {
  rust::Vec<array> out;
  out.reserve(arrays.size());
  for (const auto& a : arrays) {
    out.push_back(a);
  }
  return out;
}
template <template <class...> class Pair>
rust::Vec<array> list(const Pair<array, array>& two) {
  return list(std::vector<array>{std::get<0>(two), std::get<1>(two)});
}
} // namespace mlx_shim
