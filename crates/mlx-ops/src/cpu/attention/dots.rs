//! Few rows, as in decoding: features lie along the lanes, and each key and value leaves memory once for all rows.

use super::super::simd::{self, Lanes};
use super::plan::Unit;
use super::problem::{Block, FEW_ROWS, KEYS, Masking, Problem};
use std::ops::Range;

/// Keys, and vectors of values, that sums in registers cover.
const TILE: usize = 4;

/// All rows of a unit, over the keys of a block.
struct Rows {
    /// `(rows, wide)`, scaled and filled up with zeros.
    queries: *const f32,
    wide: usize,
    /// `(rows, KEYS)`: scores, then weights.
    scores: *mut f32,
    /// Sums `(rows, dv)` of weighted values.
    values: *mut f32,
    /// What the sums so far are to be multiplied with.
    factors: [f32; FEW_ROWS],
}

/// # Safety
/// As [`Problem::compute`], for the block's rows and keys, with the instruction set of `V`.
#[inline(always)]
pub unsafe fn compute<V: Lanes>(block: Block<'_, '_>) {
    let Block { p, piece, to, scratch } = block;
    let (unit, wide) = (piece.unit, p.d.next_multiple_of(V::LEN));
    scratch.clear();
    scratch.resize(unit.rows * (wide + KEYS), 0.0);
    let (queries, scores) = scratch.split_at_mut(unit.rows * wide);
    for row in 0..unit.rows {
        let (head, query) = unit.place(row);
        // SAFETY: the caller's.
        let from = unsafe { std::slice::from_raw_parts(p.q.row(unit.batch, head, query), p.d) };
        queries[row * wide..].iter_mut().zip(from).for_each(|(to, x)| *to = x * p.scale);
    }
    to.most.fill(f32::NEG_INFINITY);
    to.sum.fill(0.0);
    to.values.fill(0.0);
    let (queries, values) = (queries.as_ptr(), to.values.as_mut_ptr());
    let mut rows = Rows { queries, wide, scores: scores.as_mut_ptr(), values, factors: [0.0; FEW_ROWS] };
    for start in piece.keys.clone().step_by(KEYS) {
        let keys = start..piece.keys.end.min(start + KEYS);
        // SAFETY: the caller's; the scratch memory and the sums have these sizes.
        unsafe {
            // The streams of keys and values take turns, which a processor does not foresee.
            fetch(p.v.row(unit.batch, unit.kv_head, start), p.v.strides[2], keys.len(), p.dv);
            scores_of::<V>(p, &unit, &rows, &keys);
            for row in 0..unit.rows {
                let scores = std::slice::from_raw_parts_mut(rows.scores.add(row * KEYS), KEYS);
                let (most, sum) = (&mut to.most[row], &mut to.sum[row]);
                let scores = &mut scores[..keys.len().next_multiple_of(V::LEN)];
                if let Some(cap) = p.softcap {
                    soft_cap::<V>(scores, cap);
                }
                mask(p, &unit, row, &keys, scores);
                rows.factors[row] = soften::<V>(scores, most, sum);
            }
            let next = KEYS.min(piece.keys.end - keys.end);
            fetch(p.k.row(unit.batch, unit.kv_head, keys.end), p.k.strides[2], next, p.d);
            weigh_all::<V>(p, &unit, &rows, &keys);
        }
    }
}

/// Asks for `rows` rows of `width` elements.
#[inline(always)]
fn fetch(from: *const f32, stride: usize, rows: usize, width: usize) {
    for row in 0..rows {
        for at in (0..width).step_by(16) {
            simd::prefetch(from.wrapping_add(row * stride + at));
        }
    }
}

/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn scores_of<V: Lanes>(p: &Problem<'_>, unit: &Unit, rows: &Rows, keys: &Range<usize>) {
    let k = (p.k.row(unit.batch, unit.kv_head, keys.start), p.k.strides[2]);
    let mut row = 0;
    while row < unit.rows {
        // SAFETY: the caller's.
        unsafe {
            row += match (V::LEN, unit.rows - row) {
                (_, 1) => products::<V, 1>(rows, row, p.d, k, keys.len()),
                // Twelve sums need the 32 registers that come with vectors of sixteen.
                (16, 3) => products::<V, 3>(rows, row, p.d, k, keys.len()),
                (16, 4..) => products::<V, 4>(rows, row, p.d, k, keys.len()),
                _ => products::<V, 2>(rows, row, p.d, k, keys.len()),
            };
        }
    }
}

/// The scores of `M` rows; returns `M`.
///
/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn products<V: Lanes, const M: usize>(
    rows: &Rows,
    row: usize,
    d: usize,
    (k, stride): (*const f32, usize),
    keys: usize,
) -> usize {
    let mut key = 0;
    // SAFETY: the caller's.
    unsafe {
        let (queries, scores) = (rows.queries.add(row * rows.wide), rows.scores.add(row * KEYS));
        while key + TILE <= keys {
            tile::<V, M, TILE>((queries, rows.wide), d, (k.add(key * stride), stride), scores.add(key));
            key += TILE;
        }
        while key < keys {
            tile::<V, M, 1>((queries, rows.wide), d, (k.add(key * stride), stride), scores.add(key));
            key += 1;
        }
    }
    M
}

/// Dot products of `M` queries with `N` keys.
///
/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn tile<V: Lanes, const M: usize, const N: usize>(
    (q, wide): (*const f32, usize),
    d: usize,
    (k, stride): (*const f32, usize),
    scores: *mut f32,
) {
    // SAFETY: the caller's; queries are filled up to whole vectors.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        let mut at = 0;
        while at < d {
            let whole = at + V::LEN <= d;
            let mut keys = [V::splat(0.0); N];
            for (y, key) in keys.iter_mut().enumerate() {
                let from = k.add(y * stride + at);
                *key = if whole { V::load(from) } else { V::load_first(from, d - at) };
            }
            for (x, sums) in sums.iter_mut().enumerate() {
                let q = V::load(q.add(x * wide + at));
                for (sum, key) in sums.iter_mut().zip(keys) {
                    *sum = q.mul_add(key, *sum);
                }
            }
            at += V::LEN;
        }
        for (x, sums) in sums.iter().enumerate() {
            for (y, sum) in sums.iter().enumerate() {
                *scores.add(x * KEYS + y) = sum.sum();
            }
        }
    }
}

/// Brings scores, whole vectors, to `cap * tanh(score / cap)`.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
pub unsafe fn soft_cap<V: Lanes>(scores: &mut [f32], cap: f32) {
    for scores in scores.chunks_exact_mut(V::LEN) {
        // SAFETY: the caller's; these are a vector.
        unsafe {
            let x = V::load(scores.as_ptr()).mul(V::splat(1.0 / cap));
            simd::tanh(x).mul(V::splat(cap)).store(scores.as_mut_ptr());
        }
    }
}

/// Applies what hides keys to the scores of a row; what fills the last vector weighs nothing.
///
/// # Safety
/// As [`compute`].
unsafe fn mask(p: &Problem<'_>, unit: &Unit, row: usize, keys: &Range<usize>, scores: &mut [f32]) {
    let (head, query) = unit.place(row);
    let place = |[b, h, l, s]: [usize; 4]| unit.batch * b + head * h + query * l + keys.start * s;
    let (scores, rest) = scores.split_at_mut(keys.len());
    rest.fill(f32::NEG_INFINITY);
    match p.mask {
        Masking::None | Masking::Causal | Masking::Near => {}
        Masking::Bool { at, strides } => {
            for (i, score) in scores.iter_mut().enumerate() {
                // SAFETY: the caller's.
                if unsafe { *at.add(place(strides) + i * strides[3]) } == 0 {
                    *score = f32::MIN;
                }
            }
        }
        Masking::Add { at, strides } => {
            for (i, score) in scores.iter_mut().enumerate() {
                // SAFETY: the caller's.
                *score += unsafe { *at.add(place(strides) + i * strides[3]) };
            }
        }
    }
    let seen = p.visible(query);
    let from = seen.start.clamp(keys.start, keys.end) - keys.start;
    let to = seen.end.clamp(keys.start, keys.end) - keys.start;
    scores[..from].fill(f32::NEG_INFINITY);
    scores[to..].fill(f32::NEG_INFINITY);
}

/// Scores, whole vectors, to weights relative to the largest so far; returns what earlier sums are to be multiplied with.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
unsafe fn soften<V: Lanes>(scores: &mut [f32], most: &mut f32, sum: &mut f32) -> f32 {
    // SAFETY: the caller's; chunks are a vector, and sixteen elements are at least one.
    unsafe {
        let mut top = V::splat(*most);
        for scores in scores.chunks_exact(V::LEN) {
            top = V::load(scores.as_ptr()).max(top);
        }
        let mut lanes = [*most; 16];
        top.store(lanes.as_mut_ptr());
        let before = most.max(f32::MIN);
        *most = lanes.iter().fold(*most, |most, &x| most.max(x));
        // Where all is hidden so far, -inf less itself would be no number.
        let now = most.max(f32::MIN);
        let (shift, one) = (V::splat(-now), V::splat(1.0));
        let mut total = V::splat(0.0);
        for scores in scores.chunks_exact_mut(V::LEN) {
            let weight = simd::exp_or_zero(V::load(scores.as_ptr()).mul_add(one, shift));
            weight.store(scores.as_mut_ptr());
            total = weight.mul_add(one, total);
        }
        let factor = (before - now).exp();
        *sum = *sum * factor + total.sum();
        factor
    }
}

/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn weigh_all<V: Lanes>(p: &Problem<'_>, unit: &Unit, rows: &Rows, keys: &Range<usize>) {
    let v = (p.v.row(unit.batch, unit.kv_head, keys.start), p.v.strides[2]);
    let mut row = 0;
    while row < unit.rows {
        // SAFETY: the caller's.
        unsafe {
            row += match (V::LEN, unit.rows - row) {
                (_, 1) => weigh::<V, 1>(rows, row, p.dv, v, keys.len()),
                (16, 3) => weigh::<V, 3>(rows, row, p.dv, v, keys.len()),
                (16, 4..) => weigh::<V, 4>(rows, row, p.dv, v, keys.len()),
                _ => weigh::<V, 2>(rows, row, p.dv, v, keys.len()),
            };
        }
    }
}

/// Adds weighted values to the sums of `M` rows; returns `M`.
///
/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn weigh<V: Lanes, const M: usize>(
    rows: &Rows,
    row: usize,
    dv: usize,
    (v, stride): (*const f32, usize),
    keys: usize,
) -> usize {
    let mut f = 0;
    // SAFETY: the caller's.
    unsafe {
        while f + TILE * V::LEN <= dv {
            sums::<V, M, TILE>(rows, row, (f, dv, V::LEN), (v, stride), keys);
            f += TILE * V::LEN;
        }
        while f < dv {
            sums::<V, M, 1>(rows, row, (f, dv, V::LEN.min(dv - f)), (v, stride), keys);
            f += V::LEN;
        }
    }
    M
}

/// [`weigh`] for `T` vectors of features from `f` on, of which `last` counts the elements of the last.
///
/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn sums<V: Lanes, const M: usize, const T: usize>(
    rows: &Rows,
    row: usize,
    (f, dv, last): (usize, usize, usize),
    (v, stride): (*const f32, usize),
    keys: usize,
) {
    // SAFETY: the caller's; only the last vector may reach beyond the features.
    unsafe {
        let whole = last == V::LEN;
        let mut sums = [[V::splat(0.0); T]; M];
        for key in 0..keys {
            let mut values = [V::splat(0.0); T];
            for (t, value) in values.iter_mut().enumerate() {
                let from = v.add(key * stride + f + t * V::LEN);
                *value = if whole { V::load(from) } else { V::load_first(from, last) };
            }
            for (x, sums) in sums.iter_mut().enumerate() {
                let weight = V::splat(*rows.scores.add((row + x) * KEYS + key));
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = weight.mul_add(value, *sum);
                }
            }
        }
        for (x, sums) in sums.iter().enumerate() {
            let factor = V::splat(rows.factors[row + x]);
            for (t, sum) in sums.iter().enumerate() {
                let at = rows.values.add((row + x) * dv + f + t * V::LEN);
                match whole {
                    true => V::load(at).mul_add(factor, *sum).store(at),
                    false => V::load_first(at, last).mul_add(factor, *sum).store_first(at, last),
                }
            }
        }
    }
}
