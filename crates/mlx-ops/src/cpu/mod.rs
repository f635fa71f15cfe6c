//! CPU kernels that replace slow ones of the prebuilt MLX.
//!
//! Each function gives `None` where it has no kernel for its arguments: MLX's op is then the one to take. Other systems than
//! Linux have none at all, since MLX is fast there.

#[cfg(target_os = "linux")]
mod argmax;
#[cfg(target_os = "linux")]
mod attention;
#[cfg(target_os = "linux")]
mod blas;
#[cfg(target_os = "linux")]
mod dense;
#[cfg(target_os = "linux")]
mod experts;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod fixed;
#[cfg(target_os = "linux")]
mod gate;
#[cfg(all(test, target_os = "linux"))]
mod layer_tests;
#[cfg(target_os = "linux")]
mod linear;
#[cfg(target_os = "linux")]
mod matmul;
#[cfg(target_os = "linux")]
mod matvec;
#[cfg(target_os = "linux")]
mod norm;
#[cfg(target_os = "linux")]
mod packed;
#[cfg(target_os = "linux")]
mod panel;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod projection;
#[cfg(target_os = "linux")]
mod quantized;
#[cfg(target_os = "linux")]
mod rope;
#[cfg(target_os = "linux")]
mod rows;
#[cfg(target_os = "linux")]
mod scratch;
#[cfg(target_os = "linux")]
mod self_attention;
#[cfg(target_os = "linux")]
mod short;
#[cfg(target_os = "linux")]
mod simd;
#[cfg(target_os = "linux")]
mod softmax;
#[cfg(target_os = "linux")]
mod source;
#[cfg(all(test, target_os = "linux"))]
mod tests;
#[cfg(target_os = "linux")]
mod threads;
#[cfg(target_os = "linux")]
mod tile;

#[cfg(target_os = "linux")]
pub use {
    argmax::argmax, attention::attention, experts::Indices, experts::gather_matmul, experts::gather_quantized_matmul,
    gate::gated, linear::linear16, norm::layer_norm, norm::rms_norm, projection::projection,
    quantized::matmul as quantized_matmul, rope::Rope, self_attention::self_attention, softmax::softmax,
};

/// The one result of a kernel.
#[cfg(target_os = "linux")]
#[track_caller]
fn one(kernel: impl mlx_core::kernel::Kernel, inputs: &[mlx_core::Array]) -> mlx_core::Result<mlx_core::Array> {
    Ok(mlx_core::kernel::apply(kernel, inputs)?.remove(0))
}

/// Whether ops that are built now run on the CPU.
#[cfg(target_os = "linux")]
pub fn is_current() -> bool {
    mlx_core::Device::current().is_ok_and(|device| device == mlx_core::Device::Cpu)
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::*;

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use mlx_core::{Array, Result};

    pub fn is_current() -> bool {
        false
    }

    pub fn attention(_: &Array, _: &Array, _: &Array, _: &crate::attention::Attention<'_>) -> Option<Result<Array>> {
        None
    }

    pub fn linear16(_: &Array, _: &Array) -> Option<Result<Array>> {
        None
    }

    pub fn rms_norm(_: &Array, _: Option<&Array>, _: f32) -> Option<Result<Array>> {
        None
    }

    pub fn layer_norm(_: &Array, _: Option<&Array>, _: Option<&Array>, _: f32) -> Option<Result<Array>> {
        None
    }

    pub fn softmax(_: &Array) -> Option<Result<Array>> {
        None
    }

    pub fn argmax(_: &Array, _: i32, _: bool) -> Option<Result<Array>> {
        None
    }

    pub fn gated(_: crate::Activation, _: &Array, _: &Array) -> Option<Result<Array>> {
        None
    }

    pub fn quantized_matmul(
        _: &Array,
        _: &Array,
        _: &Array,
        _: Option<&Array>,
        _: crate::Quantization,
    ) -> Option<Result<Array>> {
        None
    }

    pub fn projection(_: &crate::Projection<'_>, _: &crate::Tensor) -> Option<Result<Array>> {
        None
    }

    pub struct Indices<'a> {
        pub lhs: Option<&'a Array>,
        pub rhs: Option<&'a Array>,
        pub sorted: bool,
    }

    pub fn gather_matmul(_: &Array, _: &Array, _: Indices<'_>) -> Option<Result<Array>> {
        None
    }

    pub fn gather_quantized_matmul(
        _: &Array,
        _: &Array,
        _: &Array,
        _: Option<&Array>,
        _: crate::Quantization,
        _: Indices<'_>,
    ) -> Option<Result<Array>> {
        None
    }

    pub fn self_attention(
        _: &crate::SelfAttention<'_>,
        _: &crate::Tensor,
        _: &crate::Tensor,
        _: &crate::Tensor,
    ) -> Option<Result<Vec<Array>>> {
        None
    }

    pub struct Rope {
        pub dims: i32,
        pub traditional: bool,
        pub base: Option<f32>,
        pub scale: f32,
        pub offset: i32,
    }

    impl Rope {
        pub fn apply(self, _: &Array, _: Option<&Array>) -> Option<Result<Array>> {
            None
        }
    }
}
