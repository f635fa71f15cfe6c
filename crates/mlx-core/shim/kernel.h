#pragma once
#include "mlx-core/shim/list.h"

// The bodies need the generated header, so they are in kernel.cc.
namespace mlx_shim {
struct KernelHandle;
struct Spec;

// Lazy arrays whose values a Rust kernel computes on the CPU.
rust::Vec<array> custom_kernel(rust::Box<KernelHandle> kernel, Arrays inputs, rust::Slice<const Spec> outputs);
} // namespace mlx_shim
