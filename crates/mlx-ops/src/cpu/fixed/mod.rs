//! Products with a packed matrix, in integers: `x` becomes fixed-point numbers of 16 bits.
//!
//! Each group of each row of `x` gets a step `s = max|x| / 32512`, and `q = round(x / s)` is `256 * high + low` with two
//! signed bytes. Codes are unsigned bytes, so AVX-512 VNNI sums `code * high` and `code * low` exactly, and a group adds
//! `s * (scale * sum(code * q) + bias * sum(q))`. An element is off by at most `max|x| / 65024`, a hundredth of bf16's
//! rounding; with `q` in both sums, that error meets the weight itself and not its code.

mod activations;
mod micro;
mod panel;
mod single;
#[cfg(test)]
mod tests;

use super::packed::{Packed, Scales};
use super::pool::{self, Shared};
use super::simd::Isa;
use activations::{Activations, ROWS};
use micro::{COLUMNS, Tile};
use panel::{BLOCK, Panel};
use std::ops::Range;

/// Multiplications below which a second thread costs more than it saves.
const PARALLEL: usize = 512 * 1024;

/// `out = x @ matrix.T`, or `false` with `out` as it was: for another instruction set than AVX-512 with VNNI, for codes
/// and groups that there is no kernel for, or where `x` is not all finite.
pub fn product(isa: Isa, x: &[f32], matrix: &Packed<'_>, out: &mut [f32]) -> bool {
    let vnni = isa == Isa::Avx512 && is_x86_feature_detected!("avx512vnni");
    if !(vnni && matches!(matrix.group, 32 | 64 | 128) && matrix.biases.is_some()) {
        return false;
    }
    match matrix.bits {
        2 => product_of::<2>(x, matrix, out),
        4 => product_of::<4>(x, matrix, out),
        8 => product_of::<8>(x, matrix, out),
        _ => false,
    }
}

fn product_of<const BITS: usize>(x: &[f32], matrix: &Packed<'_>, out: &mut [f32]) -> bool {
    let m = x.len() / matrix.inner;
    let rows = out.len() / m;
    assert_eq!(matrix.words.len() * (32 / BITS), rows * matrix.inner, "words of a packed matrix");
    assert_eq!(matrix.scales.len() * matrix.group, rows * matrix.inner, "scales of a packed matrix");
    assert_eq!(matrix.biases.map_or(0, Scales::len), matrix.scales.len(), "biases of a packed matrix");
    if m == 1 {
        return single::product::<BITS>(x, matrix, out);
    }
    let parallel = m * rows * matrix.inner >= PARALLEL;
    // SAFETY: the caller found the instruction set.
    let Some(x) = (unsafe { Activations::new::<BITS>(x, matrix.inner, matrix.group, parallel) }) else {
        return false;
    };
    // SAFETY: parts of a range of rows write disjoint columns of the output.
    let out = unsafe { Shared::new(out.as_mut_ptr()) };
    pool::split(rows, COLUMNS, parallel, |range| {
        // SAFETY: the caller found the instruction set; the lengths were checked.
        unsafe { columns::<BITS>(&x, matrix, range, out.get(), rows) }
    });
    true
}

/// The columns of the output that belong to some rows of the matrix.
///
/// # Safety
/// AVX-512 with VNNI is there, the range lies in the `rows` of the matrix, and `out` has as many columns and `x`'s rows.
unsafe fn columns<const BITS: usize>(
    x: &Activations,
    matrix: &Packed<'_>,
    range: Range<usize>,
    out: *mut f32,
    rows: usize,
) {
    let mut panel = Panel::new(matrix.group);
    let (mut scales, mut biases) = (Vec::new(), Vec::new());
    for start in range.clone().step_by(COLUMNS) {
        let end = range.end.min(start + COLUMNS);
        matrix.part(start..end).widen(Isa::Avx512, &mut scales, &mut biases);
        for at in (0..matrix.inner).step_by(BLOCK) {
            // SAFETY: the caller's; elements from `at` on are within a row.
            unsafe { panel.fill::<BITS>(matrix, [&scales, &biases], start..end, at..matrix.inner.min(at + BLOCK)) };
            for block in 0..x.blocks() {
                let out = out.wrapping_add(block * ROWS * rows + start);
                let tile = Tile { out, rows, columns: end - start, first: at == 0 };
                // SAFETY: the caller's; the block's rows and these columns are in the output.
                unsafe { micro::run(x.block(block, at), &panel, tile) };
            }
        }
    }
}
