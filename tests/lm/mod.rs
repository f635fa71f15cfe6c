//! Language models.

mod errors;
mod generation;
mod presets;
mod smollm2;
