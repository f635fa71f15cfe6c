//! Language models.

mod presets;
