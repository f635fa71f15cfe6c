//! CPU kernels that replace slow ones of the prebuilt MLX.
//!
//! Each function gives `None` where it has no kernel for its arguments: MLX's op is then the one to take.

mod argmax;
mod attention;
mod blas;
mod dense;
mod experts;
#[cfg(target_arch = "x86_64")]
mod fixed;
mod gate;
#[cfg(test)]
mod layer_tests;
mod linear;
mod matmul;
mod matvec;
mod norm;
mod packed;
mod packed_attention;
#[cfg(target_arch = "x86_64")]
mod pairs;
mod panel;
mod paneled;
mod pool;
mod projection;
mod quantized;
mod rope;
mod rows;
mod scratch;
mod self_attention;
mod short;
mod side_by_side;
mod simd;
mod softmax;
mod source;
#[cfg(test)]
mod tests;
mod threads;
mod tile;

pub use {
    argmax::argmax, attention::attention, experts::Indices, experts::gather_matmul, experts::gather_quantized_matmul,
    gate::gated, linear::linear16, norm::layer_norm, norm::rms_norm, packed_attention::packed_attention,
    projection::projection, quantized::matmul as quantized_matmul, rope::Rope, self_attention::self_attention,
    side_by_side::streams, softmax::softmax,
};

/// The one result of a kernel.
#[track_caller]
fn one(kernel: impl mlx_core::kernel::Kernel, inputs: &[mlx_core::Array]) -> mlx_core::Result<mlx_core::Array> {
    Ok(mlx_core::kernel::apply(kernel, inputs)?.remove(0))
}

/// Columns of a panel of packed weights, where there are kernels for such.
pub fn panel_width() -> Option<i32> {
    is_current().then(|| paneled::width(simd::Isa::best()) as i32)
}

/// Whether the processor multiplies rows of `k` elements as pairs of bfloat16.
pub fn multiplies_pairs(k: i32) -> bool {
    #[cfg(target_arch = "x86_64")]
    return pairs::fit(k as usize);
    #[cfg(not(target_arch = "x86_64"))]
    return {
        let _ = k;
        false
    };
}

/// Whether ops that are built now run on the CPU.
pub fn is_current() -> bool {
    mlx_core::Device::current().is_ok_and(|device| device == mlx_core::Device::Cpu)
}
