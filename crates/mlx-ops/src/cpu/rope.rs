//! Rotary positions as one kernel; MLX's CPU backend builds them of twenty ops.

use super::pool::{self, Shared};
use super::rows::Rows;
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, fast};
use std::ffi::CStr;

/// Elements below which a second thread costs more than it saves.
const PARALLEL: usize = 256 * 1024;

/// How features turn with their position.
#[derive(Clone, Copy, PartialEq)]
pub struct Rope {
    /// Features that turn; the others stay.
    pub dims: i32,
    /// Whether neighbours turn together, in place of halves.
    pub traditional: bool,
    /// The base of the frequencies, unless a table gives them.
    pub base: Option<f32>,
    pub scale: f32,
    pub offset: i32,
}

impl Rope {
    /// The turned features where this module has a kernel for it: f32 of at least three axes on the CPU.
    pub fn apply(self, x: &Array, table: Option<&Array>) -> Option<Result<Array>> {
        let half = self.dims / 2;
        let typed = x.dtype() == Dtype::F32 && table.is_none_or(|table| table.dtype() == Dtype::F32);
        let even = self.dims > 0 && self.dims % 2 == 0 && x.shape().last().is_some_and(|&width| self.dims <= width);
        let shaped = x.ndim() >= 3 && even && table.is_none_or(|table| table.shape() == [half]);
        let fits = typed && shaped && self.base.is_some() != table.is_some() && super::is_current();
        fits.then(|| super::one(self, &[&[x], table.as_slice()].concat().into_iter().cloned().collect::<Vec<_>>()))
    }

    /// Cosines and sines, `(L, dims / 2)` each, rounded at every step as MLX does.
    fn angles(&self, inputs: &[Input<'_>], positions: usize) -> Result<(Vec<f32>, Vec<f32>)> {
        let half = self.dims as usize / 2;
        let inverse: Vec<f32> = match (self.base, inputs.get(1)) {
            (None, Some(table)) => table.values::<f32>()?.iter().map(|wavelength| 1.0 / wavelength).collect(),
            _ => {
                let step = (f64::from(self.base.unwrap_or(1.0)).ln() / half as f64) as f32;
                (0..half).map(|i| (-(i as f32) * step).exp()).collect()
            }
        };
        let position = |t: usize| (t as f32 + self.offset as f32) * self.scale;
        let angles = (0..positions).flat_map(|t| inverse.iter().map(move |inverse| position(t) * inverse));
        Ok(angles.map(|angle| (angle.cos(), angle.sin())).unzip())
    }

    fn turn(&self, x: &[f32], (cos, sin): (&[f32], &[f32]), out: &mut [f32]) {
        let (dims, half) = (self.dims as usize, self.dims as usize / 2);
        out[dims..].copy_from_slice(&x[dims..]);
        if self.traditional {
            let pairs = x[..dims].chunks_exact(2).zip(out[..dims].chunks_exact_mut(2));
            for ((x, out), (cos, sin)) in pairs.zip(cos.iter().zip(sin)) {
                out[0] = x[0] * cos - x[1] * sin;
                out[1] = x[0] * sin + x[1] * cos;
            }
            return;
        }
        let ((x1, x2), (out1, out2)) = (x[..dims].split_at(half), out[..dims].split_at_mut(half));
        for i in 0..half {
            out1[i] = x1[i] * cos[i] - x2[i] * sin[i];
            out2[i] = x1[i] * sin[i] + x2[i] * cos[i];
        }
    }
}

impl Kernel for Rope {
    fn name(&self) -> &'static CStr {
        c"Rope"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(inputs[0].shape().to_vec(), Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let x = Rows::new(&inputs[0])?;
        let [.., positions, width] = *inputs[0].shape() else { return Ok(()) };
        let (positions, width, half) = (positions as usize, width as usize, self.dims as usize / 2);
        let (cos, sin) = self.angles(inputs, positions)?;
        let out = outputs[0].values::<f32>()?;
        // SAFETY: parts of the range of rows write disjoint rows.
        let to = unsafe { Shared::new(out.as_mut_ptr()) };
        pool::split(out.len() / width, 1, out.len() >= PARALLEL, |rows| {
            for row in rows {
                // SAFETY: the row lies in the output, and no other thread writes it.
                let out = unsafe { std::slice::from_raw_parts_mut(to.get().add(row * width), width) };
                let at = row % positions * half;
                self.turn(x.nth(row), (&cos[at..at + half], &sin[at..at + half]), out);
            }
        });
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let Self { dims, traditional, base, scale, offset } = *self;
        Ok(vec![fast::rope(&inputs[0], dims, traditional, base, scale, offset, inputs.get(1))?])
    }
}
