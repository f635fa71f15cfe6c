//! Many rows: panels of the matrix are unpacked for the dense product.

use super::few::Spread;
use super::format::Format;
use super::{Packed, Part};
use crate::cpu::matvec::Product;
use crate::cpu::simd::{self, Isa, Kernel, Lanes};
use std::marker::PhantomData;

/// Bytes of an unpacked panel: it stays in the second-level cache while the product reads it.
const PANEL: usize = 512 * 1024;

/// Rows of a panel.
pub fn rows_of(inner: usize) -> usize {
    (PANEL / 4 / inner).max(16).next_multiple_of(16)
}

/// Unpacks panels of `step` rows and multiplies by them.
pub fn product<F: Format>(isa: Isa, part: &Part<'_>, step: usize) {
    let k = part.matrix.inner;
    let mut panel = vec![0.0f32; step.min(part.range.len()) * k];
    let (mut scales, mut biases) = (Vec::new(), Vec::new());
    for start in part.range.clone().step_by(step) {
        let n = step.min(part.range.end - start);
        let matrix = part.matrix.part(start..start + n);
        matrix.widen(isa, &mut scales, &mut biases);
        let unpack =
            Unpack { matrix, scales: &scales, biases: &biases, to: &mut panel[..n * k], format: PhantomData::<F> };
        // SAFETY: the instruction set is available; the panel has the size of the matrix.
        unsafe { simd::run(isa, unpack) };
        let (a, b, c) = (part.x.as_ptr(), panel.as_ptr(), part.out.wrapping_add(start));
        let (m, ldc) = (part.m, part.rows);
        let p = Product { m, n, k, alpha: 1.0, a, lda: k, b, ldb: k, transposed: true, beta: 0.0, c, ldc };
        // SAFETY: x is (m, k), the panel (n, k), and the output has these columns.
        unsafe { p.many_rows_here(false, isa) };
    }
}

/// Writes the matrix as numbers, in the order of [`super::few::Order`].
struct Unpack<'a, F> {
    matrix: Packed<'a>,
    scales: &'a [f32],
    biases: &'a [f32],
    to: &'a mut [f32],
    format: PhantomData<F>,
}

impl<F: Format> Kernel for Unpack<'_, F> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let inner = self.matrix.inner;
        let (row_words, groups) = (inner * F::BITS / 32, inner / self.matrix.group);
        // SAFETY: the rows lie in the matrix, `at` stays within a row, and `to` has room for them.
        unsafe {
            let spread = Spread::new::<V, F>(self.matrix.group);
            for (row, to) in self.to.chunks_exact_mut(inner).enumerate() {
                let words = self.matrix.words.as_ptr().add(row * row_words);
                let scales = self.scales.as_ptr().add(row * groups);
                let biases = self.biases.as_ptr().add(row * groups);
                let mut at = 0;
                while at < inner {
                    let lanes = V::LEN.min((inner - at) / F::PER_WORD);
                    let first = spread.first(at);
                    let scale = spread.load::<V>(scales.add(first), groups - first);
                    let bias = spread.load::<V>(biases.add(first), groups - first);
                    let w = F::words::<V>(words.add(at * F::BITS / 32), lanes);
                    for shift in 0..F::PER_WORD {
                        let value = F::numbers::<V>(w, shift * F::BITS).mul_add(scale, bias);
                        let to = to.as_mut_ptr().add(at + shift * lanes);
                        match lanes == V::LEN {
                            true => value.store(to),
                            false => value.store_first(to, lanes),
                        }
                    }
                    at += lanes * F::PER_WORD;
                }
            }
        }
    }
}
