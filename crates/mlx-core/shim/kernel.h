#pragma once
#include "mlx-core/shim/base.h"

// The bodies need the generated header, so they are in kernel.cc.
namespace mlx_shim {
struct KernelHandle;
struct Function;

// A lazy array whose values a Rust kernel computes on the CPU.
array custom_kernel(rust::Box<KernelHandle> kernel, Arrays inputs, Ints dims, uint8_t code);

// The product of `cotangent` with the Jacobian of `f` at `x`.
array vector_jacobian(const Function& f, const array& x, const array& cotangent);
} // namespace mlx_shim
