//! The innermost loop of a product: a tile of sums that stays in registers.

use super::panel::{LINE, WIDTH};
use super::simd::Lanes;
use super::source::{self, Float};

/// Where a tile goes: `columns` of its columns, as `alpha * tile + beta * c`.
#[derive(Clone, Copy)]
pub struct Target {
    pub c: *mut f32,
    pub ldc: usize,
    pub columns: usize,
    pub alpha: f32,
    pub beta: f32,
}

/// The product of `rows` packed rows and a packed panel of columns, which may widen as it is read, over `k` elements.
///
/// # Safety
/// The panels were packed for these sizes by `panel`, the target can be written, `rows` is at most
/// [`most_rows`](super::panel::most_rows), and the instruction set of `V` is there.
#[inline(always)]
pub unsafe fn tile<V: Lanes, T: Float>(rows: usize, a: *const f32, b: *const T, k: usize, to: Target) {
    // SAFETY: the caller's.
    unsafe { tile_asking::<V, T, false>(rows, a, b, k, 0, to) }
}

/// As [`tile`]; where it is to `ASK`, it asks for what lies `ahead` elements behind the panel that it reads.
///
/// # Safety
/// As [`tile`].
#[inline(always)]
pub unsafe fn tile_asking<V: Lanes, T: Float, const ASK: bool>(
    rows: usize,
    a: *const f32,
    b: *const T,
    k: usize,
    ahead: usize,
    to: Target,
) {
    // SAFETY: the caller's.
    unsafe {
        match rows {
            1 => tile_of::<V, T, 1, ASK>(a, b, k, ahead, to),
            2 => tile_of::<V, T, 2, ASK>(a, b, k, ahead, to),
            3 => tile_of::<V, T, 3, ASK>(a, b, k, ahead, to),
            4 => tile_of::<V, T, 4, ASK>(a, b, k, ahead, to),
            5 => tile_of::<V, T, 5, ASK>(a, b, k, ahead, to),
            6 => tile_of::<V, T, 6, ASK>(a, b, k, ahead, to),
            7 if V::LEN == 16 => tile_of::<V, T, 7, ASK>(a, b, k, ahead, to),
            8 if V::LEN == 16 => tile_of::<V, T, 8, ASK>(a, b, k, ahead, to),
            9 if V::LEN == 16 => tile_of::<V, T, 9, ASK>(a, b, k, ahead, to),
            10 if V::LEN == 16 => tile_of::<V, T, 10, ASK>(a, b, k, ahead, to),
            11 if V::LEN == 16 => tile_of::<V, T, 11, ASK>(a, b, k, ahead, to),
            12 if V::LEN == 16 => tile_of::<V, T, 12, ASK>(a, b, k, ahead, to),
            _ => {}
        }
    }
}

#[inline(always)]
unsafe fn tile_of<V: Lanes, T: Float, const M: usize, const ASK: bool>(
    mut a: *const f32,
    mut b: *const T,
    k: usize,
    ahead: usize,
    to: Target,
) {
    // SAFETY: the caller's; whole lines of k are followed by what is left of it.
    unsafe {
        let mut sums = [[V::splat(0.0); WIDTH]; M];
        for _ in 0..k / LINE {
            for l in 0..LINE {
                if ASK {
                    source::ask(b.wrapping_add(l * WIDTH * V::LEN + ahead), WIDTH * V::LEN);
                }
                step::<V, T, M>(a.wrapping_add(l), b.wrapping_add(l * WIDTH * V::LEN), &mut sums);
            }
            a = a.add(M * LINE);
            b = b.add(LINE * WIDTH * V::LEN);
        }
        for l in 0..k % LINE {
            step::<V, T, M>(a.wrapping_add(l), b.wrapping_add(l * WIDTH * V::LEN), &mut sums);
        }
        write(&sums, to);
    }
}

/// Writes the sums of a tile to where it goes.
///
/// # Safety
/// The target can be written, and the instruction set of `V` is there.
#[inline(always)]
pub unsafe fn write<V: Lanes, const M: usize>(sums: &[[V; WIDTH]; M], to: Target) {
    let whole = to.columns == WIDTH * V::LEN;
    // SAFETY: the caller's.
    unsafe {
        match to.beta == 0.0 {
            true if whole => put::<V, M, false>(sums, to.c, to.ldc, to),
            false if whole => put::<V, M, true>(sums, to.c, to.ldc, to),
            _ => put_some(sums, to),
        }
    }
}

/// Adds the products of one element of each row with one row of the panel.
#[inline(always)]
unsafe fn step<V: Lanes, T: Float, const M: usize>(a: *const f32, b: *const T, sums: &mut [[V; WIDTH]; M]) {
    // SAFETY: the caller's.
    unsafe {
        let mut columns = [V::splat(0.0); WIDTH];
        for (v, columns) in columns.iter_mut().enumerate() {
            *columns = T::load(b.wrapping_add(v * V::LEN));
        }
        for (i, sums) in sums.iter_mut().enumerate() {
            let x = V::splat(a.wrapping_add(i * LINE).read_unaligned());
            for (sum, columns) in sums.iter_mut().zip(columns) {
                *sum = x.mul_add(columns, *sum);
            }
        }
    }
}

/// Writes a whole tile to rows of `c`, whose old values count where it is `READ`.
///
/// The body is small, so that the compiler unrolls it: sums that a loop indexes would not be kept in registers.
#[inline(always)]
unsafe fn put<V: Lanes, const M: usize, const READ: bool>(
    sums: &[[V; WIDTH]; M],
    c: *mut f32,
    ldc: usize,
    scales: Target,
) {
    // SAFETY: the caller's.
    unsafe {
        let (alpha, beta) = (V::splat(scales.alpha), V::splat(scales.beta));
        for (i, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                let c = c.wrapping_add(i * ldc + v * V::LEN);
                let mut new = sum.mul(alpha);
                if READ {
                    new = V::load(c).mul_add(beta, new);
                }
                new.store(c);
            }
        }
    }
}

/// Writes the first columns of a tile.
#[inline(always)]
unsafe fn put_some<V: Lanes, const M: usize>(sums: &[[V; WIDTH]; M], to: Target) {
    const ROW: usize = WIDTH * 16;
    let mut rows = [[0.0; ROW]; M];
    // SAFETY: the caller's; a row here holds any vectors.
    unsafe {
        put::<V, M, false>(sums, rows.as_mut_ptr().cast(), ROW, to);
        for (i, row) in rows.iter().enumerate() {
            for v in (0..to.columns).step_by(V::LEN) {
                let (c, n) = (to.c.add(i * to.ldc + v), V::LEN.min(to.columns - v));
                let mut new = V::load_first(row.as_ptr().add(v), n);
                // With beta 0, c may hold anything.
                if to.beta != 0.0 {
                    new = V::load_first(c, n).mul_add(V::splat(to.beta), new);
                }
                new.store_first(c, n);
            }
        }
    }
}
