//! What models are made of: weights, layers, caches, the decoder, tokenizer, sampling, and the one generation loop.
//!
//! A text model is described by a [`decoder::DecoderConfig`], built from [`Weights`], and run by
//! [`generate::Generation`]. Only [`weights`], [`gguf`], [`tokenizer`] and [`source`] read files.
#![warn(missing_docs)]

pub mod cache;
pub mod chat;
mod config;
pub mod decoder;
pub mod encoder;
mod error;
mod function;
pub mod generate;
pub mod gguf;
#[cfg(feature = "hub")]
mod hub;
mod linear;
mod norm;
pub mod packed;
pub mod rope;
pub mod source;
pub mod tokenizer;
pub mod weights;

pub use config::Config;
pub use error::{Error, Result};
pub use function::Function;
pub use linear::{Around, Embedding, Linear};
pub use mlx_ops as ops;
pub use norm::{Norm, NormKind};
pub use weights::Weights;
