//! Few rows: every code of the matrix is widened in registers and multiplied there.

use super::Part;
use super::format::Format;
use crate::cpu::simd::{Kernel, Lanes, prefetch};
use std::marker::PhantomData;

/// Rows of the matrix that are multiplied together.
pub const STEP: usize = 4;

/// Rows whose scales and biases are widened together.
const WIDENED: usize = 32;

/// Rows by which memory is asked ahead: lines of four rows in turn are no stream that the processor would read ahead.
const AHEAD: usize = 8;

/// Brings rows into the order in which codes come out of their words.
pub struct Order<'a, F> {
    x: &'a [f32],
    inner: usize,
    ordered: &'a mut [f32],
    format: PhantomData<F>,
}

impl<'a, F> Order<'a, F> {
    pub fn new(x: &'a [f32], inner: usize, ordered: &'a mut [f32]) -> Self {
        Self { x, inner, ordered, format: PhantomData }
    }
}

impl<F: Format> Kernel for Order<'_, F> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let full = V::LEN * F::PER_WORD;
        for (from, to) in self.x.chunks_exact(self.inner).zip(self.ordered.chunks_exact_mut(self.inner)) {
            for (from, to) in from.chunks(full).zip(to.chunks_mut(full)) {
                let lanes = from.len() / F::PER_WORD;
                for (word, elements) in from.chunks_exact(F::PER_WORD).enumerate() {
                    for (i, x) in elements.iter().enumerate() {
                        to[i * lanes + word] = *x;
                    }
                }
            }
        }
    }
}

/// The product of a part, without unpacking it.
pub struct Few<'a, F> {
    part: Part<'a>,
    format: PhantomData<F>,
}

/// Some rows of the matrix with their scales and biases widened.
#[derive(Clone, Copy)]
struct Rows {
    first: usize,
    words: *const u32,
    scales: *const f32,
    biases: *const f32,
}

impl<'a, F> Few<'a, F> {
    pub fn new(part: Part<'a>) -> Self {
        Self { part, format: PhantomData }
    }
}

impl<F: Format> Kernel for Few<'_, F> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let (mut scales, mut biases) = (Vec::new(), Vec::new());
        for first in self.part.range.clone().step_by(WIDENED) {
            let end = self.part.range.end.min(first + WIDENED);
            let matrix = self.part.matrix.part(first..end);
            // SAFETY: the caller has the instruction set; rows of x and of the matrix stay within theirs.
            unsafe {
                let scales = matrix.scales.widened::<V>(&mut scales).as_ptr();
                let biases = match matrix.biases {
                    Some(all) => all.widened::<V>(&mut biases).as_ptr(),
                    None => scales,
                };
                let rows = Rows { first, words: matrix.words.as_ptr(), scales, biases };
                let mut row = 0;
                while row + STEP <= end - first {
                    self.ask_ahead(rows.words, row);
                    matrix.ask_ahead(end - first, row, STEP);
                    self.whole_step::<V>(rows, row);
                    row += STEP;
                }
                for row in row..end - first {
                    for i in 0..self.part.m {
                        self.block::<V, 1, 1>(i, rows, row);
                    }
                }
            }
        }
    }
}

impl<F: Format> Few<'_, F> {
    /// Asks for the words [`AHEAD`] rows after those of a step from `row` on.
    #[inline(always)]
    fn ask_ahead(&self, words: *const u32, row: usize) {
        let bytes = self.part.matrix.inner * F::BITS / 8;
        let at = words.cast::<u8>().wrapping_add((row + AHEAD) * bytes);
        for line in (0..STEP * bytes).step_by(64) {
            prefetch(at.wrapping_add(line));
        }
    }

    /// All rows of `x` with [`STEP`] of the given rows from `row` on.
    #[inline(always)]
    unsafe fn whole_step<V: Lanes>(&self, rows: Rows, row: usize) {
        let mut i = 0;
        // SAFETY: the caller's, and i stays within the rows of x.
        unsafe {
            while i + 4 <= self.part.m {
                // As many sums as there are registers for.
                if V::LEN == 16 {
                    self.block::<V, 4, 2>(i, rows, row);
                    self.block::<V, 4, 2>(i, rows, row + 2);
                } else {
                    for row in row..row + STEP {
                        self.block::<V, 4, 1>(i, rows, row);
                    }
                }
                i += 4;
            }
            while i < self.part.m {
                self.block::<V, 1, STEP>(i, rows, row);
                i += 1;
            }
        }
    }

    /// `M` rows of `x` with `N` of the given rows from `row` on, every code widened once.
    #[inline(always)]
    unsafe fn block<V: Lanes, const M: usize, const N: usize>(&self, i: usize, rows: Rows, row: usize) {
        let inner = self.part.matrix.inner;
        let groups = inner / self.part.matrix.group;
        // SAFETY: the caller keeps i + M and row + N within x and the rows; `at` stays within a row.
        unsafe {
            let x = self.part.x.as_ptr().add(i * inner);
            let words = rows.words.add(row * (inner * F::BITS / 32));
            let scales = rows.scales.add(row * groups);
            let spread = Spread::new::<V, F>(self.part.matrix.group);
            let mut totals = match F::BIASED {
                true => self.bias_part::<V, M, N>(i, rows.biases.add(row * groups), groups),
                false => [[V::splat(0.0); N]; M],
            };
            let mut at = 0;
            while at < inner {
                let rest = (inner - at) / F::PER_WORD;
                let (words, x) = (words.add(at * F::BITS / 32), x.add(at));
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
                at += V::LEN * F::PER_WORD;
            }
            let out = self.part.out.add(i * self.part.rows + rows.first + row);
            for (i, totals) in totals.iter().enumerate() {
                for (y, total) in totals.iter().enumerate() {
                    *out.add(i * self.part.rows + y) = total.sum();
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
        let inner = self.part.matrix.inner;
        let lanes = if FULL { V::LEN } else { n };
        // SAFETY: the caller keeps the words and elements within their rows.
        unsafe {
            let mut w = [F::words::<V>(words, lanes); N];
            for (y, w) in w.iter_mut().enumerate().skip(1) {
                *w = F::words::<V>(words.add(y * (inner * F::BITS / 32)), lanes);
            }
            let mut sums = [[V::splat(0.0); N]; M];
            for shift in 0..F::PER_WORD {
                let mut numbers = [V::splat(0.0); N];
                for (numbers, w) in numbers.iter_mut().zip(w) {
                    *numbers = F::numbers::<V>(w, shift * F::BITS);
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let from = x.add(row * inner + shift * lanes);
                    let x = if FULL { V::load(from) } else { V::load_first(from, n) };
                    for (sum, numbers) in sums.iter_mut().zip(numbers) {
                        *sum = numbers.mul_add(x, *sum);
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
        biases: *const f32,
        groups: usize,
    ) -> [[V; N]; M] {
        // SAFETY: the caller keeps i + M within the group sums and N rows within the biases.
        unsafe {
            let mut totals = [[V::splat(0.0); N]; M];
            let sums = self.part.sums.as_ptr().add(i * groups);
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
pub struct Spread<W> {
    index: W,
    /// The group of an element is its position shifted by this.
    shift: u32,
    /// Groups that a vector of words holds.
    most: usize,
}

impl Spread<()> {
    /// # Safety
    /// As [`Lanes`].
    #[inline(always)]
    #[allow(clippy::new_ret_no_self)]
    pub unsafe fn new<V: Lanes, F: Format>(group: usize) -> Spread<V::Words> {
        let mut index = [0u32; 16];
        for (lane, index) in index.iter_mut().enumerate() {
            *index = (lane * F::PER_WORD / group) as u32;
        }
        // SAFETY: sixteen words are at least a vector.
        let index = unsafe { V::words(index.as_ptr()) };
        Spread { index, shift: group.trailing_zeros(), most: (V::LEN * F::PER_WORD).div_ceil(group) }
    }
}

impl<W: Copy> Spread<W> {
    /// The group of the element `at`.
    #[inline(always)]
    pub fn first(&self, at: usize) -> usize {
        at >> self.shift
    }

    /// Values of groups, of which the row has `left` more, each on the lanes of its group.
    ///
    /// # Safety
    /// As [`Lanes`], for as many values.
    #[inline(always)]
    pub unsafe fn load<V: Lanes<Words = W>>(&self, from: *const f32, left: usize) -> V {
        // SAFETY: the caller passes as many values, and a vector holds fewer groups than lanes.
        unsafe { V::load_first(from, self.most.min(left)).pick(self.index) }
    }
}
