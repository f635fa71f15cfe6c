// Kernels in Metal's and CUDA's languages.
#include "mlx-core/shim/gpu_kernel.h"

#include "mlx-core/src/bridge/gpu_kernel.rs.h"

namespace mlx_shim {
namespace {
std::vector<std::string> strings(const rust::Vec<rust::String>& from) { return {from.begin(), from.end()}; }

struct Outputs {
  std::vector<mx::Shape> shapes;
  std::vector<mx::Dtype> dtypes;
  explicit Outputs(const Launch& launch) {
    for (const auto& output : launch.outputs) {
      shapes.emplace_back(output.dims.begin(), output.dims.end());
      dtypes.push_back(dtype(output.dtype));
    }
  }
};

// The order of the kinds is that of `Argument::parts` in gpu_kernel.rs.
enum Kind : uint8_t { integer, boolean, type, real };

mx::fast::TemplateArg template_arg(const Parameter& p) {
  switch (p.kind) {
    case boolean:
      return p.integer != 0;
    case type:
      return dtype(static_cast<uint8_t>(p.integer));
    case integer:
      return p.integer;
    default:
      throw std::invalid_argument("[gpu_kernel] the template argument " + std::string(p.name) + " is a float");
  }
}

mx::fast::ScalarArg scalar_arg(const Parameter& p) {
  switch (p.kind) {
    case boolean:
      return p.integer != 0;
    case real:
      return p.real;
    case integer:
      return p.integer;
    default:
      throw std::invalid_argument("[gpu_kernel] the scalar " + std::string(p.name) + " is a dtype");
  }
}
} // namespace

std::unique_ptr<GpuKernel> metal_kernel(const Source& s, bool atomic_outputs, int32_t math) {
  return std::make_unique<GpuKernel>(mx::fast::metal_kernel(
      std::string(s.name), strings(s.inputs), strings(s.outputs), std::string(s.body), std::string(s.header),
      s.row_contiguous, atomic_outputs, mx::CompileOptions(math)));
}

std::unique_ptr<GpuKernel> cuda_kernel(const Source& s, int32_t shared_memory) {
  return std::make_unique<GpuKernel>(mx::fast::cuda_kernel(
      std::string(s.name), strings(s.inputs), strings(s.outputs), std::string(s.body), std::string(s.header),
      s.row_contiguous, shared_memory));
}

rust::Vec<array> launch(const GpuKernel& kernel, Arrays inputs, const Launch& launch) {
  Outputs outputs(launch);
  std::vector<std::pair<std::string, mx::fast::TemplateArg>> parameters;
  for (const auto& p : launch.parameters) {
    parameters.emplace_back(std::string(p.name), template_arg(p));
  }
  return list(kernel.call(
      vec(inputs), outputs.shapes, outputs.dtypes, triple(launch.grid), triple(launch.threadgroup),
      std::move(parameters), opt(launch.init), launch.verbose, stream()));
}

rust::Vec<array> precompiled_cuda_kernel(
    rust::Str name,
    rust::Slice<const uint8_t> compiled,
    Arrays inputs,
    const Launch& launch,
    int32_t shared_memory,
    bool row_contiguous) {
  Outputs outputs(launch);
  std::vector<mx::fast::ScalarArg> scalars;
  for (const auto& p : launch.parameters) {
    scalars.push_back(scalar_arg(p));
  }
  std::string image(reinterpret_cast<const char*>(compiled.data()), compiled.size());
  return list(mx::fast::precompiled_cuda_kernel(
      str(name), image, vec(inputs), outputs.shapes, outputs.dtypes, scalars, triple(launch.grid),
      triple(launch.threadgroup), shared_memory, opt(launch.init), row_contiguous, stream()));
}
} // namespace mlx_shim
