#pragma once
#include <cstring>

#include "mlx-core/shim/base.h"
#include "mlx/scheduler.h"

namespace mlx_shim {
inline array clone_array(const array& a) noexcept { return a; }
inline void drop_array(array& a) noexcept { a.~array(); }

inline rust::Slice<const int32_t> shape_of(const array& a) noexcept {
  return {a.shape().data(), a.shape().size()};
}
inline uint8_t dtype_of(const array& a) noexcept {
  return static_cast<uint8_t>(a.dtype().val());
}
inline size_t size_of(const array& a) noexcept { return a.size(); }

inline array from_bytes(rust::Slice<const uint8_t> bytes, Ints dims, uint8_t code) {
  auto type = dtype(code);
  size_t size = mx::size_of(type);
  for (auto d : dims) {
    if (d < 0) {
      throw std::invalid_argument("[array] negative dimension " + std::to_string(d));
    }
    size *= static_cast<size_t>(d);
  }
  if (size != bytes.size()) {
    throw std::invalid_argument(
        "[array] " + std::to_string(bytes.size()) + " bytes given where the shape needs " + std::to_string(size));
  }
  auto data = mx::allocator::malloc(size);
  if (size > 0) {
    std::memcpy(data.buffer().raw_ptr(), bytes.data(), size);
  }
  return array(std::move(data), shape(dims), type);
}
inline array scalar_f64(double v, uint8_t code) { return array(v, dtype(code)); }
inline array scalar_i64(int64_t v, uint8_t code) { return array(v, dtype(code)); }

// An evaluation that fails leaves tasks counted that will never be done, and once ten are, the next one waits for ever. So
// the count starts anew; one that is too low only makes MLX wait less.
template <typename F>
inline void or_start_anew(F&& evaluate) {
  try {
    evaluate();
  } catch (...) {
    auto s = mx::to_stream(stream());
    try {
      mx::synchronize(s);
    } catch (...) {
      // The error at hand is the one to report.
    }
    while (mx::scheduler::n_active_tasks() > 0) {
      mx::scheduler::notify_task_completion(s);
    }
    throw;
  }
}
inline void eval(Arrays a) {
  or_start_anew([&] { mx::eval(vec(a)); });
}
inline void async_eval(Arrays a) {
  or_start_anew([&] { mx::async_eval(vec(a)); });
}
inline bool is_available(const array& a) noexcept { return a.is_available(); }

// The bytes of an evaluated, row-contiguous array.
inline rust::Slice<const uint8_t> bytes_of(const array& a) {
  array handle = a;
  handle.eval();
  if (!handle.flags().row_contiguous) {
    throw std::invalid_argument("[array] the data is not row-contiguous");
  }
  if (handle.size() == 0) {
    return {};
  }
  return {handle.data<uint8_t>(), handle.nbytes()};
}
inline bool is_row_contiguous(const array& a) {
  array handle = a;
  handle.eval();
  return handle.flags().row_contiguous;
}

// The baseline of benches/lazy_add.rs: what the same chain costs without leaving C++.
inline array add_chain(const array& a, const array& b, size_t n) {
  array x = a;
  for (size_t i = 0; i < n; ++i) {
    x = mx::add(x, b, stream());
  }
  return x;
}
} // namespace mlx_shim
