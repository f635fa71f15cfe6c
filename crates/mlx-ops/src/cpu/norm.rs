//! Root-mean-square normalisation as one kernel; MLX's CPU backend builds it of eight ops.

use super::pool::{self, Shared};
use super::rows::Rows;
use super::simd::{self, Isa, Lanes};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, fast};
use std::ffi::CStr;

/// Elements below which a second thread costs more than it saves.
const PARALLEL: usize = 256 * 1024;

/// `x / sqrt(mean(x^2) + eps) * weight` where this module has a kernel for it: f32 rows on the CPU, with a weight.
pub fn rms_norm(x: &Array, weight: Option<&Array>, eps: f32) -> Option<Result<Array>> {
    let weight = weight?;
    let typed = x.dtype() == Dtype::F32 && weight.dtype() == Dtype::F32;
    let shaped = x.shape().last().is_some_and(|&width| width > 0 && weight.shape() == [width]);
    let fits = typed && shaped && super::is_current();
    fits.then(|| super::one(RmsNorm { eps }, &[x.clone(), weight.clone()]))
}

#[derive(PartialEq)]
struct RmsNorm {
    eps: f32,
}

impl Kernel for RmsNorm {
    fn name(&self) -> &'static CStr {
        c"RmsNorm"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(inputs[0].shape().to_vec(), Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let (x, weight) = (Rows::new(&inputs[0])?, inputs[1].values::<f32>()?);
        let out = outputs[0].values::<f32>()?;
        let width = weight.len();
        // SAFETY: parts of the range of rows write disjoint rows.
        let to = unsafe { Shared::new(out.as_mut_ptr()) };
        pool::split(out.len() / width, 1, out.len() >= PARALLEL, |rows| {
            for row in rows {
                // SAFETY: the row lies in the output, and no other thread writes it.
                let out = unsafe { std::slice::from_raw_parts_mut(to.get().add(row * width), width) };
                let row = Row { x: x.nth(row), weight: &weight, eps: self.eps, out };
                // SAFETY: the instruction set is available; the slices have one length.
                unsafe { simd::run(Isa::best(), row) };
            }
        });
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        Ok(vec![fast::rms_norm(&inputs[0], Some(&inputs[1]), self.eps)?])
    }
}

/// One row.
pub struct Row<'a> {
    pub x: &'a [f32],
    pub weight: &'a [f32],
    pub eps: f32,
    pub out: &'a mut [f32],
}

impl simd::Kernel for Row<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let (n, x, weight, out) = (self.x.len(), self.x.as_ptr(), self.weight.as_ptr(), self.out.as_mut_ptr());
        let whole = n - n % V::LEN;
        // SAFETY: `at` stays within the slices, which have one length.
        unsafe {
            let mut sum = V::splat(0.0);
            for at in (0..whole).step_by(V::LEN) {
                let x = V::load(x.add(at));
                sum = x.mul_add(x, sum);
            }
            let rest = V::load_first(x.add(whole), n - whole);
            let mean = rest.mul_add(rest, sum).sum() / n as f32;
            let scale = V::splat(1.0 / (mean + self.eps).sqrt());
            for at in (0..whole).step_by(V::LEN) {
                V::load(x.add(at)).mul(scale).mul(V::load(weight.add(at))).store(out.add(at));
            }
            rest.mul(scale).mul(V::load_first(weight.add(whole), n - whole)).store_first(out.add(whole), n - whole);
        }
    }
}
