//! CPU kernels that replace slow ones of the prebuilt MLX.

#[cfg(target_os = "linux")]
mod blas;
#[cfg(target_os = "linux")]
mod matvec;
#[cfg(target_os = "linux")]
mod packed;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod quantized;
#[cfg(target_os = "linux")]
mod simd;

#[cfg(target_os = "linux")]
pub use quantized::matmul as quantized_matmul;

/// No kernel of ours: MLX's own are the fast ones here.
#[cfg(not(target_os = "linux"))]
pub fn quantized_matmul(
    _: &mlx_core::Array,
    _: &mlx_core::Array,
    _: &mlx_core::Array,
    _: Option<&mlx_core::Array>,
    _: crate::Quantization,
) -> Option<mlx_core::Result<mlx_core::Array>> {
    None
}
