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
mod axes;
mod conv;
#[cfg(target_os = "linux")]
mod cpu;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod cpu;
mod create;
pub mod distributed;
mod elementwise;
pub mod fast;
pub mod fft;
mod index;
pub mod kernel;
pub mod linalg;
mod matrix;
mod nested;
mod operators;
mod packed_attention;
mod precision;
mod projection;
pub mod random;
mod reduce;
mod rotation;
mod self_attention;
mod shape;
mod side_by_side;
mod sort;
mod tensor;
pub mod transforms;

pub use activation::Activation;
pub use axes::{Axes, Axis};
pub use conv::{
    ConvGeneral, Overlap, conv_general, conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d, conv3d,
    convolve,
};
pub use create::{
    Indexing, arange, bartlett, blackman, eye, full, hamming, hanning, identity, linspace, meshgrid, ones, tri, zeros,
};
pub use elementwise::select;
pub use index::{At, Index, Indices, New, Rest, step};
pub use matrix::{BlockMasks, Gather, Quantization, addmm, einsum, einsum_path};
pub use mlx_core::{
    Device, Dtype, Element, Error, Result, Stream, ThreadLocalStream, bf16, f16, io, memory, seed, synchronize,
    version, with_stream,
};
pub use nested::Nested;
pub use operators::Operand;
pub use packed_attention::{PackedAttention, Segment, by_segment};
pub use precision::{Precision, with_precision};
pub use projection::{Matrix, Projection, Sums};
pub use self_attention::SelfAttention;
pub use shape::{PadWith, broadcast_arrays, broadcast_shapes, concatenate, depends, stack};
pub use side_by_side::cpu_streams;
pub use sort::{Side, Unique};
pub use tensor::{Tensor, async_eval, eval};
