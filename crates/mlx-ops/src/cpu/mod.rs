//! CPU kernels that replace slow ones of the prebuilt MLX.

#[cfg(target_os = "linux")]
mod blas;
