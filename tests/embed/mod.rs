//! Text embeddings.

mod cases;
mod errors;
mod heads;
mod minilm;
