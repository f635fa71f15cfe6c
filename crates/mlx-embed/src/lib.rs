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

mod causal;
mod classify;
mod cut;
mod encode;
mod fill_mask;
mod headed;
mod input;
mod late;
mod layers;
mod load;
mod model;
mod options;
mod pipeline;
mod pooling;
mod precision;
mod question;
mod rerank;
mod router;
mod schedule;
mod score;
#[cfg(feature = "serve")]
pub mod serve;
mod settings;
mod similarity;
mod source;
mod sparse;
mod stage;
mod table;
mod text;
mod vectors;

pub use classify::{Classifier, Label};
pub use encode::{Embedder, Vectors};
pub use fill_mask::{FillMask, Guess};
pub use late::{MultiVector, maxsim};
pub use load::{LoadOptions, load};
pub use mlx_nn::{Error, Result};
pub use options::{EncodeOptions, Overlong, Prompt};
pub use precision::{Precision, Quantized, Ranges};
pub use rerank::{Ranked, Reranker};
pub use score::ScoreOptions;
pub use similarity::Similarity;
pub use source::locate;
pub use sparse::{SparseEncoder, SparseOptions, SparseVector};
pub use vectors::Embeddings;
