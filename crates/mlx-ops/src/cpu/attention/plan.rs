//! Which part of a problem a thread computes, and how sums over parts of the keys come together.

use super::problem::Problem;
use std::ops::Range;

/// Neighbouring queries of the heads of a group, which see the same keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    pub batch: usize,
    pub kv_head: usize,
    /// The first query.
    pub first: usize,
    /// Heads of a group.
    pub group: usize,
    /// Queries of all heads; those of a position adjoin.
    pub rows: usize,
}

impl Unit {
    /// The head and the query of a row.
    pub fn place(&self, row: usize) -> (usize, usize) {
        (self.kv_head * self.group + row % self.group, self.first + row / self.group)
    }
}

/// Some keys of a unit.
pub struct Piece {
    pub unit: Unit,
    pub keys: Range<usize>,
    /// Which of the cut pieces it is, unless it has all keys that the unit sees.
    pub slot: Option<usize>,
}

/// The units of a problem on a line of blocks of keys.
pub struct Plan<'a, 'p> {
    p: &'a Problem<'p>,
    /// Queries of a unit.
    queries: usize,
    /// Keys of a block.
    block: usize,
    /// Where the units of a key head end on its line.
    ends: Vec<usize>,
}

impl<'a, 'p> Plan<'a, 'p> {
    /// Units of about `rows` rows on a line of blocks of `block` keys.
    pub fn new(p: &'a Problem<'p>, rows: usize, block: usize) -> Self {
        let queries = (rows / p.group()).clamp(1, p.l);
        let mut plan = Self { p, queries, block, ends: Vec::new() };
        let mut end = 0;
        for first in (0..p.l).step_by(queries) {
            end += plan.keys(first).len().div_ceil(block);
            plan.ends.push(end);
        }
        plan
    }

    /// The most rows that a unit has.
    pub fn rows(&self) -> usize {
        self.queries * self.p.group()
    }

    /// The keys that any of the queries of the unit from `first` on sees.
    fn keys(&self, first: usize) -> Range<usize> {
        let last = (first + self.queries).min(self.p.l) - 1;
        self.p.visible(first).start..self.p.visible(last).end
    }

    /// The line cut into at most `count` parts of one length.
    pub fn parts(&self, count: usize) -> Vec<Vec<Piece>> {
        let a_head = self.ends[self.ends.len() - 1];
        let line = self.p.b * self.p.kv * a_head;
        let count = count.min(line);
        let mut slots = 0;
        let part = |i: usize| {
            let (mut at, end) = (i * line / count, (i + 1) * line / count);
            let mut pieces = Vec::new();
            while at < end {
                let (head, within) = (at / a_head, at % a_head);
                let index = self.ends.partition_point(|&end| end <= within);
                let start = if index == 0 { 0 } else { self.ends[index - 1] };
                let stop = self.ends[index].min(within + end - at);
                pieces.push(self.piece(head, index, within - start..stop - start, &mut slots));
                at += stop - within;
            }
            pieces
        };
        (0..count).map(part).collect()
    }

    /// Blocks of the `index`-th unit of a key head.
    fn piece(&self, head: usize, index: usize, blocks: Range<usize>, slots: &mut usize) -> Piece {
        let (p, first) = (self.p, index * self.queries);
        let all = self.keys(first);
        let keys = all.start + blocks.start * self.block..all.end.min(all.start + blocks.end * self.block);
        let rows = p.group() * self.queries.min(p.l - first);
        let unit = Unit { batch: head / p.kv, kv_head: head % p.kv, first, group: p.group(), rows };
        let slot = (keys != all).then(|| {
            *slots += 1;
            *slots - 1
        });
        Piece { unit, keys, slot }
    }
}

/// Rows over some of their keys: the largest score, the sum of `exp(score - largest)`, and that of the values so weighted.
pub struct Running<'a> {
    pub most: &'a mut [f32],
    pub sum: &'a mut [f32],
    /// `dv` for each row.
    pub values: &'a mut [f32],
    dv: usize,
}

impl<'a> Running<'a> {
    /// Sums in the front of `slot`.
    pub fn new(slot: &'a mut [f32], rows: usize, dv: usize) -> Self {
        let (most, rest) = slot.split_at_mut(rows);
        let (sum, rest) = rest.split_at_mut(rows);
        Self { most, sum, values: &mut rest[..rows * dv], dv }
    }

    /// Takes in the sums over other keys.
    pub fn join(&mut self, other: &Running<'_>) {
        for (row, values) in self.values.chunks_exact_mut(self.dv).enumerate() {
            let (a, b) = (self.most[row], other.most[row]);
            let top = a.max(b);
            // The first case keeps -inf, on both sides, from becoming no number: a sink may still come.
            let weight = |most: f32| if most == top { 1.0 } else { (most - top).exp() };
            let (a, b) = (weight(a), weight(b));
            self.most[row] = top;
            self.sum[row] = self.sum[row] * a + other.sum[row] * b;
            for (x, y) in values.iter_mut().zip(&other.values[row * self.dv..]) {
                *x = *x * a + y * b;
            }
        }
    }
}
