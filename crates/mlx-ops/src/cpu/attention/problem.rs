//! One attention over plain memory, for any kernel that has queries, keys and values in its hands.
//!
//! Queries that share keys are one unit, and the blocks of keys they see are its cost. The blocks of all units form a line
//! that is cut into equal parts, whatever the shape: one query over a long context splits as evenly as a causal prompt.
//! Where a cut falls into a unit, both sides leave running sums that are joined at the end.

use super::super::pool::{self, Shared};
use super::super::simd::{self, Isa, Lanes};
use super::plan::{Piece, Plan, Running, Unit};
use super::{dots, tile};
use std::ops::Range;

/// Keys that are worked on at a time: theirs and their values stay in the first-level caches.
pub(super) const KEYS: usize = 96;

/// Rows, which are queries of all heads over the same keys, that a unit takes together.
const ROWS: usize = 192;

/// Rows up to which features lie along the lanes of a vector; above, rows do.
pub(super) const FEW_ROWS: usize = 16;

/// Multiplications below which a second thread costs more than it saves.
const PARALLEL: usize = 128 * 1024;

/// Rows of queries, keys or values: strides over batch, head and position in elements; features adjoin.
#[derive(Clone, Copy)]
pub struct Heads {
    pub at: *const f32,
    pub strides: [usize; 3],
}

impl Heads {
    pub(super) fn row(&self, batch: usize, head: usize, position: usize) -> *const f32 {
        let [b, h, l] = self.strides;
        self.at.wrapping_add(batch * b + head * h + position * l)
    }
}

/// What hides keys from queries. Strides go over batch, head, query and key, in elements, 0 where a mask is broadcast.
#[derive(Clone, Copy)]
pub enum Masking {
    None,
    /// The last query sees all keys, each one before it one less.
    Causal,
    /// A window counts to both sides; there are as many keys as queries.
    Near,
    /// 0 hides. As MLX has it, a hidden score is the lowest number: a query with no key left takes the mean of all values.
    Bool {
        at: *const u8,
        strides: [usize; 4],
    },
    /// Added to scores; a query whose scores are all -inf gives NaN, as in MLX.
    Add {
        at: *const f32,
        strides: [usize; 4],
    },
}

/// `softmax(cap(scale * q @ k.T) + mask) @ v`: see the fields.
#[derive(Clone, Copy)]
pub struct Problem<'a> {
    pub b: usize,
    /// Heads of the queries, a multiple of `kv`.
    pub h: usize,
    pub kv: usize,
    /// Queries.
    pub l: usize,
    /// Keys: at least one, and with a causal mask or a window at least `l`.
    pub s: usize,
    /// Features of queries and keys.
    pub d: usize,
    /// Features of values.
    pub dv: usize,
    pub q: Heads,
    pub k: Heads,
    pub v: Heads,
    pub out: *mut f32,
    /// Over batch, head and query.
    pub out_strides: [usize; 3],
    pub scale: f32,
    /// Scores become `cap * tanh(score / cap)` before the mask.
    pub softcap: Option<f32>,
    pub mask: Masking,
    /// At least 1: the query at position `p` sees keys `p - window + 1 ..= p` only, the last query being at the last key; with
    /// [`Masking::Near`] also as many behind it.
    pub window: Option<usize>,
    /// A score for each head that takes part in the softmax but has no value.
    pub sinks: Option<&'a [f32]>,
}

// SAFETY: threads only read what the pointers lead to, but for `out`, of which `compute` gives each row to one.
unsafe impl Sync for Problem<'_> {}

impl Problem<'_> {
    /// Computes all of `out`, on all cores where that is worth it.
    ///
    /// # Safety
    /// The pointers are valid for the sizes and strides, `out` for writing, its rows are distinct and nobody else's, the
    /// fields keep to what they say, `sinks` holds `h` elements, and `isa` is available.
    pub unsafe fn compute(&self, isa: Isa) {
        let parallel = self.b * self.h * self.l * self.s * (self.d + self.dv) / 2 >= PARALLEL;
        // SAFETY: the caller's.
        unsafe { self.compute_on(isa, parallel) }
    }

    /// As [`Problem::compute`], on this thread.
    ///
    /// # Safety
    /// As [`Problem::compute`].
    pub unsafe fn compute_here(&self, isa: Isa) {
        // SAFETY: the caller's.
        unsafe { self.compute_on(isa, false) }
    }

    unsafe fn compute_on(&self, isa: Isa, parallel: bool) {
        if self.b * self.h * self.l * self.dv == 0 {
            return;
        }
        let plan = Plan::new(self, ROWS, KEYS);
        let parts = plan.parts(if parallel { pool::parts() } else { 1 });
        let cuts: Vec<&Piece> = parts.iter().flatten().filter(|piece| piece.slot.is_some()).collect();
        let size = plan.rows() * (self.dv + 2);
        let mut slots = vec![0.0; cuts.len() * size];
        // SAFETY: every cut piece writes a slot of its own.
        let slots_at = unsafe { Shared::new(slots.as_mut_ptr()) };
        pool::split(parts.len(), 1, parallel, |range| {
            let (mut scratch, mut own) = (Vec::new(), vec![0.0; size]);
            for piece in parts[range].iter().flatten() {
                let at = piece.slot.map_or(own.as_mut_ptr(), |slot| slots_at.get().wrapping_add(slot * size));
                // SAFETY: a slot has this size, and so has this thread's own.
                let sums = unsafe { std::slice::from_raw_parts_mut(at, size) };
                let block =
                    Block { p: self, piece, to: Running::new(sums, piece.unit.rows, self.dv), scratch: &mut scratch };
                // SAFETY: the caller's.
                unsafe { simd::run(isa, block) };
                if piece.slot.is_none() {
                    // SAFETY: the caller's; the unit has no other piece.
                    unsafe { self.finish(&piece.unit, &Running::new(sums, piece.unit.rows, self.dv)) };
                }
            }
        });
        let mut slots = slots.chunks_exact_mut(size);
        for pieces in cuts.chunk_by(|a, b| a.unit == b.unit) {
            let unit = &pieces[0].unit;
            let mut sums = slots.by_ref().take(pieces.len()).map(|slot| Running::new(slot, unit.rows, self.dv));
            if let Some(mut all) = sums.next() {
                sums.for_each(|part| all.join(&part));
                // SAFETY: the caller's; the threads are done.
                unsafe { self.finish(unit, &all) };
            }
        }
    }

    pub(super) fn group(&self) -> usize {
        self.h / self.kv
    }

    pub(super) fn ordered(&self) -> bool {
        matches!(self.mask, Masking::Causal) || self.window.is_some()
    }

    /// The keys that a query may see, the mask's own values aside.
    pub(super) fn visible(&self, query: usize) -> Range<usize> {
        if !self.ordered() {
            return 0..self.s;
        }
        if let (Masking::Near, Some(window)) = (self.mask, self.window) {
            return (query + 1).saturating_sub(window)..self.s.min(query + window);
        }
        let end = self.s - self.l + query + 1;
        self.window.map_or(0, |window| end.saturating_sub(window))..end
    }

    /// Divides the sums of a unit and writes its rows.
    ///
    /// # Safety
    /// As [`Problem::compute`].
    unsafe fn finish(&self, unit: &Unit, sums: &Running<'_>) {
        let [b, h, l] = self.out_strides;
        for (row, values) in sums.values.chunks_exact(self.dv).enumerate() {
            let (head, query) = unit.place(row);
            let (most, sum) = (sums.most[row], sums.sum[row]);
            let scale = match self.sinks.map(|sinks| sinks[head]) {
                None if most.is_finite() => 1.0 / sum,
                // As the softmax of nothing but -inf.
                None => f32::NAN,
                Some(sink) => {
                    let top = most.max(sink);
                    let part = (most - top).exp();
                    part / (sum * part + (sink - top).exp())
                }
            };
            // SAFETY: the row lies in the output, and this thread alone writes it.
            let out =
                unsafe { std::slice::from_raw_parts_mut(self.out.add(unit.batch * b + head * h + query * l), self.dv) };
            for (out, value) in out.iter_mut().zip(values) {
                *out = value * scale;
            }
        }
    }
}

/// A piece with the room for its sums: what one thread computes at a time.
pub(super) struct Block<'a, 'p> {
    pub p: &'a Problem<'p>,
    pub piece: &'a Piece,
    pub to: Running<'a>,
    pub scratch: &'a mut Vec<f32>,
}

impl simd::Kernel for Block<'_, '_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller's.
        unsafe {
            match self.piece.unit.rows <= FEW_ROWS {
                true => dots::compute::<V>(self),
                false => tile::compute::<V>(self),
            }
        }
    }
}
