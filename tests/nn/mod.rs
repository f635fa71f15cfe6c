//! Layers, caches and sampling against the reference.

mod cache;
mod chat;
mod encoder;
mod gguf;
mod pair;
mod rope;
mod sample;
mod seen;
mod tokenizer;
mod torch;
