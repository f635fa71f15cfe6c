//! Many rows: queries lie along the lanes, so keys and values are read as they are, one element for all lanes.

use super::super::simd::{self, Lanes};
use super::dots::soft_cap;
use super::plan::Unit;
use super::problem::{Block, KEYS, Masking, Problem};

/// Vectors of rows that a panel has: with the broadcast rows of a product, its sums fill the registers.
const PANEL: usize = 3;

/// A panel's queries `(d, width)`, sums of values `(dv, width)`, largest scores, sums and place.
struct Panel {
    queries: *mut f32,
    values: *mut f32,
    most: *mut f32,
    sum: *mut f32,
    /// The first row.
    row: usize,
    /// Rows, without those that fill the last vector.
    rows: usize,
    /// Vectors.
    wide: usize,
}

/// # Safety
/// As [`Problem::compute`], for the block's rows and keys, with the instruction set of `V`.
#[inline(always)]
pub unsafe fn compute<V: Lanes>(block: Block<'_, '_>) {
    let Block { p, piece, to, scratch } = block;
    let (unit, rows) = (piece.unit, piece.unit.rows);
    let lanes = rows.next_multiple_of(V::LEN);
    scratch.clear();
    scratch.resize(lanes * (p.d + p.dv + 2) + KEYS * PANEL * V::LEN, 0.0);
    let (scores, mut at) = (scratch.as_mut_ptr(), scratch.as_mut_ptr().wrapping_add(KEYS * PANEL * V::LEN));
    let mut panels = Vec::with_capacity(rows.div_ceil(PANEL * V::LEN));
    for row in (0..rows).step_by(PANEL * V::LEN) {
        let here = (PANEL * V::LEN).min(rows - row);
        let width = here.next_multiple_of(V::LEN);
        let mut take = |n: usize| {
            let from = at;
            at = at.wrapping_add(n * width);
            from
        };
        let (queries, values, most, sum) = (take(p.d), take(p.dv), take(1), take(1));
        panels.push(Panel { queries, values, most, sum, row, rows: here, wide: width / V::LEN });
    }
    // SAFETY: the caller's; the panels share the scratch memory out, of which the sums begin with 0.
    unsafe {
        for panel in &panels {
            turn_queries(p, &unit, panel, panel.wide * V::LEN);
            for lane in 0..panel.wide * V::LEN {
                *panel.most.add(lane) = f32::NEG_INFINITY;
            }
        }
        for start in piece.keys.clone().step_by(KEYS) {
            let keys = KEYS.min(piece.keys.end - start);
            for panel in &panels {
                match panel.wide {
                    1 => step::<V, 1>(p, &unit, panel, start, keys, scores),
                    2 => step::<V, 2>(p, &unit, panel, start, keys, scores),
                    _ => step::<V, PANEL>(p, &unit, panel, start, keys, scores),
                }
            }
        }
        for panel in &panels {
            let width = panel.wide * V::LEN;
            for i in 0..panel.rows {
                to.most[panel.row + i] = *panel.most.add(i);
                to.sum[panel.row + i] = *panel.sum.add(i);
                let values = &mut to.values[(panel.row + i) * p.dv..][..p.dv];
                for (f, value) in values.iter_mut().enumerate() {
                    *value = *panel.values.add(f * width + i);
                }
            }
        }
    }
}

/// Brings the queries of a panel, scaled, to `(d, width)`.
///
/// # Safety
/// As [`compute`].
unsafe fn turn_queries(p: &Problem<'_>, unit: &Unit, panel: &Panel, width: usize) {
    for i in 0..panel.rows {
        let (head, query) = unit.place(panel.row + i);
        let from = p.q.row(unit.batch, head, query);
        for f in 0..p.d {
            // SAFETY: the caller's.
            unsafe { *panel.queries.add(f * width + i) = *from.add(f) * p.scale };
        }
    }
}

/// Takes `keys` keys from `start` on into the sums of a panel of `N` vectors.
///
/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn step<V: Lanes, const N: usize>(
    p: &Problem<'_>,
    unit: &Unit,
    panel: &Panel,
    start: usize,
    keys: usize,
    scores: *mut f32,
) {
    let last = unit.place(panel.row + panel.rows - 1).1;
    let (seen, width) = (p.visible(last).end, N * V::LEN);
    if start >= seen || p.visible(unit.place(panel.row).1).start >= start + keys {
        return;
    }
    // Whole tiles of keys, where there are as many: those beyond the last that is seen are hidden below.
    let keys = keys.min((seen - start).next_multiple_of(8));
    // SAFETY: the caller's.
    unsafe {
        let k = (p.k.row(unit.batch, unit.kv_head, start), p.k.strides[2]);
        // Sixteen-lane vectors come with 32 registers, others with 16.
        let done = match V::LEN {
            16 => products::<V, N, 8>(panel.queries, p.d, k, 0, keys, scores),
            _ => products::<V, N, 4>(panel.queries, p.d, k, 0, keys, scores),
        };
        products::<V, N, 1>(panel.queries, p.d, k, done, keys, scores);
        if let Some(cap) = p.softcap {
            soft_cap::<V>(std::slice::from_raw_parts_mut(scores, keys * width), cap);
        }
        mask(p, unit, panel, start, keys, scores, width);
        let factors = soften::<V, N>(panel, keys, scores);
        let v = (p.v.row(unit.batch, unit.kv_head, start), p.v.strides[2]);
        let done = match V::LEN {
            16 => weigh::<V, N, 8>(panel.values, &factors, v, 0, p.dv, scores, keys),
            _ => weigh::<V, N, 4>(panel.values, &factors, v, 0, p.dv, scores, keys),
        };
        weigh::<V, N, 1>(panel.values, &factors, v, done, p.dv, scores, keys);
    }
}

/// Scores `(keys, N vectors)` of keys from `from` on, `M` at a time; returns the first key that is left.
///
/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn products<V: Lanes, const N: usize, const M: usize>(
    queries: *const f32,
    d: usize,
    (k, stride): (*const f32, usize),
    from: usize,
    keys: usize,
    scores: *mut f32,
) -> usize {
    let mut key = from;
    // SAFETY: keys and features stay within theirs.
    unsafe {
        while key + M <= keys {
            let k = k.add(key * stride);
            let mut sums = [[V::splat(0.0); N]; M];
            for f in 0..d {
                let mut q = [V::splat(0.0); N];
                for (n, q) in q.iter_mut().enumerate() {
                    *q = V::load(queries.add((f * N + n) * V::LEN));
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let k = V::splat(*k.add(i * stride + f));
                    for (sum, q) in sums.iter_mut().zip(q) {
                        *sum = k.mul_add(q, *sum);
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                for (n, sum) in sums.iter().enumerate() {
                    sum.store(scores.add(((key + i) * N + n) * V::LEN));
                }
            }
            key += M;
        }
    }
    key
}

/// Applies what hides keys to scores `(keys, width)`.
///
/// # Safety
/// As [`compute`].
unsafe fn mask(p: &Problem<'_>, unit: &Unit, panel: &Panel, start: usize, keys: usize, scores: *mut f32, width: usize) {
    for row in 0..panel.rows {
        let (head, query) = unit.place(panel.row + row);
        let place = |[b, h, l, s]: [usize; 4]| unit.batch * b + head * h + query * l + start * s;
        // SAFETY: the caller's; the column holds `keys` scores.
        unsafe {
            let column = scores.add(row);
            match p.mask {
                Masking::None | Masking::Causal | Masking::Near => break,
                Masking::Bool { at, strides } => hide(at.add(place(strides)), strides[3], keys, column, width),
                Masking::Add { at, strides } => add(at.add(place(strides)), strides[3], keys, column, width),
            }
        }
    }
    if !p.ordered() {
        return;
    }
    for (key, i) in (start..).zip(0..keys) {
        // SAFETY: the caller's; there are `keys` rows of `width`.
        let scores = unsafe { std::slice::from_raw_parts_mut(scores.add(i * width), width) };
        // The row whose query is at a position; those before it do not see the key there.
        let row = |position: usize| {
            let first = p.s - p.l + unit.first;
            (position.saturating_sub(first) * unit.group).saturating_sub(panel.row).min(width)
        };
        let ahead = if let Masking::Near = p.mask { p.window.map_or(0, |window| window - 1) } else { 0 };
        scores[..row(key.saturating_sub(ahead))].fill(f32::NEG_INFINITY);
        if let Some(window) = p.window {
            scores[row(key + window)..].fill(f32::NEG_INFINITY);
        }
    }
}

/// Keys whose masks are looked at together: most of the time all are seen.
const GLANCE: usize = 8;

/// Lowers the scores of one row, `width` apart, where the mask is 0.
///
/// # Safety
/// There are `keys` bytes, `stride` apart, and as many scores.
unsafe fn hide(mask: *const u8, stride: usize, keys: usize, scores: *mut f32, width: usize) {
    for key in (0..keys).step_by(GLANCE) {
        let count = GLANCE.min(keys - key);
        // SAFETY: the caller's.
        unsafe {
            let mask = mask.add(key * stride);
            if stride == 1 && count == GLANCE && mask.cast::<[u8; GLANCE]>().read() == [1; GLANCE] {
                continue;
            }
            for i in 0..count {
                if *mask.add(i * stride) == 0 {
                    *scores.add((key + i) * width) = f32::MIN;
                }
            }
        }
    }
}

/// Adds a mask to the scores of one row, `width` apart.
///
/// # Safety
/// As [`hide`], with numbers.
unsafe fn add(mask: *const f32, stride: usize, keys: usize, scores: *mut f32, width: usize) {
    for key in (0..keys).step_by(GLANCE) {
        let count = GLANCE.min(keys - key);
        // SAFETY: the caller's.
        unsafe {
            let mask = mask.add(key * stride);
            if stride == 1 && count == GLANCE && mask.cast::<[f32; GLANCE]>().read() == [0.0; GLANCE] {
                continue;
            }
            for i in 0..count {
                *scores.add((key + i) * width) += *mask.add(i * stride);
            }
        }
    }
}

/// Scores to weights, relative to the largest so far; returns what earlier sums are to be multiplied with.
///
/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn soften<V: Lanes, const N: usize>(panel: &Panel, keys: usize, scores: *mut f32) -> [V; N] {
    // SAFETY: the caller's; there are `keys` rows of N vectors.
    unsafe {
        let mut factors = [V::splat(0.0); N];
        let one = V::splat(1.0);
        for (n, factor) in factors.iter_mut().enumerate() {
            let column = scores.add(n * V::LEN);
            let before = V::load(panel.most.add(n * V::LEN));
            let mut most = before;
            for key in 0..keys {
                most = V::load(column.add(key * N * V::LEN)).max(most);
            }
            // Where all is hidden so far, -inf less itself would be no number.
            let lowest = V::splat(f32::MIN);
            let shift = lowest.max(most).mul(V::splat(-1.0));
            *factor = simd::exp_or_zero(lowest.max(before).mul_add(one, shift));
            let mut sum = V::load(panel.sum.add(n * V::LEN)).mul(*factor);
            for key in 0..keys {
                let at = column.add(key * N * V::LEN);
                let weight = simd::exp_or_zero(V::load(at).mul_add(one, shift));
                weight.store(at);
                sum = weight.mul_add(one, sum);
            }
            sum.store(panel.sum.add(n * V::LEN));
            most.store(panel.most.add(n * V::LEN));
        }
        factors
    }
}

/// Adds weighted values to the sums `(dv, N vectors)` of features from `from` on, `M` at a time; returns the first left.
///
/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn weigh<V: Lanes, const N: usize, const M: usize>(
    values: *mut f32,
    factors: &[V; N],
    (v, stride): (*const f32, usize),
    from: usize,
    dv: usize,
    weights: *const f32,
    keys: usize,
) -> usize {
    let mut f = from;
    // SAFETY: keys and features stay within theirs.
    unsafe {
        while f + M <= dv {
            let mut sums = [[V::splat(0.0); N]; M];
            for (i, sums) in sums.iter_mut().enumerate() {
                for (n, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(values.add(((f + i) * N + n) * V::LEN)).mul(factors[n]);
                }
            }
            for key in 0..keys {
                let mut w = [V::splat(0.0); N];
                for (n, w) in w.iter_mut().enumerate() {
                    *w = V::load(weights.add((key * N + n) * V::LEN));
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let v = V::splat(*v.add(key * stride + f + i));
                    for (sum, w) in sums.iter_mut().zip(w) {
                        *sum = v.mul_add(w, *sum);
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                for (n, sum) in sums.iter().enumerate() {
                    sum.store(values.add(((f + i) * N + n) * V::LEN));
                }
            }
            f += M;
        }
    }
    f
}
