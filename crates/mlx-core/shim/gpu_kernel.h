#pragma once
#include "mlx-core/shim/list.h"

// The bodies need the generated header, so they are in gpu_kernel.cc.
namespace mlx_shim {
struct Launch;
struct Source;

// A kernel in a GPU's language, compiled by MLX when it first runs.
struct GpuKernel {
  mx::fast::CustomKernelFunction call;
};

std::unique_ptr<GpuKernel> metal_kernel(const Source& source, bool atomic_outputs, int32_t math);
std::unique_ptr<GpuKernel> cuda_kernel(const Source& source, int32_t shared_memory);
rust::Vec<array> launch(const GpuKernel& kernel, Arrays inputs, const Launch& launch);
rust::Vec<array> precompiled_cuda_kernel(
    rust::Str name,
    rust::Slice<const uint8_t> compiled,
    Arrays inputs,
    const Launch& launch,
    int32_t shared_memory,
    bool row_contiguous);
} // namespace mlx_shim
