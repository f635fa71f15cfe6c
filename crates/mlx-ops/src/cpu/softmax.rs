//! Softmax over the last axis, such as that of a vocabulary, as one kernel.

use super::pool::{self, Shared};
use super::rows::Rows;
use super::simd::{self, Isa, Lanes};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, ops};
use std::ffi::CStr;

/// Elements below which a second thread costs more than it saves.
const PARALLEL: usize = 32 * 1024;

/// Elements that are worked on at a time: they stay in the first-level cache.
const CHUNK: usize = 4096;

/// The softmax over the last axis where this module has a kernel for it: f32 on the CPU.
#[track_caller]
pub fn softmax(x: &Array) -> Option<Result<Array>> {
    let fits = x.dtype() == Dtype::F32 && x.ndim() > 0 && x.size() > 0 && super::is_current();
    fits.then(|| super::one(Softmax, std::slice::from_ref(x)))
}

#[derive(PartialEq)]
struct Softmax;

impl Kernel for Softmax {
    fn name(&self) -> &'static CStr {
        c"Softmax"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(inputs[0].shape().to_vec(), Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        compute(Isa::best(), &Rows::new(&inputs[0])?, outputs[0].values::<f32>()?);
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        Ok(vec![ops::softmax(&inputs[0], &[-1], true)?])
    }
}

fn compute(isa: Isa, x: &Rows<'_>, out: &mut [f32]) {
    let (width, size) = (x.width(), out.len());
    let chunks = width.div_ceil(CHUNK);
    let units = size / width * chunks;
    // The row of a unit, and its chunk of the row.
    let place = |unit: usize| (unit / chunks, unit % chunks * CHUNK..width.min((unit % chunks + 1) * CHUNK));
    let mut parts = vec![(0.0, 0.0); units];
    // SAFETY: units write disjoint chunks, and a part each.
    let (to, parts_at) = unsafe { (Shared::new(out.as_mut_ptr()), Shared::new(parts.as_mut_ptr())) };
    let chunk_of = |unit: usize| {
        let (row, range) = place(unit);
        // SAFETY: the chunk lies in the output, and the threads share units out.
        unsafe { std::slice::from_raw_parts_mut(to.get().add(row * width + range.start), range.len()) }
    };
    pool::split(units, 1, size >= PARALLEL, |range| {
        for unit in range {
            let (row, range) = place(unit);
            let mut part = (0.0, 0.0);
            let weigh = Weigh { x: &x.nth(row)[range], out: chunk_of(unit), part: &mut part };
            // SAFETY: the instruction set is available; the unit's part is this thread's.
            unsafe {
                simd::run(isa, weigh);
                *parts_at.get().add(unit) = part;
            }
        }
    });
    let factors: Vec<f32> = parts.chunks_exact(chunks).flat_map(factors).collect();
    pool::split(units, 1, size >= PARALLEL, |range| {
        for unit in range {
            chunk_of(unit).iter_mut().for_each(|x| *x *= factors[unit]);
        }
    });
}

/// What the weights of each chunk of a row are to be multiplied with; no numbers where the row has nothing but -inf.
fn factors(parts: &[(f32, f32)]) -> impl Iterator<Item = f32> {
    let most = parts.iter().fold(f32::NEG_INFINITY, |most, part| most.max(part.0));
    let total: f32 = parts.iter().map(|part| part.1 * (part.0 - most).exp()).sum();
    parts.iter().map(move |part| (part.0 - most).exp() / total)
}

/// Weights relative to the largest element of a chunk.
struct Weigh<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
    /// The largest element, and the sum of the weights.
    part: &'a mut (f32, f32),
}

impl simd::Kernel for Weigh<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let (n, x, out) = (self.x.len(), self.x.as_ptr(), self.out.as_mut_ptr());
        let whole = n - n % V::LEN;
        // SAFETY: `at` stays within the slices, which have one length; sixteen elements are at least a vector.
        unsafe {
            // What fills the last vector weighs nothing.
            let mut last = [f32::NEG_INFINITY; 16];
            last[..n - whole].copy_from_slice(&self.x[whole..]);
            let last = V::load(last.as_ptr());
            let mut most = last.max(V::splat(f32::NEG_INFINITY));
            for at in (0..whole).step_by(V::LEN) {
                most = V::load(x.add(at)).max(most);
            }
            let mut lanes = [f32::NEG_INFINITY; 16];
            most.store(lanes.as_mut_ptr());
            let most = lanes.iter().fold(f32::NEG_INFINITY, |most, &x| most.max(x));
            // Where all is -inf, it less itself would be no number.
            let (shift, one) = (V::splat(-most.max(f32::MIN)), V::splat(1.0));
            let weight = simd::exp_or_zero(last.mul_add(one, shift));
            weight.store_first(out.add(whole), n - whole);
            let mut sum = weight;
            for at in (0..whole).step_by(V::LEN) {
                let weight = simd::exp_or_zero(V::load(x.add(at)).mul_add(one, shift));
                weight.store(out.add(at));
                sum = weight.mul_add(one, sum);
            }
            *self.part = (most, sum.sum());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::noise;
    use super::*;

    #[track_caller]
    fn check(isa: Isa, x: &[f32]) {
        let (mut out, mut part) = (vec![f32::NAN; x.len()], (0.0, 0.0));
        // SAFETY: the instruction set is available; the slices have one length.
        unsafe { simd::run(isa, Weigh { x, out: &mut out, part: &mut part }) };
        let most = x.iter().fold(f32::NEG_INFINITY, |most, &x| most.max(x));
        assert_eq!(part.0, most, "{isa:?} {}", x.len());
        let want: Vec<f64> = x.iter().map(|&x| f64::from(x - most.max(f32::MIN)).exp()).collect();
        let total: f64 = want.iter().sum();
        assert!((f64::from(part.1) - total).abs() <= 1e-6 * total, "{isa:?} {}: {} is not {total}", x.len(), part.1);
        for (i, (&found, &want)) in out.iter().zip(&want).enumerate() {
            // Numbers below the normal ones may lose all their digits.
            let error = (f64::from(found) - want).abs();
            assert!(error <= 4e-7 * want + 2e-38, "{isa:?} {}: element {i} is {found}, not {want}", x.len());
        }
    }

    #[test]
    fn agrees_with_f64() {
        for isa in Isa::available() {
            for n in [1, 3, 8, 15, 16, 17, 100, 4096] {
                let x: Vec<f32> = noise(&[n]).to_vec::<f32>().unwrap().iter().map(|x| x * 20.0).collect();
                check(isa, &x);
                let mut hidden = x.clone();
                hidden.iter_mut().step_by(2).for_each(|x| *x = f32::NEG_INFINITY);
                check(isa, &hidden);
                check(isa, &vec![f32::NEG_INFINITY; n as usize]);
            }
        }
    }
}
