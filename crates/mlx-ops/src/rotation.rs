//! Rotary positions.

use crate::{Tensor, concatenate, cpu};
use mlx_core::{Result, fast};

/// Where rotary frequencies come from.
#[derive(Clone, Copy, Debug)]
pub enum Frequencies<'a> {
    /// Powers of a base such as 10,000.
    Base(f32),
    /// One wavelength over 2 pi per pair of features, shape `(dims / 2,)`, f32.
    Table(&'a Tensor),
}

/// How features turn with their position.
#[derive(Clone, Copy, Debug)]
pub struct Rotation<'a> {
    /// Leading features that turn; the others stay.
    pub dims: i32,
    /// Neighbours turn together, instead of the two halves.
    pub traditional: bool,
    /// How fast each pair turns.
    pub frequencies: Frequencies<'a>,
    /// A factor on the positions.
    pub scale: f32,
    /// A factor on the features that turn.
    pub amplitude: f32,
}

impl<'a> Rotation<'a> {
    /// The frequencies' base, if no table gives them, and the table.
    pub(crate) fn parts(&self) -> (Option<f32>, Option<&'a Tensor>) {
        match self.frequencies {
            Frequencies::Base(base) => (Some(base), None),
            Frequencies::Table(table) => (None, Some(table)),
        }
    }
}

/// Turns the features of `(.., L, D)`, whose first position is `offset`.
#[track_caller]
pub fn rope(x: &Tensor, rotation: &Rotation<'_>, offset: i32) -> Result<Tensor> {
    match cpu::Rope::new(rotation, offset).apply(&x.0, rotation.parts().1.map(|table| &table.0)) {
        Some(turned) => turned.map(Tensor),
        None => composed(x, rotation, offset),
    }
}

/// [`rope`] of a batch whose entries begin at positions of their own, `(B,)` integers, or all at one, a scalar.
#[track_caller]
pub fn rope_at(x: &Tensor, rotation: &Rotation<'_>, offsets: &Tensor) -> Result<Tensor> {
    let &Rotation { dims, traditional, scale, amplitude, .. } = rotation;
    let (base, table) = rotation.parts();
    let scaled = if amplitude == 1.0 { None } else { Some(scale_first(x, dims, amplitude)?) };
    let x = scaled.as_ref().unwrap_or(x);
    fast::rope_at(&x.0, dims, traditional, base, scale, &offsets.0, table.map(|table| &table.0)).map(Tensor)
}

/// The same by MLX's ops.
pub(crate) fn composed(x: &Tensor, rotation: &Rotation<'_>, offset: i32) -> Result<Tensor> {
    let &Rotation { dims, traditional, scale, amplitude, .. } = rotation;
    let (base, table) = rotation.parts();
    let scaled = if amplitude == 1.0 { None } else { Some(scale_first(x, dims, amplitude)?) };
    let x = scaled.as_ref().unwrap_or(x);
    fast::rope(&x.0, dims, traditional, base, scale, offset, table.map(|table| &table.0)).map(Tensor)
}

/// Multiplies the first `dims` features.
fn scale_first(x: &Tensor, dims: i32, scale: f32) -> Result<Tensor> {
    if x.dim(-1)? == dims {
        return x * scale;
    }
    let parts = x.split([dims], -1)?;
    concatenate(&[(&parts[0] * scale)?, parts[1].clone()], -1)
}
