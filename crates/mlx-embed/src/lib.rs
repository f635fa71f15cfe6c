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

mod cut;
mod encode;
mod input;
mod late;
mod layers;
mod load;
mod model;
mod options;
mod pooling;
mod precision;
mod router;
mod schedule;
mod settings;
mod similarity;
mod source;
mod stage;
mod table;
mod text;
mod vectors;

pub use encode::{Embedder, Vectors};
pub use late::{MultiVector, maxsim};
pub use load::{LoadOptions, load};
pub use mlx_nn::{Error, Result};
pub use options::{EncodeOptions, Overlong, Prompt};
pub use precision::{Precision, Quantized, Ranges};
pub use similarity::Similarity;
pub use source::locate;
pub use vectors::Embeddings;
