//! Products with a packed matrix: codes widen in registers, so that memory moves the packed bytes alone.
//!
//! A 32-bit word holds `32 / bits` neighbouring elements. A vector of words, shifted `i` times by `bits`, gives elements
//! `i, i + 32 / bits, ..`: so `x` is brought into that order once, in place of every row of the matrix.

use super::matvec::Product;
use super::pool::{self, Shared};
use super::simd::{self, Isa, Kernel, Lanes};
use std::ops::Range;

/// A matrix of `rows * inner` elements, each `scale * code + bias` with the scale and bias of its group.
#[derive(Clone, Copy)]
pub struct Packed<'a> {
    pub words: &'a [u32],
    pub scales: &'a [f32],
    pub biases: &'a [f32],
    pub inner: usize,
    /// 2, 4 or 8.
    pub bits: usize,
    /// A power of two that divides `inner`, at least 16.
    pub group: usize,
}

/// Rows of `x` up to which the codes are widened in registers; above, panels of the matrix are unpacked.
const FEW_ROWS: usize = 48;

/// Rows of `x` from which fixed-point numbers are faster where the processor has the instructions.
#[cfg(target_arch = "x86_64")]
const FIXED_ROWS: usize = 2;

/// Multiplications below which a second thread costs more than it saves.
const PARALLEL: usize = 256 * 1024;

/// Bytes of an unpacked panel: it stays in the second-level cache while the product reads it.
const PANEL: usize = 512 * 1024;

/// `out = x @ matrix.T` for `x` of shape `(m, inner)` and `out` of shape `(m, rows)`.
pub fn product(isa: Isa, x: &[f32], matrix: &Packed<'_>, out: &mut [f32]) {
    // Nothing divides the empty matrices that follow.
    if matrix.inner == 0 || x.is_empty() || out.is_empty() {
        return out.fill(0.0);
    }
    match matrix.bits {
        2 => product_of::<2>(isa, x, matrix, out),
        4 => product_of::<4>(isa, x, matrix, out),
        _ => product_of::<8>(isa, x, matrix, out),
    }
}

fn product_of<const BITS: usize>(isa: Isa, x: &[f32], matrix: &Packed<'_>, out: &mut [f32]) {
    let m = x.len() / matrix.inner;
    let rows = out.len() / m;
    assert_eq!(matrix.words.len() * (32 / BITS), rows * matrix.inner, "words of a packed matrix");
    assert_eq!(matrix.scales.len() * matrix.group, rows * matrix.inner, "scales of a packed matrix");
    assert_eq!(matrix.biases.len(), matrix.scales.len(), "biases of a packed matrix");
    #[cfg(target_arch = "x86_64")]
    if m >= FIXED_ROWS && super::fixed::product(isa, x, matrix, out) {
        return;
    }
    let mut ordered = vec![0.0; x.len()];
    // SAFETY: the instruction set is available; the lengths were checked.
    unsafe { simd::run(isa, Order::<BITS> { x, inner: matrix.inner, ordered: &mut ordered }) };
    let few = m <= FEW_ROWS;
    let sums = if few { group_sums(x, matrix.group) } else { Vec::new() };
    // SAFETY: parts of a range of rows write disjoint columns of the output.
    let to = unsafe { Shared::new(out.as_mut_ptr()) };
    let step = if few { 4 } else { (PANEL / 4 / matrix.inner).max(16).next_multiple_of(16).min(rows) };
    pool::split(rows, step, m * rows * matrix.inner >= PARALLEL, |range| {
        let part = Part::<BITS> { x: &ordered, sums: &sums, m, matrix, out: to.get(), rows, range };
        match few {
            // SAFETY: the instruction set is available, and the part lies in matrix and output.
            true => unsafe { simd::run(isa, part) },
            false => panels(isa, part, step),
        }
    });
}

/// The sum of each group of `x`, which the group's bias multiplies.
fn group_sums(x: &[f32], group: usize) -> Vec<f32> {
    x.chunks_exact(group).map(|group| group.iter().sum()).collect()
}

/// Elements that one vector of words holds, and how many of its lanes a row of `inner` elements fills from element `at` on.
#[inline(always)]
fn filled<V: Lanes, const BITS: usize>(inner: usize, at: usize) -> usize {
    V::LEN.min((inner - at) / (32 / BITS))
}

/// Brings rows into the order in which codes come out of their words.
struct Order<'a, const BITS: usize> {
    x: &'a [f32],
    inner: usize,
    ordered: &'a mut [f32],
}

impl<const BITS: usize> Kernel for Order<'_, BITS> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let per_word = 32 / BITS;
        for (from, to) in self.x.chunks_exact(self.inner).zip(self.ordered.chunks_exact_mut(self.inner)) {
            for (from, to) in from.chunks(V::LEN * per_word).zip(to.chunks_mut(V::LEN * per_word)) {
                let lanes = from.len() / per_word;
                for (word, elements) in from.chunks_exact(per_word).enumerate() {
                    for (i, x) in elements.iter().enumerate() {
                        to[i * lanes + word] = *x;
                    }
                }
            }
        }
    }
}

/// Some rows of the matrix, which are columns of the output.
struct Part<'a, const BITS: usize> {
    x: &'a [f32],
    sums: &'a [f32],
    m: usize,
    matrix: &'a Packed<'a>,
    out: *mut f32,
    rows: usize,
    range: Range<usize>,
}

impl<const BITS: usize> Kernel for Part<'_, BITS> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let mut j = self.range.start;
        // SAFETY: rows of x and of the matrix stay within theirs.
        unsafe {
            while j + 4 <= self.range.end {
                let mut i = 0;
                while i + 4 <= self.m {
                    // As many sums as there are registers for.
                    if V::LEN == 16 {
                        self.block::<V, 4, 2>(i, j);
                        self.block::<V, 4, 2>(i, j + 2);
                    } else {
                        (0..4).for_each(|row| self.block::<V, 4, 1>(i, j + row));
                    }
                    i += 4;
                }
                while i < self.m {
                    self.block::<V, 1, 4>(i, j);
                    i += 1;
                }
                j += 4;
            }
            while j < self.range.end {
                (0..self.m).for_each(|i| self.block::<V, 1, 1>(i, j));
                j += 1;
            }
        }
    }
}

impl<const BITS: usize> Part<'_, BITS> {
    /// `M` rows of `x` with `N` rows of the matrix, every code widened once.
    #[inline(always)]
    unsafe fn block<V: Lanes, const M: usize, const N: usize>(&self, i: usize, j: usize) {
        let inner = self.matrix.inner;
        let (per_word, groups) = (32 / BITS, inner / self.matrix.group);
        // SAFETY: the caller keeps i + M and j + N within x and the matrix; `at` stays within a row.
        unsafe {
            let x = self.x.as_ptr().add(i * inner);
            let words = self.matrix.words.as_ptr().add(j * (inner / per_word));
            let scales = self.matrix.scales.as_ptr().add(j * groups);
            let spread = Spread::new::<V, BITS>(self.matrix.group);
            let mut totals = self.bias_part::<V, M, N>(i, j, groups);
            let full = V::LEN * per_word;
            let mut at = 0;
            while at < inner {
                let rest = (inner - at) / per_word;
                let (words, x) = (words.add(at / per_word), x.add(at));
                let sums = match rest >= V::LEN {
                    true => self.dots::<V, M, N, true>(x, words, V::LEN),
                    false => self.dots::<V, M, N, false>(x, words, rest),
                };
                let first = spread.first(at);
                for y in 0..N {
                    let scale = spread.load::<V>(scales.add(y * groups + first), groups - first);
                    for (totals, sums) in totals.iter_mut().zip(sums) {
                        totals[y] = scale.mul_add(sums[y], totals[y]);
                    }
                }
                at += full;
            }
            for (row, totals) in totals.iter().enumerate() {
                for (y, total) in totals.iter().enumerate() {
                    *self.out.add((i + row) * self.rows + j + y) = total.sum();
                }
            }
        }
    }

    /// The products of codes and `x` in one vector of words per row, which `n` of its lanes hold unless it is `FULL`.
    #[inline(always)]
    unsafe fn dots<V: Lanes, const M: usize, const N: usize, const FULL: bool>(
        &self,
        x: *const f32,
        words: *const u32,
        n: usize,
    ) -> [[V; N]; M] {
        let inner = self.matrix.inner;
        let (per_word, lanes) = (32 / BITS, if FULL { V::LEN } else { n });
        // SAFETY: the caller keeps the words and elements within their rows.
        unsafe {
            let mut w = [V::words_first(words, 0); N];
            for (y, w) in w.iter_mut().enumerate() {
                let from = words.add(y * (inner / per_word));
                *w = if FULL { V::words(from) } else { V::words_first(from, n) };
            }
            let mut sums = [[V::splat(0.0); N]; M];
            for shift in 0..per_word {
                let mut codes = [V::splat(0.0); N];
                for (codes, w) in codes.iter_mut().zip(w) {
                    *codes = V::codes::<BITS>(w, shift * BITS);
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let from = x.add(row * inner + shift * lanes);
                    let x = if FULL { V::load(from) } else { V::load_first(from, n) };
                    for (sum, codes) in sums.iter_mut().zip(codes) {
                        *sum = codes.mul_add(x, *sum);
                    }
                }
            }
            sums
        }
    }

    /// The products of biases and group sums.
    #[inline(always)]
    unsafe fn bias_part<V: Lanes, const M: usize, const N: usize>(
        &self,
        i: usize,
        j: usize,
        groups: usize,
    ) -> [[V; N]; M] {
        // SAFETY: the caller keeps i + M and j + N within the group sums and the biases.
        unsafe {
            let mut totals = [[V::splat(0.0); N]; M];
            let biases = self.matrix.biases.as_ptr().add(j * groups);
            let sums = self.sums.as_ptr().add(i * groups);
            for at in (0..groups).step_by(V::LEN) {
                let n = V::LEN.min(groups - at);
                for y in 0..N {
                    let from = biases.add(y * groups + at);
                    let bias = if n == V::LEN { V::load(from) } else { V::load_first(from, n) };
                    for (row, totals) in totals.iter_mut().enumerate() {
                        let from = sums.add(row * groups + at);
                        let sum = if n == V::LEN { V::load(from) } else { V::load_first(from, n) };
                        totals[y] = bias.mul_add(sum, totals[y]);
                    }
                }
            }
            totals
        }
    }
}

/// Which group each lane of a vector of words belongs to.
struct Spread<W> {
    index: W,
    /// The group of an element is its position shifted by this.
    shift: u32,
    /// Groups that a vector of words holds.
    most: usize,
}

impl Spread<()> {
    #[inline(always)]
    #[allow(clippy::new_ret_no_self)]
    unsafe fn new<V: Lanes, const BITS: usize>(group: usize) -> Spread<V::Words> {
        let mut index = [0u32; 16];
        for (lane, index) in index.iter_mut().enumerate() {
            *index = (lane * (32 / BITS) / group) as u32;
        }
        // SAFETY: sixteen words are at least a vector.
        let index = unsafe { V::words(index.as_ptr()) };
        Spread { index, shift: group.trailing_zeros(), most: (V::LEN * (32 / BITS)).div_ceil(group) }
    }
}

impl<W: Copy> Spread<W> {
    /// The group of the element `at`.
    #[inline(always)]
    fn first(&self, at: usize) -> usize {
        at >> self.shift
    }

    /// Values of groups, of which the row has `left` more, each on the lanes of its group.
    #[inline(always)]
    unsafe fn load<V: Lanes<Words = W>>(&self, from: *const f32, left: usize) -> V {
        // SAFETY: the caller passes as many values, and a vector holds fewer groups than lanes.
        unsafe { V::load_first(from, self.most.min(left)).pick(self.index) }
    }
}

/// Unpacks panels of rows and multiplies them.
fn panels<const BITS: usize>(isa: Isa, part: Part<'_, BITS>, step: usize) {
    let k = part.matrix.inner;
    let mut panel = vec![0.0f32; step.min(part.range.len()) * k];
    for start in part.range.clone().step_by(step) {
        let range = start..part.range.end.min(start + step);
        let n = range.len();
        // SAFETY: the instruction set is available; the panel has room for the rows, which lie in the matrix.
        unsafe {
            simd::run(isa, Unpack::<BITS> { matrix: part.matrix, range, to: panel.as_mut_ptr() });
        }
        let (a, b, c) = (part.x.as_ptr(), panel.as_ptr(), part.out.wrapping_add(start));
        let (m, ldc) = (part.m, part.rows);
        let p = Product { m, n, k, alpha: 1.0, a, lda: k, b, ldb: k, transposed: true, beta: 0.0, c, ldc };
        // SAFETY: x is (m, k), the panel (n, k), and the output has these columns.
        unsafe { p.many_rows_here(false, isa) };
    }
}

/// Writes rows of the matrix as numbers, in the order of [`Order`].
struct Unpack<'a, const BITS: usize> {
    matrix: &'a Packed<'a>,
    range: Range<usize>,
    to: *mut f32,
}

impl<const BITS: usize> Kernel for Unpack<'_, BITS> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let inner = self.matrix.inner;
        let (per_word, groups) = (32 / BITS, inner / self.matrix.group);
        // SAFETY: rows of the range lie in the matrix, `at` stays within a row, and `to` has room for them.
        unsafe {
            let spread = Spread::new::<V, BITS>(self.matrix.group);
            for (y, j) in self.range.enumerate() {
                let words = self.matrix.words.as_ptr().add(j * (inner / per_word));
                let scales = self.matrix.scales.as_ptr().add(j * groups);
                let biases = self.matrix.biases.as_ptr().add(j * groups);
                let mut at = 0;
                while at < inner {
                    let lanes = filled::<V, BITS>(inner, at);
                    let n = lanes * per_word;
                    let first = spread.first(at);
                    let scale = spread.load::<V>(scales.add(first), groups - first);
                    let bias = spread.load::<V>(biases.add(first), groups - first);
                    let from = words.add(at / per_word);
                    let w = if lanes == V::LEN { V::words(from) } else { V::words_first(from, lanes) };
                    for shift in 0..per_word {
                        let value = V::codes::<BITS>(w, shift * BITS).mul_add(scale, bias);
                        let to = self.to.add(y * inner + at + shift * lanes);
                        match lanes == V::LEN {
                            true => value.store(to),
                            false => value.store_first(to, lanes),
                        }
                    }
                    at += n;
                }
            }
        }
    }
}
