//! Products with a packed matrix: codes widen in registers, so that memory moves the packed bytes alone.
//!
//! A lane holds a few neighbouring codes. A vector of words, shifted `i` times by the bits of a code, gives elements
//! `i, i + per_word, ..`: so `x` is brought into that order once, in place of every row of the matrix.

mod few;
mod format;
mod panels;
mod scales;

use super::pool::{self, Shared};
use super::simd::{self, Isa};
use crate::Precision;
use format::{Float4, Float8, Format, Whole};
pub use scales::Scales;
use std::ops::Range;

/// A matrix of `rows * inner` elements, each `scale * number + bias` with the scale and bias of its group.
#[derive(Clone, Copy)]
pub struct Packed<'a> {
    pub words: &'a [u32],
    pub scales: Scales<'a>,
    /// With biases the codes are whole numbers, else floats.
    pub biases: Option<Scales<'a>>,
    pub inner: usize,
    /// 2, 3, 4, 5, 6 or 8 for whole numbers, 4 or 8 for floats.
    pub bits: usize,
    /// A power of two that divides `inner`, at least 16.
    pub group: usize,
    /// Whether several rows may be multiplied as fixed-point numbers.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "other processors have no such kernel"))]
    pub precision: Precision,
}

impl<'a> Packed<'a> {
    /// The matrix of some of its rows.
    pub fn part(&self, rows: Range<usize>) -> Packed<'a> {
        let (words, groups) = (self.inner * self.bits / 32, self.inner / self.group);
        let part = |all: Scales<'a>| all.part(rows.start * groups..rows.end * groups);
        let (scales, biases) = (part(self.scales), self.biases.map(part));
        Packed { words: &self.words[rows.start * words..rows.end * words], scales, biases, ..*self }
    }

    /// Asks for the scales and biases of the `step` rows that lie as far behind these `rows` as `row` behind their first.
    #[inline(always)]
    pub fn ask_ahead(&self, rows: usize, row: usize, step: usize) {
        for (at, bytes) in [Some(self.scales), self.biases].into_iter().flatten().map(Scales::bytes) {
            let width = bytes / rows;
            for line in (0..step * width).step_by(64) {
                simd::prefetch(at.wrapping_add((rows + row) * width + line));
            }
        }
    }

    /// The scales and biases of all rows as f32, in place of what the buffers held; floats have biases of zero.
    pub fn widen(&self, isa: Isa, scales: &mut Vec<f32>, biases: &mut Vec<f32>) {
        scales::widen_all(isa, self.scales, scales);
        match self.biases {
            Some(all) => scales::widen_all(isa, all, biases),
            None => {
                biases.clear();
                biases.resize(scales.len(), 0.0);
            }
        }
    }
}

/// Rows of `x` up to which the codes are widened in registers; above, panels of the matrix are unpacked.
const FEW_ROWS: usize = 48;

/// Rows of `x` from which fixed-point numbers are faster where the processor has the instructions.
#[cfg(target_arch = "x86_64")]
const FIXED_ROWS: usize = 1;

/// Multiplications below which a second thread costs more than it saves.
const PARALLEL: usize = 256 * 1024;

/// `out = x @ matrix.T` for `x` of shape `(m, inner)` and `out` of shape `(m, rows)`.
pub fn product(isa: Isa, x: &[f32], matrix: &Packed<'_>, out: &mut [f32]) {
    // Nothing divides the empty matrices that follow.
    if matrix.inner == 0 || x.is_empty() || out.is_empty() {
        return out.fill(0.0);
    }
    match (matrix.biases.is_some(), matrix.bits) {
        (true, 2) => product_of::<Whole<2>>(isa, x, matrix, out),
        (true, 3) => product_of::<Whole<3>>(isa, x, matrix, out),
        (true, 4) => product_of::<Whole<4>>(isa, x, matrix, out),
        (true, 5) => product_of::<Whole<5>>(isa, x, matrix, out),
        (true, 6) => product_of::<Whole<6>>(isa, x, matrix, out),
        (true, 8) => product_of::<Whole<8>>(isa, x, matrix, out),
        (false, 4) => product_of::<Float4>(isa, x, matrix, out),
        (false, 8) => product_of::<Float8>(isa, x, matrix, out),
        (_, bits) => panic!("no packed format has {bits} bits"),
    }
}

fn product_of<F: Format>(isa: Isa, x: &[f32], matrix: &Packed<'_>, out: &mut [f32]) {
    let m = x.len() / matrix.inner;
    let rows = out.len() / m;
    assert_eq!(matrix.words.len() * 32, rows * matrix.inner * F::BITS, "words of a packed matrix");
    assert_eq!(matrix.scales.len() * matrix.group, rows * matrix.inner, "scales of a packed matrix");
    let biases = matrix.biases.map_or(0, Scales::len);
    assert_eq!(biases, if F::BIASED { matrix.scales.len() } else { 0 }, "biases of a packed matrix");
    #[cfg(target_arch = "x86_64")]
    if m >= FIXED_ROWS && matrix.precision == Precision::Fast && super::fixed::product(isa, x, matrix, out) {
        return;
    }
    let mut ordered = vec![0.0; x.len()];
    // SAFETY: the instruction set is available; the lengths were checked.
    unsafe { simd::run(isa, few::Order::<F>::new(x, matrix.inner, &mut ordered)) };
    let few = m <= FEW_ROWS;
    let sums = if few && F::BIASED { group_sums(x, matrix.group) } else { Vec::new() };
    // SAFETY: parts of a range of rows write disjoint columns of the output.
    let to = unsafe { Shared::new(out.as_mut_ptr()) };
    let step = if few { few::STEP } else { panels::rows_of(matrix.inner).min(rows) };
    pool::split(rows, step, m * rows * matrix.inner >= PARALLEL, |range| {
        let part = Part { x: &ordered, sums: &sums, m, matrix, out: to.get(), rows, range };
        match few {
            // SAFETY: the instruction set is available, and the part lies in matrix and output.
            true => unsafe { simd::run(isa, few::Few::<F>::new(part)) },
            false => panels::product::<F>(isa, &part, step),
        }
    });
}

/// The sum of each group of `x`, which the group's bias multiplies.
fn group_sums(x: &[f32], group: usize) -> Vec<f32> {
    x.chunks_exact(group).map(|group| group.iter().sum()).collect()
}

/// Some rows of the matrix, which are columns of the output, and all rows of `x` in the order of [`few::Order`].
struct Part<'a> {
    x: &'a [f32],
    sums: &'a [f32],
    m: usize,
    matrix: &'a Packed<'a>,
    out: *mut f32,
    rows: usize,
    range: Range<usize>,
}
