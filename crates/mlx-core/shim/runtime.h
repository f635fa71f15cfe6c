#pragma once
#ifdef __linux__
#include <malloc.h>
#endif

#include "mlx-core/shim/base.h"

namespace mlx_shim {
inline mx::Device device(bool gpu, int32_t index) {
  return {gpu ? mx::Device::gpu : mx::Device::cpu, index};
}
inline mx::Stream stream_of(bool gpu, int32_t device_index, int32_t index) {
  return mx::Stream(index, device(gpu, device_index));
}

inline rust::Str version() noexcept { return mx::version(); }
inline uint8_t promote_types(uint8_t a, uint8_t b) noexcept {
  return static_cast<uint8_t>(mx::promote_types(dtype(a), dtype(b)).val());
}
inline void seed(uint64_t seed) { mx::random::seed(seed); }
inline bool default_device_is_gpu() { return mx::default_device() == mx::Device::gpu; }
inline int32_t default_device_index() { return mx::default_device().index; }
inline void set_default_device(bool gpu, int32_t index) { mx::set_default_device(device(gpu, index)); }
inline bool device_available(bool gpu, int32_t index) { return mx::is_available(device(gpu, index)); }
inline int32_t device_count(bool gpu) { return mx::device_count(gpu ? mx::Device::gpu : mx::Device::cpu); }
inline rust::Vec<rust::String> device_info(bool gpu, int32_t index) {
  rust::Vec<rust::String> out;
  for (const auto& [key, value] : mx::device_info(device(gpu, index))) {
    out.push_back(rust::String::lossy(key));
    out.push_back(
        std::holds_alternative<std::string>(value) ? rust::String::lossy(std::get<std::string>(value))
                                                   : rust::String::lossy(std::to_string(std::get<size_t>(value))));
  }
  return out;
}

inline int32_t new_stream(bool gpu, int32_t index) { return mx::new_stream(device(gpu, index)).index; }
inline int32_t new_thread_unsafe_stream(bool gpu, int32_t index) { return mx::new_thread_unsafe_stream(device(gpu, index)).index; }
inline int32_t new_thread_local_stream(bool gpu, int32_t index) { return mx::new_thread_local_stream(device(gpu, index)).index; }
inline mx::ThreadLocalStream thread_local_of(bool gpu, int32_t device_index, int32_t index) {
  return mx::ThreadLocalStream(index, device(gpu, device_index));
}
inline int32_t stream_from_thread_local_stream(bool gpu, int32_t device, int32_t index) {
  return mx::stream_from_thread_local_stream(thread_local_of(gpu, device, index)).index;
}
inline void synchronize_thread_local(bool gpu, int32_t device, int32_t index) {
  mx::synchronize(thread_local_of(gpu, device, index));
}
inline void synchronize_default() { mx::synchronize(); }
// INT32_MIN where there is none.
inline int32_t peek_default_stream(bool gpu, int32_t index) {
  auto stream = mx::peek_default_stream(device(gpu, index));
  return stream ? stream->index : INT32_MIN;
}
inline void set_default_stream(bool gpu, int32_t device, int32_t index) {
  mx::set_default_stream(stream_of(gpu, device, index));
}
// Three numbers a stream: whether it is on a GPU, of which index, and its own.
inline rust::Vec<int32_t> get_streams() {
  rust::Vec<int32_t> out;
  for (const auto& stream : mx::get_streams()) {
    out.push_back(stream.device == mx::Device::gpu);
    out.push_back(stream.device.index);
    out.push_back(stream.index);
  }
  return out;
}
inline void clear_streams() { mx::clear_streams(); }
inline int32_t default_stream(bool gpu, int32_t index) { return mx::default_stream(device(gpu, index)).index; }
inline void synchronize(bool gpu, int32_t device_index, int32_t index) {
  mx::synchronize(stream_of(gpu, device_index, index));
}
// Scopes a stream on this thread.
inline bool scope_stream(bool gpu, int32_t device_index, int32_t index) noexcept {
  bool had = scoped_stream.has_value();
  scoped_stream = stream_of(gpu, device_index, index);
  return had;
}
inline void unscope_stream() noexcept { scoped_stream.reset(); }
inline bool has_scoped_stream() noexcept { return scoped_stream.has_value(); }
inline bool scoped_stream_is_gpu() noexcept { return scoped_stream->device == mx::Device::gpu; }
inline int32_t scoped_stream_device() noexcept { return scoped_stream->device.index; }
inline int32_t scoped_stream_index() noexcept { return scoped_stream->index; }

inline size_t active_memory() { return mx::get_active_memory(); }
inline size_t peak_memory() { return mx::get_peak_memory(); }
inline void reset_peak_memory() { mx::reset_peak_memory(); }
inline size_t cache_memory() { return mx::get_cache_memory(); }
inline size_t memory_limit() { return mx::get_memory_limit(); }
inline size_t set_memory_limit(size_t bytes) { return mx::set_memory_limit(bytes); }
inline size_t set_cache_limit(size_t bytes) { return mx::set_cache_limit(bytes); }
inline size_t set_wired_limit(size_t bytes) { return mx::set_wired_limit(bytes); }
inline void clear_cache() { mx::clear_cache(); }
inline void trim() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
inline size_t buffer_size(Arrays arrays) { return mx::get_array_buffer_size(vec(arrays)); }
} // namespace mlx_shim
