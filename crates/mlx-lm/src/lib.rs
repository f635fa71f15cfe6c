//! Language models on Apple's MLX.
//!
//! ```no_run
//! use mlx_lm::{Options, load};
//! use std::io::Write;
//!
//! let model = load("mlx-community/SmolLM2-135M-Instruct")?;
//! let mut answer = model.stream("Photosynthesis is the process by which", Options::default())?;
//! for piece in &mut answer {
//!     print!("{}", piece?);
//!     std::io::stdout().flush().ok();
//! }
//! println!("\n{:.1} tokens/s", answer.statistics().generation_tps());
//! # Ok::<(), mlx_lm::Error>(())
//! ```
#![warn(missing_docs)]

mod chat;
mod load;

pub use chat::{Answer, Chat};
pub use load::{LoadOptions, Model, load, load_language};
pub use mlx_nn::chat::Message;
pub use mlx_nn::decoder::Language;
pub use mlx_nn::generate::{Finish, Options, Processor, Progress, Sampling, Statistics, TextStream};
pub use mlx_nn::tokenizer::Tokenizer;
pub use mlx_nn::{Error, Result, ops};
