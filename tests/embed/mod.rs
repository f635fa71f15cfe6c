//! Text embeddings.

mod cases;
mod errors;
mod minilm;
