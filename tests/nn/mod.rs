//! Layers, caches and sampling against the reference.

mod cache;
mod rope;
mod sample;
