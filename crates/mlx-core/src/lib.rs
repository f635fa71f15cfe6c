//! Apple's MLX, bound from its C++ API.
//!
//! Arrays ([`Array`]) are lazy nodes; [`ops`], [`fast`], [`random`], [`linalg`], [`fft`] and [`einsum`] build them, and reading a value
//! ([`Array::to_vec`], [`Array::item`]) or [`eval`] computes them. [`transforms`], [`mod@compile`] and [`export`] take functions of arrays. This
//! layer says what MLX says: the crate `mlx-ops` adds operators and indexing.
//!
//! ```
//! use mlx_core::{Array, Dtype, ops};
//! let x = ops::arange(0.0, 6.0, 1.0, Dtype::F32)?;
//! let y = ops::sum(&ops::reshape(&x, &[2, 3])?, &[1], false)?;
//! assert_eq!(y.to_vec::<f32>()?, [3.0, 12.0]);
//! # Ok::<(), mlx_core::Error>(())
//! ```
#![warn(missing_docs)]

mod array;
mod bridge;
mod call;
mod closure;
pub mod compile;
mod device;
mod display;
pub mod distributed;
mod dtype;
mod einsum;
mod error;
pub mod export;
pub mod fast;
pub mod fft;
pub mod gpu_kernel;
pub mod io;
pub mod kernel;
pub mod linalg;
pub mod memory;
pub mod ops;
pub mod random;
mod stream;
pub mod transforms;

pub use array::{Array, async_eval, eval};
pub use device::Device;
pub use dtype::{Dtype, Element};
pub use einsum::{einsum, einsum_path};
pub use error::{Error, Result};
pub use half::{bf16, f16};
pub use stream::{Stream, ThreadLocalStream, synchronize, with_stream};

/// The version of the MLX library in use, such as `0.32.4`.
pub fn version() -> &'static str {
    bridge::runtime::ffi::version()
}

/// Seeds the default random key of this thread.
#[track_caller]
pub fn seed(seed: u64) -> Result<()> {
    call::call!(bridge::runtime::ffi::seed(seed))
}
