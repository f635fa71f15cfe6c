//! A server of vectors and scores over HTTP: OpenAI's interface, and that of Hugging Face's text-embeddings-inference.
//!
//! ```no_run
//! use mlx_embed::load;
//! use mlx_embed::serve::{ServeOptions, Server};
//!
//! let options = ServeOptions { port: 8080, ..ServeOptions::default() };
//! let server = Server::embedder("all-MiniLM-L6-v2", || load("path/to/all-MiniLM-L6-v2"), &options)?;
//! println!("http://{}", server.address());
//! server.wait()?;
//! # Ok::<(), mlx_embed::Error>(())
//! ```
//!
//! The crate's README lists the paths.

mod engine;
mod intake;
mod items;
mod metrics;
mod openai;
mod refusal;
mod rerank;
mod routes;
mod server;
mod tei;

pub use server::{Score, Scores, ServeOptions, Server};
