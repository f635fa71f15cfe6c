//! Operations of your own: CPU kernels in Rust ([`Kernel`]) and GPU kernels in Metal's or CUDA's language ([`GpuKernel`]).

use crate::Tensor;
use crate::tensor::arrays;
use mlx_core::{Result, gpu_kernel};

pub use mlx_core::gpu_kernel::{Argument, GpuKernel, Launch, MathMode, Source};
pub use mlx_core::kernel::{Input, Kernel, Output};

/// The lazy results that `kernel` computes from `inputs`; on a GPU stream, the kernel's fallback.
#[track_caller]
pub fn apply<K: Kernel>(kernel: K, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    mlx_core::kernel::apply(kernel, arrays(inputs)).map(tensors)
}

/// The lazy outputs of a GPU kernel; an error where the inputs are not as many as its source names.
#[track_caller]
pub fn launch(kernel: &GpuKernel, inputs: &[Tensor], launch: &Launch<'_>) -> Result<Vec<Tensor>> {
    kernel.launch(arrays(inputs), launch).map(tensors)
}

/// The lazy outputs of a CUDA kernel that was compiled before: PTX or a cubin, with its function's name.
#[track_caller]
pub fn precompiled_cuda_kernel(
    name: &str,
    compiled: &[u8],
    inputs: &[Tensor],
    launch: &Launch<'_>,
    shared_memory: i32,
    row_contiguous: bool,
) -> Result<Vec<Tensor>> {
    gpu_kernel::precompiled_cuda_kernel(name, compiled, arrays(inputs), launch, shared_memory, row_contiguous)
        .map(tensors)
}

fn tensors(arrays: Vec<mlx_core::Array>) -> Vec<Tensor> {
    arrays.into_iter().map(Tensor).collect()
}
