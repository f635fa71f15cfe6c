//! The index of the largest element of the last axis, such as that of a vocabulary, as one kernel.

use super::pool::{self, Shared};
use super::rows::Rows;
use super::simd::{self, Isa, Lanes};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, ops};
use std::ffi::CStr;

/// Elements below which a second thread costs more than it saves.
const PARALLEL: usize = 64 * 1024;

/// Elements that a thread takes at a time.
const CHUNK: usize = 8192;

/// Elements whose largest is compared with the one so far.
const BLOCK: usize = 256;

/// The index of the first of the largest elements where this module has a kernel for it: f32 along the last axis on the CPU.
///
/// As in MLX, what is no number counts as larger than all numbers.
#[track_caller]
pub fn argmax(x: &Array, axis: i32, keepdims: bool) -> Option<Result<Array>> {
    let is_last = x.ndim() > 0 && (axis == -1 || axis == x.ndim() as i32 - 1);
    let fits = x.dtype() == Dtype::F32 && is_last && x.size() > 0 && super::is_current();
    fits.then(|| super::one(ArgMax { keepdims }, std::slice::from_ref(x)))
}

#[derive(PartialEq)]
struct ArgMax {
    keepdims: bool,
}

impl Kernel for ArgMax {
    fn name(&self) -> &'static CStr {
        c"ArgMax"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let mut shape = inputs[0].shape().to_vec();
        shape.pop();
        if self.keepdims {
            shape.push(1);
        }
        Ok(vec![(shape, Dtype::U32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        compute(Isa::best(), &Rows::new(&inputs[0])?, outputs[0].values::<u32>()?);
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        Ok(vec![ops::argmax(&inputs[0], Some(-1), self.keepdims)?])
    }
}

fn compute(isa: Isa, x: &Rows<'_>, out: &mut [u32]) {
    let width = x.width();
    let chunks = width.div_ceil(CHUNK);
    let mut found = vec![(0.0, 0); out.len() * chunks];
    // SAFETY: every unit writes an element of its own.
    let found_at = unsafe { Shared::new(found.as_mut_ptr()) };
    pool::split(found.len(), 1, out.len() * width >= PARALLEL, |range| {
        for unit in range {
            let (row, start) = (x.nth(unit / chunks), unit % chunks * CHUNK);
            let mut best = (f32::NEG_INFINITY, start);
            let search = Search { x: &row[start..width.min(start + CHUNK)], start, best: &mut best };
            // SAFETY: the instruction set is available; the unit's element is this thread's.
            unsafe {
                simd::run(isa, search);
                *found_at.get().add(unit) = best;
            }
        }
    });
    for (row, (out, found)) in out.iter_mut().zip(found.chunks_exact(chunks)).enumerate() {
        let first = (x.nth(row)[0], 0);
        let larger = |best: (f32, usize), &next: &(f32, usize)| if is_larger(next.0, best.0) { next } else { best };
        *out = found.iter().fold(first, larger).1 as u32;
    }
}

fn is_larger(x: f32, than: f32) -> bool {
    x > than || x.is_nan() && !than.is_nan()
}

/// Looks for the first of the largest of the elements that are larger than `best`.
struct Search<'a> {
    x: &'a [f32],
    /// The index of the first element.
    start: usize,
    best: &'a mut (f32, usize),
}

impl simd::Kernel for Search<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        for (number, block) in self.x.chunks(BLOCK).enumerate() {
            let whole = block.len() - block.len() % V::LEN;
            let (mut largest, mut zeros) = ([f32::NEG_INFINITY; 16], [0.0; 16]);
            // SAFETY: `at` stays within the block; sixteen elements are at least a vector.
            unsafe {
                let (lowest, zero) = (V::splat(f32::MIN), V::splat(0.0));
                let (mut most, mut zeroed) = (V::splat(f32::NEG_INFINITY), zero);
                for at in (0..whole).step_by(V::LEN) {
                    let x = V::load(block.as_ptr().add(at));
                    most = x.max(most);
                    // Times 0, only what is no number or infinite stays; -inf, which is common, is taken out.
                    zeroed = lowest.max(x).mul_add(zero, zeroed);
                }
                most.store(largest.as_mut_ptr());
                zeroed.store(zeros.as_mut_ptr());
            }
            let rest = &block[whole..];
            let most = largest.iter().chain(rest).fold(f32::NEG_INFINITY, |most, &x| most.max(x));
            let odd = zeros.iter().chain(rest).any(|x| x.is_nan());
            let at = match odd.then(|| block.iter().position(|x| x.is_nan())).flatten() {
                Some(at) => at,
                None if most > self.best.0 => block.iter().position(|&x| x == most).unwrap_or(0),
                None => continue,
            };
            *self.best = (block[at], self.start + number * BLOCK + at);
            if block[at].is_nan() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::noise;
    use super::*;

    #[track_caller]
    fn check(isa: Isa, x: &[f32]) {
        let mut want = (f32::NEG_INFINITY, 7);
        for (i, &x) in x.iter().enumerate() {
            if is_larger(x, want.0) {
                want = (x, 7 + i);
            }
        }
        let mut best = (f32::NEG_INFINITY, 7);
        // SAFETY: the instruction set is available.
        unsafe { simd::run(isa, Search { x, start: 7, best: &mut best }) };
        assert_eq!((best.0.to_bits(), best.1), (want.0.to_bits(), want.1), "{isa:?} {}", x.len());
    }

    #[test]
    fn finds_the_first_of_the_largest() {
        for isa in Isa::available() {
            for n in [1, 2, 15, 16, 17, 255, 256, 257, 1000, 8192] {
                let x = noise(&[n]).to_vec::<f32>().unwrap();
                check(isa, &x);
                check(isa, &x.iter().map(|x| x.round()).collect::<Vec<_>>());
                let holes = x.iter().enumerate().map(|(i, &x)| if i % 3 == 1 { f32::NAN } else { x - 9.0 });
                check(isa, &holes.collect::<Vec<_>>());
                check(isa, &vec![f32::NEG_INFINITY; n as usize]);
                let mut last = vec![-1.0; n as usize];
                last[n as usize - 1] = 0.0;
                check(isa, &last);
            }
        }
    }
}
