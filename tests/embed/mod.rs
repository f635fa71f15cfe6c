//! Text embeddings.

mod cases;
mod errors;
mod minilm;
mod serve;
