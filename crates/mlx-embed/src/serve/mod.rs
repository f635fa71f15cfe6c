//! A server of vectors and scores over HTTP: OpenAI's interface, and that of Hugging Face's text-embeddings-inference.

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

pub use server::{Score, ServeOptions, Server};
