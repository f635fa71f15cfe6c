//! Tensors for Rust over Apple's MLX.
//!
//! [`Tensor`] has a method for everything with a subject and free functions ([`zeros`], [`concatenate`], [`fast::rope`]) for the rest.
//! Everything is lazy, fallible and named as in `mlx.core`; a scalar operand takes the tensor's dtype.
//!
//! ```
//! use mlx_ops::{Tensor, fast};
//! let x = Tensor::from_slice(&[1f32, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?;
//! let y = ((&x * 2.0)? + x.i((0, ..))?)?;
//! assert_eq!(y.to_vec::<f32>()?, [3.0, 6.0, 9.0, 9.0, 12.0, 15.0]);
//! let [rows, _] = y.dims()?;
//! assert_eq!(rows, 2);
//! # Ok::<(), mlx_ops::Error>(())
//! ```
#![warn(missing_docs)]

mod activation;
mod attention;
#[cfg(target_os = "linux")]
mod cpu;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod cpu;
mod create;
mod elementwise;
pub mod fast;
mod index;
mod matrix;
mod operators;
mod precision;
mod projection;
pub mod random;
mod reduce;
mod rotation;
mod self_attention;
mod shape;
mod tensor;
pub mod transforms;

pub use activation::Activation;
pub use create::{arange, eye, full, linspace, ones, tri, zeros};
pub use elementwise::select;
pub use index::{Index, Indices, New, Rest};
pub use matrix::{Gather, Quantization, addmm};
pub use mlx_core::{Device, Dtype, Element, Error, Result, Stream, bf16, f16, io, memory, seed, version, with_stream};
pub use operators::Operand;
pub use precision::{Precision, with_precision};
pub use projection::{Matrix, Projection};
pub use reduce::Axes;
pub use self_attention::SelfAttention;
pub use shape::{concatenate, stack};
pub use tensor::{Tensor, async_eval, eval};
