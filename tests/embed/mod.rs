//! Text embeddings.

mod cases;
mod errors;
mod late;
mod minilm;
mod modules;
