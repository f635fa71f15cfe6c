#pragma once
// What every bridge shares: types by value, errors, the scoped stream and argument conversions.
#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "mlx/mlx.h"
#include "rust/cxx.h"

// Without this, an exception of a type that is not std::exception would end the process.
namespace rust::behavior {
template <typename Try, typename Fail>
static void trycatch(Try&& func, Fail&& fail) noexcept try {
  func();
} catch (const std::exception& e) {
  fail(e.what());
} catch (...) {
  fail("MLX threw something that is not a C++ exception.");
}
} // namespace rust::behavior

// An array is one shared_ptr: it moves by copying its bits, so it may cross by value.
template <>
struct rust::IsRelocatable<mlx::core::array> : std::true_type {};

static_assert(sizeof(mlx::core::array) == 2 * sizeof(void*), "mlx_core::Array mirrors two words");
static_assert(alignof(mlx::core::array) == alignof(void*), "mlx_core::Array mirrors two words");
static_assert(MLX_VERSION_NUMERIC / 1000 == 32, "mlx-core binds MLX 0.32");

namespace mlx_shim {
namespace mx = mlx::core;
using mx::array;
using Arrays = rust::Slice<const array>;
using Ints = rust::Slice<const int32_t>;

// The stream that `with_stream` set on this thread, else MLX's default stream.
inline thread_local std::optional<mx::Stream> scoped_stream;

inline mx::StreamOrDevice stream() {
  if (scoped_stream) {
    return *scoped_stream;
  }
  return {};
}

inline std::vector<array> vec(Arrays a) { return {a.begin(), a.end()}; }
inline std::vector<int> ints(Ints v) { return {v.begin(), v.end()}; }
inline mx::Shape shape(Ints v) { return mx::Shape(v.begin(), v.end()); }
inline std::string str(rust::Str s) { return {s.data(), s.size()}; }
inline std::pair<int, int> pair(std::array<int32_t, 2> v) { return {v[0], v[1]}; }
inline std::tuple<int, int, int> triple(std::array<int32_t, 3> v) { return {v[0], v[1], v[2]}; }

// An optional array crosses as a slice of length 0 or 1, an optional integer as INT32_MIN, an optional list as one
// INT32_MIN, an optional float as NaN, an optional dtype as 255, an optional truth value as -1.
inline std::optional<array> opt(Arrays a) {
  return a.empty() ? std::nullopt : std::optional<array>(a[0]);
}
inline std::optional<int> opt(int32_t v) {
  return v == INT32_MIN ? std::nullopt : std::optional<int>(v);
}
inline std::optional<float> opt(float v) {
  return v != v ? std::nullopt : std::optional<float>(v);
}

inline std::optional<bool> opt_bool(int8_t v) {
  return v < 0 ? std::nullopt : std::optional<bool>(v != 0);
}
inline bool absent(Ints v) { return v.size() == 1 && v[0] == INT32_MIN; }
inline std::optional<std::vector<int>> opt_ints(Ints v) {
  return absent(v) ? std::nullopt : std::optional<std::vector<int>>(ints(v));
}

inline mx::Dtype dtype(uint8_t v) {
  constexpr mx::Dtype all[] = {
      mx::bool_, mx::uint8, mx::uint16, mx::uint32, mx::uint64, mx::int8, mx::int16,
      mx::int32, mx::int64, mx::float16, mx::float32, mx::float64, mx::bfloat16, mx::complex64};
  if (v >= std::size(all)) {
    throw std::invalid_argument("[dtype] unknown code " + std::to_string(v));
  }
  return all[v];
}
inline std::optional<mx::Dtype> opt_dtype(uint8_t v) {
  return v == 255 ? std::nullopt : std::optional<mx::Dtype>(dtype(v));
}
} // namespace mlx_shim
