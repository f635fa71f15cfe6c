//! All integration tests, one binary: by layer, then by modality.

mod lm;
