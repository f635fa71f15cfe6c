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
} // namespace mlx_shim
