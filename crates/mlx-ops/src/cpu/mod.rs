//! CPU kernels that replace slow ones of the prebuilt MLX.

#[cfg(target_os = "linux")]
mod blas;
#[cfg(target_os = "linux")]
mod matvec;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod simd;
