//! Products of a few rows with a matrix, bound by how fast the matrix streams from memory.

use super::pool;
use super::simd::{self, Isa, Kernel, Lanes};
use super::source::{self, Float};
use std::ops::Range;

/// Row-major `c = alpha * a * op(b) + beta * c` for few rows of `a`: `(m, k)`, `(k, n)` or its transpose, `(m, n)`.
#[derive(Clone, Copy)]
pub struct Product<T = f32> {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub alpha: f32,
    pub a: *const f32,
    pub lda: usize,
    pub b: *const T,
    pub ldb: usize,
    /// `b` is `(n, k)`.
    pub transposed: bool,
    pub beta: f32,
    pub c: *mut f32,
    pub ldc: usize,
}

/// Multiplications below which a second thread costs more than it saves.
const PARALLEL: usize = 256 * 1024;

/// Columns of `c` that one step of the untransposed product keeps in registers, in vectors.
const TILE: usize = 4;

// SAFETY: every method that follows the pointers is unsafe, and splits what it writes by rows or columns.
unsafe impl<T> Send for Product<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Product<T> {}

impl<T: Float> Product<T> {
    /// Computes on all cores where the product is large enough.
    ///
    /// # Safety
    /// The pointers are valid for the sizes and leading dimensions, `c` for writing, and `isa` is available.
    pub unsafe fn compute(self, isa: Isa) {
        let p = self;
        let step = if p.transposed { 4 } else { 16 * TILE };
        pool::split(p.n, step, p.m * p.n * p.k >= PARALLEL, |columns| {
            // SAFETY: the caller's, for these columns.
            unsafe { simd::run(isa, Part { p, columns }) }
        });
    }

    /// # Safety
    /// `(row, column)` lies in `c`.
    #[inline(always)]
    unsafe fn put(&self, row: usize, column: usize, value: f32) {
        // SAFETY: the caller's.
        unsafe {
            let at = self.c.add(row * self.ldc + column);
            // With beta 0, c may hold anything.
            let old = if self.beta == 0.0 { 0.0 } else { self.beta * *at };
            *at = self.alpha * value + old;
        }
    }
}

/// Some columns of a product.
struct Part<T> {
    p: Product<T>,
    columns: Range<usize>,
}

impl<T: Float> Kernel for Part<T> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { p, columns } = self;
        // SAFETY: the caller's.
        unsafe {
            match p.transposed {
                true => dots::<V, T>(&p, columns),
                false => sums::<V, T>(&p, columns),
            }
        }
    }
}

/// Columns of `c` as dot products of rows: each row of `b` leaves memory once.
#[inline(always)]
unsafe fn dots<V: Lanes, T: Float>(p: &Product<T>, columns: Range<usize>) {
    let mut j = columns.start;
    // SAFETY: rows and columns stay within the product's.
    unsafe {
        while j + 4 <= columns.end {
            let mut i = 0;
            // Sixteen sums need the 32 registers that come with vectors of sixteen.
            while V::LEN == 16 && i + 4 <= p.m {
                dot_block::<V, T, 4, 4>(p, i, j);
                i += 4;
            }
            while i + 2 <= p.m {
                dot_block::<V, T, 2, 4>(p, i, j);
                i += 2;
            }
            if i < p.m {
                dot_block::<V, T, 1, 4>(p, i, j);
            }
            j += 4;
        }
        while j < columns.end {
            for i in 0..p.m {
                dot_block::<V, T, 1, 1>(p, i, j);
            }
            j += 1;
        }
    }
}

/// Rows of `b` that are asked for before their turn.
const AHEAD: usize = 8;

/// `M` rows of `a` with `N` rows of `b`, every vector loaded once.
#[inline(always)]
unsafe fn dot_block<V: Lanes, T: Float, const M: usize, const N: usize>(p: &Product<T>, i: usize, j: usize) {
    // SAFETY: the caller keeps i + M and j + N within the matrices, and k bounds every row.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        let mut at = 0;
        while at + V::LEN <= p.k {
            // In the order of memory, where the rows of b adjoin: that is how it streams fastest.
            if i == 0 {
                source::ask(p.b.wrapping_add((j + AHEAD) * p.ldb + N * at), N * V::LEN);
            }
            let mut b = [V::splat(0.0); N];
            for (y, b) in b.iter_mut().enumerate() {
                *b = T::load(p.b.wrapping_add((j + y) * p.ldb + at));
            }
            for (x, sums) in sums.iter_mut().enumerate() {
                let a = V::load(p.a.add((i + x) * p.lda + at));
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = a.mul_add(b, *sum);
                }
            }
            at += V::LEN;
        }
        let rest = p.k - at;
        if rest > 0 {
            for (x, sums) in sums.iter_mut().enumerate() {
                let a = V::load_first(p.a.add((i + x) * p.lda + at), rest);
                for (y, sum) in sums.iter_mut().enumerate() {
                    *sum = a.mul_add(T::load_first(p.b.wrapping_add((j + y) * p.ldb + at), rest), *sum);
                }
            }
        }
        if M * N == V::LEN {
            for (at, total) in total_each(&sums).into_iter().enumerate().take(M * N) {
                p.put(i + at / N, j + at % N, total);
            }
            return;
        }
        for (x, sums) in sums.iter().enumerate() {
            for (y, sum) in sums.iter().enumerate() {
                p.put(i + x, j + y, sum.sum());
            }
        }
    }
}

/// The sum of the lanes of each vector, where there are as many as a vector has lanes: cheaper together than one by one.
#[inline(always)]
unsafe fn total_each<V: Lanes, const M: usize, const N: usize>(sums: &[[V; N]; M]) -> [f32; 16] {
    let mut totals = [0.0; 16];
    // SAFETY: the caller has the instruction set; sixteen elements are at least a vector.
    unsafe {
        let mut square = [V::splat(0.0); 16];
        for (x, sums) in sums.iter().enumerate() {
            for (y, sum) in sums.iter().enumerate() {
                square[x * N + y] = *sum;
            }
        }
        V::transpose(&mut square);
        let (one, mut total) = (V::splat(1.0), square[0]);
        for vector in &square[1..V::LEN] {
            total = vector.mul_add(one, total);
        }
        total.store(totals.as_mut_ptr());
    }
    totals
}

/// Columns of `c` as sums of rows of `b`, a tile of columns at a time.
#[inline(always)]
unsafe fn sums<V: Lanes, T: Float>(p: &Product<T>, columns: Range<usize>) {
    let mut j = columns.start;
    // SAFETY: rows and columns stay within the product's.
    unsafe {
        while j + TILE * V::LEN <= columns.end {
            let mut i = 0;
            while i + 2 <= p.m {
                sum_block::<V, T, 2>(p, i, j);
                i += 2;
            }
            if i < p.m {
                sum_block::<V, T, 1>(p, i, j);
            }
            j += TILE * V::LEN;
        }
        while j < columns.end {
            for i in 0..p.m {
                sum_edge::<V, T>(p, i, j, V::LEN.min(columns.end - j));
            }
            j += V::LEN;
        }
    }
}

/// `M` rows of a full tile.
#[inline(always)]
unsafe fn sum_block<V: Lanes, T: Float, const M: usize>(p: &Product<T>, i: usize, j: usize) {
    // SAFETY: the caller keeps i + M and the tile within the matrices.
    unsafe {
        let mut sums = [[V::splat(0.0); TILE]; M];
        for at in 0..p.k {
            let mut b = [V::splat(0.0); TILE];
            for (y, b) in b.iter_mut().enumerate() {
                *b = T::load(p.b.wrapping_add(at * p.ldb + j + y * V::LEN));
            }
            for (x, sums) in sums.iter_mut().enumerate() {
                let a = V::splat(*p.a.add((i + x) * p.lda + at));
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = a.mul_add(b, *sum);
                }
            }
        }
        for (x, sums) in sums.iter().enumerate() {
            for (y, sum) in sums.iter().enumerate() {
                let to = p.c.add((i + x) * p.ldc + j + y * V::LEN);
                let scaled = sum.mul(V::splat(p.alpha));
                let new = if p.beta == 0.0 { scaled } else { V::load(to).mul_add(V::splat(p.beta), scaled) };
                new.store(to);
            }
        }
    }
}

/// One row of at most a vector.
#[inline(always)]
unsafe fn sum_edge<V: Lanes, T: Float>(p: &Product<T>, i: usize, j: usize, n: usize) {
    // SAFETY: the caller keeps row i and columns j .. j + n within the matrices.
    unsafe {
        let mut sum = V::splat(0.0);
        for at in 0..p.k {
            let b = p.b.wrapping_add(at * p.ldb + j);
            let b: V = if n == V::LEN { T::load(b) } else { T::load_first(b, n) };
            sum = V::splat(*p.a.add(i * p.lda + at)).mul_add(b, sum);
        }
        let to = p.c.add(i * p.ldc + j);
        let mut new = sum.mul(V::splat(p.alpha));
        if p.beta != 0.0 {
            let old = if n == V::LEN { V::load(to) } else { V::load_first(to, n) };
            new = old.mul_add(V::splat(p.beta), new);
        }
        match n == V::LEN {
            true => new.store(to),
            false => new.store_first(to, n),
        }
    }
}
