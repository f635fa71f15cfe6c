//! Text embeddings.

mod cases;
mod errors;
mod heads;
mod late;
mod minilm;
mod modules;
mod serve;
