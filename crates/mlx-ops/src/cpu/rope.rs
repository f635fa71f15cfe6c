//! Rotary positions as one kernel; MLX's CPU backend builds them of twenty ops.

use super::pool::{self, Shared};
use super::rows::Rows;
use crate::Tensor;
use crate::rotation::{self, Frequencies, Rotation};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Error, Result};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::CStr;
use std::rc::Rc;

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
    /// A factor on the features that turn.
    pub amplitude: f32,
    pub offset: i32,
}

/// Cosines and sines, `(L, dims / 2)` each, times the amplitude.
pub struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rope {
    pub fn new(rotation: &Rotation<'_>, offset: i32) -> Self {
        let &Rotation { dims, traditional, scale, amplitude, .. } = rotation;
        Self { dims, traditional, base: rotation.parts().0, scale, amplitude, offset }
    }

    /// What [`Rope::new`] was made of, with the table if there was one.
    pub fn rotation<'a>(&self, table: Option<&'a Tensor>) -> Rotation<'a> {
        let &Self { dims, traditional, base, scale, amplitude, .. } = self;
        let frequencies = table.map_or(Frequencies::Base(base.unwrap_or(1.0)), Frequencies::Table);
        Rotation { dims, traditional, frequencies, scale, amplitude }
    }

    /// Whether this can turn f32 features of which each row has `width`.
    pub fn fits(&self, width: i32, table: Option<&Array>) -> bool {
        let even = self.dims > 0 && self.dims % 2 == 0 && self.dims <= width;
        let known = table.is_none_or(|table| table.dtype() == Dtype::F32 && table.shape() == [self.dims / 2]);
        even && known && self.base.is_some() != table.is_some()
    }

    /// The turned features where this module has a kernel for it: f32 of at least three axes on the CPU.
    pub fn apply(self, x: &Array, table: Option<&Array>) -> Option<Result<Array>> {
        let shaped = x.ndim() >= 3 && self.fits(*x.shape().last()?, table);
        let fits = x.dtype() == Dtype::F32 && shaped && super::is_current();
        fits.then(|| super::one(self, &[&[x], table.as_slice()].concat().into_iter().cloned().collect::<Vec<_>>()))
    }

    /// The angles of so many positions. The layers of a model ask for the same ones, so each thread keeps its last few.
    pub fn angles(&self, table: Option<&[f32]>, positions: usize) -> Rc<Angles> {
        type Known = VecDeque<(Rope, Vec<f32>, usize, Rc<Angles>)>;
        thread_local! {
            static KNOWN: RefCell<Known> = const { RefCell::new(VecDeque::new()) };
        }
        let wavelengths = table.unwrap_or_default();
        KNOWN.with_borrow_mut(|known| {
            let same =
                |entry: &&(Rope, Vec<f32>, usize, _)| (&entry.0, &*entry.1, entry.2) == (self, wavelengths, positions);
            if let Some((.., angles)) = known.iter().find(same) {
                return angles.clone();
            }
            let angles = Rc::new(self.compute(table, positions));
            known.truncate(3);
            known.push_front((*self, wavelengths.to_vec(), positions, angles.clone()));
            angles
        })
    }

    /// Rounded at every step as MLX does.
    fn compute(&self, table: Option<&[f32]>, positions: usize) -> Angles {
        let half = self.dims as usize / 2;
        let inverse: Vec<f32> = match table {
            Some(table) => table.iter().map(|wavelength| 1.0 / wavelength).collect(),
            None => {
                let step = (f64::from(self.base.unwrap_or(1.0)).ln() / half as f64) as f32;
                (0..half).map(|i| (-(i as f32) * step).exp()).collect()
            }
        };
        let position = |t: usize| (t as f32 + self.offset as f32) * self.scale;
        let angles = (0..positions).flat_map(|t| inverse.iter().map(move |inverse| position(t) * inverse));
        let (cos, sin) = angles.map(|angle| (self.amplitude * angle.cos(), self.amplitude * angle.sin())).unzip();
        Angles { cos, sin }
    }

    /// Turns the features of the `position`-th row.
    pub fn turn(&self, x: &[f32], angles: &Angles, position: usize, out: &mut [f32]) {
        let (dims, half) = (self.dims as usize, self.dims as usize / 2);
        let at = position * half..(position + 1) * half;
        let (cos, sin) = (&angles.cos[at.clone()], &angles.sin[at]);
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
        let (positions, width) = (positions as usize, width as usize);
        let table = inputs.get(1).map(|table| table.values::<f32>()).transpose()?;
        let angles = self.angles(table.as_deref(), positions);
        let angles = &*angles;
        let out = outputs[0].values::<f32>()?;
        // SAFETY: parts of the range of rows write disjoint rows.
        let to = unsafe { Shared::new(out.as_mut_ptr()) };
        pool::split(out.len() / width, 1, out.len() >= PARALLEL, |rows| {
            for row in rows {
                // SAFETY: the row lies in the output, and no other thread writes it.
                let out = unsafe { std::slice::from_raw_parts_mut(to.get().add(row * width), width) };
                self.turn(x.nth(row), angles, row % positions, out);
            }
        });
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let [x, table] = [inputs.first(), inputs.get(1)].map(|array| array.cloned().map(Tensor));
        let x = x.ok_or_else(|| Error::new("[Rope] the input is missing"))?;
        Ok(vec![rotation::composed(&x, &self.rotation(table.as_ref()), self.offset)?.0])
    }
}
