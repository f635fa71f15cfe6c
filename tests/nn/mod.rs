//! Layers, caches and sampling against the reference.

mod cache;
mod chat;
mod gguf;
mod rope;
mod sample;
mod seen;
mod tokenizer;
mod torch;
