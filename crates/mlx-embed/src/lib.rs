//! From text to vectors on Apple's MLX, as sentence-transformers defines it.
//!
//! ```no_run
//! use mlx_embed::{EncodeOptions, Similarity, load};
//!
//! let model = load("path/to/all-MiniLM-L6-v2")?;
//! let vectors = model.encode(&["A cat sits outside.", "The new film is great."], &EncodeOptions::default())?;
//! println!("{} texts, {} numbers each: {:?}", vectors.len(), vectors.dims(), &vectors.row(0)[..4]);
//! println!("{:?}", Similarity::Cosine.between(&vectors, &vectors)?);
//! # Ok::<(), mlx_embed::Error>(())
//! ```
#![warn(missing_docs)]

mod encode;
mod load;
mod options;
mod pooling;
mod precision;
mod schedule;
#[cfg(feature = "serve")]
pub mod serve;
mod settings;
mod similarity;
mod stage;
mod text;
mod vectors;

pub use encode::{Embedder, Vectors};
pub use load::{LoadOptions, load};
pub use mlx_nn::{Error, Result};
pub use options::{EncodeOptions, Overlong, Prompt};
pub use precision::{Precision, Quantized, Ranges};
pub use similarity::Similarity;
pub use vectors::Embeddings;
