//! Packing: the rows of one operand and the columns of the other, in the order in which [`tile`](super::tile) reads them.

use super::simd::Lanes;
use super::source::Float;

/// A cache line, which aligns what is packed.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct Line(#[allow(dead_code)] [f32; LINE]);

/// Floats in a cache line.
pub const LINE: usize = 16;

/// Vectors of a panel of columns.
pub const WIDTH: usize = 2;

/// Rows that a tile has at most: its sums leave three registers for the operands.
#[inline(always)]
pub const fn most_rows(lanes: usize) -> usize {
    if lanes == 16 { 12 } else { 6 }
}

/// Room for `n` floats, aligned; it holds anything.
pub fn room(n: usize) -> Vec<Line> {
    Vec::with_capacity(n.div_ceil(LINE))
}

/// Copies `rows` rows of `k` elements as blocks of a line of each row: tiles then find them at fixed distances.
///
/// # Safety
/// The rows can be read, `to` has room for `k` rounded up to whole lines for each, and the instruction set of `V` is there.
#[inline(always)]
pub unsafe fn pack_rows<V: Lanes>(from: *const f32, ld: usize, rows: usize, k: usize, to: *mut f32) {
    // SAFETY: the caller's; `at` stays within a row.
    unsafe {
        let mut block = to;
        for at in (0..k).step_by(LINE) {
            let n = LINE.min(k - at);
            for i in 0..rows {
                let (from, to) = (from.add(i * ld + at), block.add(i * LINE));
                if n == LINE {
                    (0..LINE).step_by(V::LEN).for_each(|l| V::load(from.add(l)).store(to.add(l)));
                } else {
                    (0..n).for_each(|l| *to.add(l) = *from.add(l));
                }
            }
            block = block.add(rows * LINE);
        }
    }
}

/// As [`pack_rows`] for rows that are stored as columns.
///
/// # Safety
/// As [`pack_rows`].
#[inline(always)]
pub unsafe fn pack_turned_rows<V: Lanes>(from: *const f32, ld: usize, rows: usize, k: usize, to: *mut f32) {
    // SAFETY: the caller's; a square covers columns l .. l + V::LEN of rows i .. i + n.
    unsafe {
        for l in (0..k).step_by(V::LEN) {
            let block = to.add(l / LINE * rows * LINE + l % LINE);
            for i in (0..rows).step_by(V::LEN) {
                let square = square::<V, _>(from.add(l * ld + i), ld, V::LEN.min(k - l), V::LEN.min(rows - i));
                for (y, row) in square.iter().enumerate().take(V::LEN.min(rows - i)) {
                    row.store_first(block.add((i + y) * LINE), V::LEN.min(k - l));
                }
            }
        }
    }
}

/// A square of which `rows` rows of `n` elements are read, the others zero, transposed.
#[inline(always)]
unsafe fn square<V: Lanes, T: Float>(from: *const T, ld: usize, rows: usize, n: usize) -> [V; 16] {
    // SAFETY: the caller passes as many rows.
    unsafe {
        let mut square = [V::splat(0.0); 16];
        if rows == V::LEN && n == V::LEN {
            for (i, row) in square.iter_mut().enumerate().take(V::LEN) {
                *row = T::load(from.wrapping_add(i * ld));
            }
        } else {
            for (i, row) in square.iter_mut().enumerate().take(rows) {
                *row = T::load_first(from.wrapping_add(i * ld), n);
            }
        }
        V::transpose(&mut square);
        square
    }
}

/// Copies `columns` columns of `k` elements, zeros up to the width of a panel: element `l` of every column is one row.
///
/// # Safety
/// The columns can be read, `to` has room for `k` rows of a panel, aligned, and the instruction set of `V` is there.
#[inline(always)]
pub unsafe fn pack_columns<V: Lanes, T: Float>(from: *const T, ld: usize, columns: usize, k: usize, to: *mut f32) {
    // SAFETY: the caller's.
    unsafe {
        for l in 0..k {
            for v in 0..WIDTH {
                let (from, at) = (from.wrapping_add(l * ld + v * V::LEN), v * V::LEN);
                let row: V = match columns >= at + V::LEN {
                    true => T::load(from),
                    false => T::load_first(from, columns.saturating_sub(at)),
                };
                row.store(to.add(l * WIDTH * V::LEN + at));
            }
        }
    }
}

/// As [`pack_columns`] for columns that are stored as rows.
///
/// # Safety
/// As [`pack_columns`].
#[inline(always)]
pub unsafe fn pack_turned_columns<V: Lanes, T: Float>(
    from: *const T,
    ld: usize,
    columns: usize,
    k: usize,
    to: *mut f32,
) {
    // SAFETY: the caller's; a square covers elements l .. l + V::LEN of columns at .. at + n.
    unsafe {
        for v in 0..WIDTH {
            let at = v * V::LEN;
            let n = columns.saturating_sub(at).min(V::LEN);
            for l in (0..k).step_by(V::LEN) {
                let depth = V::LEN.min(k - l);
                let square = square::<V, T>(from.wrapping_add(at * ld + l), ld, n, depth);
                for (y, row) in square.iter().enumerate().take(depth) {
                    row.store(to.add((l + y) * WIDTH * V::LEN + at));
                }
            }
        }
    }
}
