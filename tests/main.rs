//! All integration tests, one binary: by layer, then by modality.

mod core;
mod embed;
mod lm;
mod nn;
mod ops;
