//! Products with weights that were packed when they were loaded: nothing is packed again for each product but its rows, and
//! a panel streams from memory in order.

use super::matmul::{Cut, tile_rows};
#[cfg(target_arch = "x86_64")]
use super::pairs;
use super::panel::{self, LINE, WIDTH};
use super::pool::{self, Shared};
use super::scratch;
use super::simd::{self, Isa, Kernel, Lanes};
use super::source::Float;
use super::tile::{self, Target};
use mlx_core::kernel::Input;
use mlx_core::{Dtype, Error, Result, bf16, f16};
use std::marker::PhantomData;
use std::ops::Range;

/// Cells of the inner dimension at a time: so many rows of a panel stay in the first-level cache while the rows of `x` pass them.
const DEPTH: usize = 256;

/// Floats of packed rows that stay in the second-level cache while the panels pass them.
const BLOCK: usize = 128 << 10;

/// Floats of packed rows at a time.
const PACKED: usize = 2 << 20;

/// Multiplications below which a second thread costs more than it saves.
const PARALLEL: usize = 256 * 1024;

/// What a row of a panel has for each column.
pub trait Cell: Copy + Sync {
    /// Elements of the inner dimension.
    const ELEMENTS: usize;

    /// Packs rows of `k` elements as [`panel::pack_rows`] does, cells in place of elements.
    ///
    /// # Safety
    /// As [`panel::pack_rows`].
    unsafe fn pack<V: Lanes>(from: *const f32, ld: usize, rows: usize, k: usize, to: *mut f32);

    /// Multiplies as [`tile::tile`] does, over `inner` cells, and asks for the cells behind those where it is to `ask`.
    ///
    /// # Safety
    /// As [`tile::tile`].
    unsafe fn tile<V: Lanes>(rows: usize, a: *const f32, b: *const Self, inner: usize, ask: bool, to: Target);
}

impl<T: Float> Cell for T {
    const ELEMENTS: usize = 1;

    #[inline(always)]
    unsafe fn pack<V: Lanes>(from: *const f32, ld: usize, rows: usize, k: usize, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { panel::pack_rows::<V>(from, ld, rows, k, to) }
    }

    #[inline(always)]
    unsafe fn tile<V: Lanes>(rows: usize, a: *const f32, b: *const Self, inner: usize, ask: bool, to: Target) {
        let ahead = inner * WIDTH * V::LEN;
        // SAFETY: the caller's.
        unsafe {
            match ask {
                true => tile::tile_asking::<V, T, true>(rows, a, b, inner, ahead, to),
                false => tile::tile::<V, T>(rows, a, b, inner, to),
            }
        }
    }
}

/// `out = x @ w.T` for rows of `k` elements and panels of type f32, f16 or bf16, the latter in pairs where they have four axes.
pub fn product_with(isa: Isa, x: &[f32], k: usize, panels: &Input<'_>, out: &mut [f32]) -> Result<()> {
    match (panels.dtype(), panels.shape().len()) {
        (Dtype::F32, 3) => product::<f32>(isa, x, k, &panels.values()?, out),
        (Dtype::F16, 3) => product::<f16>(isa, x, k, &panels.values()?, out),
        (Dtype::Bf16, 3) => product::<bf16>(isa, x, k, &panels.values()?, out),
        #[cfg(target_arch = "x86_64")]
        (Dtype::Bf16, 4) if pairs::fit(k) => product(isa, x, k, pairs::of(&panels.values()?), out),
        (other, axes) => return Err(Error::new(format!("[Projection] panels of {other} with {axes} axes"))),
    }
    Ok(())
}

/// Columns of a panel.
pub fn width(isa: Isa) -> usize {
    WIDTH * isa.lanes()
}

/// `out = x @ w.T` for `x` of shape `(m, k)` and `out` of shape `(m, n)`, with the rows of `w` as the columns of panels:
/// `(panels, k / C::ELEMENTS, width)`, zeros behind the last of them.
pub fn product<C: Cell>(isa: Isa, x: &[f32], k: usize, panels: &[C], out: &mut [f32]) {
    if k == 0 || x.is_empty() || out.is_empty() {
        return out.fill(0.0);
    }
    let (m, inner) = (x.len() / k, k / C::ELEMENTS);
    let n = out.len() / m;
    assert_eq!((x.len(), out.len(), inner * C::ELEMENTS), (m * k, m * n, k), "elements of a product with panels");
    assert_eq!(panels.len(), n.next_multiple_of(width(isa)) * inner, "cells of panels");
    let cut = Cut::new(inner, DEPTH);
    let most = (PACKED / cut.row()).max(1024);
    for (x, out) in x.chunks(most * k).zip(out.chunks_mut(most * n)) {
        block(isa, x, k, panels, out, n, cut);
    }
}

/// Packs some rows, then multiplies them.
fn block<C: Cell>(isa: Isa, x: &[f32], k: usize, panels: &[C], out: &mut [f32], n: usize, cut: Cut) {
    let m = x.len() / k;
    let tiles = m.div_ceil(panel::most_rows(isa.lanes()));
    let parallel = m * n * k >= PARALLEL;
    scratch::aligned(m * cut.row(), |packed| {
        // SAFETY: tiles are packed into, and read from, places of their own; columns are written by one thread each.
        let (rows, c) = unsafe { (Shared::new(packed.as_mut_ptr()), Shared::new(out.as_mut_ptr())) };
        pool::split(tiles, 1, parallel && x.len() >= 64 * 1024, |tiles_here| {
            let pack = PackRows { x, k, m, cut, tiles, range: tiles_here, to: rows.get(), cells: PhantomData::<C> };
            // SAFETY: the rows lie in `x`, and the room is for all of them.
            unsafe { simd::run(isa, pack) }
        });
        pool::split(n.div_ceil(width(isa)), 1, parallel, |range| {
            let columns = Columns { m, n, tiles, cut, rows: rows.get(), panels, range, c: c.get() };
            // SAFETY: the rows are packed, and the panels have as many columns as the output.
            unsafe { simd::run(isa, columns) }
        });
    });
}

/// Packs the rows of some tiles.
struct PackRows<'a, C> {
    x: &'a [f32],
    k: usize,
    m: usize,
    cut: Cut,
    tiles: usize,
    range: Range<usize>,
    to: *mut f32,
    cells: PhantomData<C>,
}

impl<C: Cell> Kernel for PackRows<'_, C> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { x, k, m, cut, tiles, range, to, cells: _ } = self;
        for at in range {
            let rows = tile_rows(m, tiles, at);
            for part in cut.parts() {
                let from = x[rows.start * k + part.start * C::ELEMENTS..].as_ptr();
                // SAFETY: the caller's; parts of all rows come one after the other.
                unsafe {
                    let to = to.add(part.start * m + rows.start * part.len().next_multiple_of(LINE));
                    C::pack::<V>(from, k, rows.len(), part.len() * C::ELEMENTS, to);
                }
            }
        }
    }
}

/// Some panels of a product whose rows are packed.
struct Columns<'a, C> {
    m: usize,
    n: usize,
    tiles: usize,
    cut: Cut,
    rows: *const f32,
    panels: &'a [C],
    range: Range<usize>,
    c: *mut f32,
}

impl<C: Cell> Kernel for Columns<'_, C> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { m, n, tiles, cut, rows, panels, range, c } = self;
        let width = WIDTH * V::LEN;
        let most = (BLOCK / (panel::most_rows(V::LEN) * cut.row())).max(1);
        let step = tiles.div_ceil(tiles.div_ceil(most));
        for first in (0..tiles).step_by(step) {
            for panel in range.clone() {
                let columns = width.min(n - panel * width);
                for part in cut.parts() {
                    let beta = if part.start == 0 { 0.0 } else { 1.0 };
                    let b = panels[(panel * cut.k + part.start) * width..].as_ptr();
                    for at in first..tiles.min(first + step) {
                        let tile = tile_rows(m, tiles, at);
                        // SAFETY: the caller's; tile and panel lie in the output.
                        unsafe {
                            let a = rows.add(part.start * m + tile.start * part.len().next_multiple_of(LINE));
                            let c = c.add(tile.start * n + panel * width);
                            let to = Target { c, ldc: n, columns, alpha: 1.0, beta };
                            // The next part of the panel, or the next panel, adjoins.
                            C::tile::<V>(tile.len(), a, b, part.len(), at == first, to);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::blas::tests::noise;
    use mlx_core::{bf16, f16};

    /// Rows of `w` as columns of panels.
    fn panels<T: Copy>(isa: Isa, w: &[T], k: usize, zero: T) -> Vec<T> {
        let (width, n) = (width(isa), w.len() / k);
        let at = |i: usize| {
            let (panel, l, column) = (i / (k * width), i / width % k, i % width);
            w.get((panel * width + column) * k + l).copied().filter(|_| panel * width + column < n)
        };
        (0..n.next_multiple_of(width) * k).map(|i| at(i).unwrap_or(zero)).collect()
    }

    #[track_caller]
    fn check<T: Float>(isa: Isa, [m, n, k]: [usize; 3], narrow: fn(f32) -> T, wide: fn(T) -> f32) {
        let x = noise(m * k, 1);
        let w: Vec<T> = noise(n * k, 2).into_iter().map(narrow).collect();
        let mut out = vec![f32::NAN; m * n];
        product(isa, &x, k, &panels(isa, &w, k, narrow(0.0)), &mut out);
        for (at, &new) in out.iter().enumerate() {
            let (i, j) = (at / n, at % n);
            let want: f64 = (0..k).map(|l| f64::from(x[i * k + l]) * f64::from(wide(w[j * k + l]))).sum();
            let error = (f64::from(new) - want).abs();
            assert!(error < 1e-5 * (k as f64).sqrt(), "{isa:?} m={m} n={n} k={k} ({i}, {j}): {new} is not {want}");
        }
    }

    #[test]
    fn agrees_with_f64() {
        for isa in Isa::available() {
            for m in [1, 2, 5, 13, 31] {
                for (n, k) in [(1, 1), (3, 2), (33, 15), (48, 64), (65, 17), (129, 515)] {
                    check::<f32>(isa, [m, n, k], |x| x, |x| x);
                    check(isa, [m, n, k], f16::from_f32, f16::to_f32);
                    check(isa, [m, n, k], bf16::from_f32, bf16::to_f32);
                }
            }
            check::<f32>(isa, [130, 301, 1100], |x| x, |x| x);
        }
    }

    #[test]
    fn more_rows_than_are_packed_at_a_time() {
        check::<f32>(Isa::best(), [1500, 40, 2100], |x| x, |x| x);
    }

    #[test]
    fn nothing_to_add_gives_zeros() {
        let mut out = [f32::NAN; 6];
        product::<f32>(Isa::best(), &[], 0, &[], &mut out);
        assert_eq!(out, [0.0; 6]);
        product::<f32>(Isa::best(), &[], 4, &vec![1.0; 4 * width(Isa::best())], &mut []);
    }
}
