//! Products of many rows, bound by arithmetic: both operands are packed, so that every step of a tile reads neighbours.
//!
//! The rows are packed once and shared. The columns are packed by the thread that multiplies them, as many at a time as
//! stay in its cache while the packed rows pass them.

use super::matvec::Product;
use super::panel::{self, LINE, WIDTH};
use super::pool::{self, Shared};
use super::scratch;
use super::simd::{self, Isa, Kernel, Lanes};
use super::source::{self, Float};
use super::tile::{Target, tile};
use std::ops::Range;

/// Elements of the inner dimension at a time: a tile's rows of as many stay in the first-level cache.
const DEPTH: usize = 512;

/// The same where the rows are many and long: a panel's part then stays in the first-level cache, and blocks of rows pass it.
const SHALLOW: usize = 256;

/// Packed rows, in floats, from which on they are many and long.
const LARGE: usize = 2 << 20;

/// Floats of columns that are packed at a time there.
const COLUMNS: usize = 1 << 20;

/// Tiles of a block of rows there: their parts stay in the second-level cache.
const BLOCK: usize = 28;

/// Panels of columns that stay in the second-level cache while the rows pass them.
const GROUP: usize = 8;

/// Floats that are packed of the rows at a time.
const PACKED: usize = 4 << 20;

/// Multiplications below which a second thread costs more than it saves.
const PARALLEL: usize = 512 * 1024;

/// The cut of the inner dimension, in whole lines but for the last.
#[derive(Clone, Copy)]
pub struct Cut {
    pub depth: usize,
    pub k: usize,
    large: bool,
}

impl Cut {
    /// Even parts of at most `depth` elements.
    pub fn new(k: usize, depth: usize) -> Self {
        let parts = k.div_ceil(depth).max(1);
        Self { depth: k.div_ceil(parts).next_multiple_of(LINE), k, large: false }
    }

    pub fn parts(self) -> impl Iterator<Item = Range<usize>> {
        let Self { depth, k, .. } = self;
        // One empty part scales the result where there is nothing to add.
        (0..k.max(1)).step_by(depth.max(1)).map(move |at| at..k.min(at + depth))
    }

    /// Floats of a packed row.
    pub fn row(self) -> usize {
        self.k.next_multiple_of(LINE)
    }
}

/// The rows of tile `at` of `tiles` that share `m` rows evenly.
#[inline(always)]
pub fn tile_rows(m: usize, tiles: usize, at: usize) -> Range<usize> {
    at * m / tiles..(at + 1) * m / tiles
}

/// Columns of a panel.
fn panel_columns(isa: Isa) -> usize {
    WIDTH * isa.lanes()
}

impl<T: Float> Product<T> {
    /// Computes on all cores where the product is large enough; `turned` says that `a` is stored as `(k, m)`.
    ///
    /// # Safety
    /// As [`Product::compute`].
    pub unsafe fn many_rows(self, turned: bool, isa: Isa) {
        // SAFETY: the caller's.
        unsafe { self.many(turned, isa, self.m * self.n * self.k >= PARALLEL) }
    }

    /// Computes on this thread; `turned` says that `a` is stored as `(k, m)`.
    ///
    /// # Safety
    /// As [`Product::compute`].
    pub unsafe fn many_rows_here(self, turned: bool, isa: Isa) {
        // SAFETY: the caller's.
        unsafe { self.many(turned, isa, false) }
    }

    unsafe fn many(self, turned: bool, isa: Isa, parallel: bool) {
        if self.m == 0 || self.n == 0 {
            return;
        }
        let large = self.m * self.k >= LARGE && self.k > DEPTH;
        let cut = Cut { large, ..Cut::new(self.k, if large { SHALLOW } else { DEPTH }) };
        let most = (PACKED / cut.row().max(1)).max(1024);
        for start in (0..self.m).step_by(most) {
            let rows = start..self.m.min(start + most);
            let part = Self {
                m: rows.len(),
                a: self.a.wrapping_add(start * if turned { 1 } else { self.lda }),
                c: self.c.wrapping_add(start * self.ldc),
                ..self
            };
            // SAFETY: the caller's, for these rows.
            unsafe { part.block(turned, isa, parallel, cut) };
        }
    }

    /// Packs all rows, then multiplies.
    unsafe fn block(self, turned: bool, isa: Isa, parallel: bool, cut: Cut) {
        let tiles = self.m.div_ceil(panel::most_rows(isa.lanes()));
        // SAFETY: the caller's.
        scratch::aligned(self.m * cut.row(), |packed| unsafe {
            self.packed_block(turned, isa, parallel, cut, tiles, packed)
        });
    }

    /// As [`Product::block`], with the rows packed into `packed`.
    unsafe fn packed_block(self, turned: bool, isa: Isa, parallel: bool, cut: Cut, tiles: usize, packed: &mut [f32]) {
        // SAFETY: tiles are packed into, and read from, places of their own.
        let rows = unsafe { Shared::new(packed.as_mut_ptr()) };
        let p = self;
        pool::split(tiles, 1, parallel && self.m * self.k >= 64 * 1024, |tiles_here| {
            let pack = PackRows { p, turned, cut, tiles, range: tiles_here, to: rows.get() };
            // SAFETY: the caller's; the room is for all rows.
            unsafe { simd::run(isa, pack) }
        });
        let width = panel_columns(isa);
        pool::split(self.n, width, parallel, |columns| {
            let (most, deep) = if cut.large { (large_group(width, cut), cut.k) } else { (GROUP, cut.depth) };
            let panels = columns.len().div_ceil(width).min(most);
            let mut room = panel::room(panels * width * deep);
            let columns = Columns { p, cut, tiles, rows: rows.get(), columns, room: room.as_mut_ptr().cast() };
            // SAFETY: the caller's, for these columns; the rows are packed, and the room is for a group.
            unsafe { simd::run(isa, columns) }
        });
    }
}

/// Panels that are packed at a time where rows are many and long.
fn large_group(width: usize, cut: Cut) -> usize {
    (COLUMNS / (width * cut.k)).max(1)
}

/// Packs the rows of some tiles.
struct PackRows<T> {
    p: Product<T>,
    turned: bool,
    cut: Cut,
    tiles: usize,
    range: Range<usize>,
    to: *mut f32,
}

impl<T: Float> Kernel for PackRows<T> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { p, turned, cut, tiles, range, to } = self;
        for at in range {
            let rows = tile_rows(p.m, tiles, at);
            for part in cut.parts() {
                // SAFETY: the caller's; parts of all rows come one after the other.
                unsafe {
                    let to = to.add(part.start * p.m + rows.start * part.len().next_multiple_of(LINE));
                    match turned {
                        true => {
                            let from = p.a.add(part.start * p.lda + rows.start);
                            panel::pack_turned_rows::<V>(from, p.lda, rows.len(), part.len(), to);
                        }
                        false => {
                            let from = p.a.add(rows.start * p.lda + part.start);
                            panel::pack_rows::<V>(from, p.lda, rows.len(), part.len(), to);
                        }
                    }
                }
            }
        }
    }
}

/// Some columns of a product whose rows are packed.
struct Columns<T> {
    p: Product<T>,
    cut: Cut,
    tiles: usize,
    rows: *const f32,
    columns: Range<usize>,
    room: *mut f32,
}

impl<T: Float> Kernel for Columns<T> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Range { start, end } = self.columns;
        let width = WIDTH * V::LEN;
        if self.cut.large {
            let group = large_group(width, self.cut) * width;
            for j in (start..end).step_by(group) {
                // SAFETY: the caller's; the columns lie in the product.
                unsafe { self.by_blocks::<V>(j..end.min(j + group)) };
            }
            return;
        }
        let panels = (end - start).div_ceil(width);
        let step = panels.div_ceil(panels.div_ceil(GROUP)) * width;
        for j in (start..end).step_by(step) {
            let group = j..end.min(j + step);
            for part in self.cut.parts() {
                let next = match part.end < self.cut.k {
                    true => (group.clone(), part.end..self.cut.k.min(part.end + self.cut.depth)),
                    false => (group.end..end.min(group.end + step), 0..self.cut.depth.min(self.cut.k)),
                };
                // SAFETY: the caller's; columns and part lie in the product.
                unsafe { self.multiply::<V>(group.clone(), part, next) };
            }
        }
    }
}

impl<T: Float> Columns<T> {
    /// Packs columns in their whole length; then blocks of rows pass one part of a panel after the other.
    #[inline(always)]
    unsafe fn by_blocks<V: Lanes>(&self, columns: Range<usize>) {
        let Self { p, cut, tiles, room, .. } = self;
        let width = WIDTH * V::LEN;
        let panels = || columns.clone().step_by(width).enumerate();
        let part_of = |panel: usize, part: &Range<usize>| room.wrapping_add((panel * cut.k + part.start) * width);
        for (panel, j) in panels() {
            for part in cut.parts() {
                let to = part_of(panel, &part);
                // SAFETY: the caller's; the room is for these panels in their whole length.
                unsafe { self.pack::<V>(j, width.min(columns.end - j), part, to) };
            }
        }
        for first in (0..*tiles).step_by(BLOCK) {
            for (panel, j) in panels() {
                for part in cut.parts() {
                    let beta = if part.start == 0 { p.beta } else { 1.0 };
                    for at in first..(first + BLOCK).min(*tiles) {
                        let rows = tile_rows(p.m, *tiles, at);
                        // SAFETY: the caller's; rows and panels were packed.
                        unsafe {
                            let a = self.rows.add(part.start * p.m + rows.start * part.len().next_multiple_of(LINE));
                            let c = p.c.add(rows.start * p.ldc + j);
                            let columns = width.min(columns.end - j);
                            let to = Target { c, ldc: p.ldc, columns, alpha: p.alpha, beta };
                            tile::<V, f32>(rows.len(), a, part_of(panel, &part), part.len(), to);
                        }
                    }
                }
            }
        }
    }

    /// Adds the products over one part of the inner dimension, and asks for what comes `next` meanwhile.
    #[inline(always)]
    unsafe fn multiply<V: Lanes>(&self, columns: Range<usize>, part: Range<usize>, next: (Range<usize>, Range<usize>)) {
        let Self { p, tiles, room, .. } = self;
        let (width, k) = (WIDTH * V::LEN, part.len());
        let panels = columns.len().div_ceil(width);
        let asks = p.stored_rows(next.0, next.1);
        let beta = if part.start == 0 { p.beta } else { 1.0 };
        for panel in 0..panels {
            let j = columns.start + panel * width;
            // SAFETY: the caller's; the room is for a group.
            unsafe { self.pack::<V>(j, width.min(columns.end - j), part.clone(), room.add(panel * width * k)) };
        }
        for at in 0..*tiles {
            let rows = tile_rows(p.m, *tiles, at);
            for panel in 0..panels {
                let j = columns.start + panel * width;
                for row in tile_rows(asks.rows.len(), tiles * panels, at * panels + panel) {
                    source::ask(p.b.wrapping_add((asks.rows.start + row) * p.ldb + asks.first), asks.n);
                }
                // SAFETY: the caller's; rows and panels were packed.
                unsafe {
                    let a = self.rows.add(part.start * p.m + rows.start * k.next_multiple_of(LINE));
                    let c = p.c.add(rows.start * p.ldc + j);
                    let to = Target { c, ldc: p.ldc, columns: width.min(columns.end - j), alpha: p.alpha, beta };
                    tile::<V, f32>(rows.len(), a, room.add(panel * width * k), k, to);
                }
            }
        }
    }

    /// Packs `n` columns from `j` on.
    #[inline(always)]
    unsafe fn pack<V: Lanes>(&self, j: usize, n: usize, part: Range<usize>, to: *mut f32) {
        let p = &self.p;
        // SAFETY: the caller's.
        unsafe {
            match p.transposed {
                true => panel::pack_turned_columns::<V, T>(
                    p.b.wrapping_add(j * p.ldb + part.start),
                    p.ldb,
                    n,
                    part.len(),
                    to,
                ),
                false => {
                    panel::pack_columns::<V, T>(p.b.wrapping_add(part.start * p.ldb + j), p.ldb, n, part.len(), to)
                }
            }
        }
    }
}

/// `n` elements from the `first` on of some rows of a matrix as it is stored.
struct Stored {
    rows: Range<usize>,
    first: usize,
    n: usize,
}

impl<T: Float> Product<T> {
    /// Where columns of `b`, over a part of the inner dimension, are stored.
    fn stored_rows(&self, columns: Range<usize>, part: Range<usize>) -> Stored {
        let (rows, along) = if self.transposed { (columns, part) } else { (part, columns) };
        Stored { first: along.start, n: along.len(), rows }
    }
}
