//! The gated activation as one kernel.

use super::pool::{self, Shared};
use super::simd::{self, Isa, Lanes};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, ops};
use std::ffi::CStr;

/// Elements below which a second thread costs more than it saves.
const PARALLEL: usize = 64 * 1024;

/// `gate * sigmoid(gate) * x` where this module has a kernel for it: f32 of one shape on the CPU.
pub fn swiglu(gate: &Array, x: &Array) -> Option<Result<Array>> {
    let typed = gate.dtype() == Dtype::F32 && x.dtype() == Dtype::F32;
    let fits = typed && gate.shape() == x.shape() && super::is_current();
    fits.then(|| super::one(Swiglu, &[gate.clone(), x.clone()]))
}

#[derive(PartialEq)]
struct Swiglu;

impl Kernel for Swiglu {
    fn name(&self) -> &'static CStr {
        c"Swiglu"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(inputs[0].shape().to_vec(), Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let (gate, x) = (inputs[0].values::<f32>()?, inputs[1].values::<f32>()?);
        let out = outputs[0].values::<f32>()?;
        // SAFETY: parts of the range write disjoint elements.
        let to = unsafe { Shared::new(out.as_mut_ptr()) };
        pool::split(out.len(), 1024, out.len() >= PARALLEL, |range| {
            // SAFETY: the range lies in the output, and no other thread writes it.
            let out = unsafe { std::slice::from_raw_parts_mut(to.get().add(range.start), range.len()) };
            let part = Part { gate: &gate[range.clone()], x: &x[range], out };
            // SAFETY: the instruction set is available; the slices have one length.
            unsafe { simd::run(Isa::best(), part) };
        });
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let silu = ops::multiply(&inputs[0], &ops::sigmoid(&inputs[0])?)?;
        Ok(vec![ops::multiply(&silu, &inputs[1])?])
    }
}

struct Part<'a> {
    gate: &'a [f32],
    x: &'a [f32],
    out: &'a mut [f32],
}

impl simd::Kernel for Part<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let (gate, x, out) = (self.gate.as_ptr(), self.x.as_ptr(), self.out.as_mut_ptr());
        let (n, whole) = (self.x.len(), self.x.len() - self.x.len() % V::LEN);
        // SAFETY: `at` stays within the slices, which have one length.
        unsafe {
            for at in (0..whole).step_by(V::LEN) {
                gated(V::load(gate.add(at)), V::load(x.add(at))).store(out.add(at));
            }
            let rest = n - whole;
            let last = gated(V::load_first(gate.add(whole), rest), V::load_first(x.add(whole), rest));
            last.store_first(out.add(whole), rest);
        }
    }
}

/// # Safety
/// As [`Lanes`].
#[inline(always)]
unsafe fn gated<V: Lanes>(gate: V, x: V) -> V {
    // SAFETY: the caller's.
    unsafe {
        let one = V::splat(1.0);
        let inverse = simd::exp(gate.mul(V::splat(-1.0))).mul_add(one, one);
        // Far below zero the quotient would not vanish, since `exp` ends at 88.
        V::splat(-200.0).max(gate).div(inverse).mul(x)
    }
}
