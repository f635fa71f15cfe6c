//! The BLAS products of libmlx: the prebuilt Linux library looks them up in the global symbol scope, where these come first.

use super::matvec::Product;
use super::pool::{self, Shared};
use super::simd::Isa;

const TRANSPOSED: i32 = 112;
const ADJOINT: i32 = 113;

/// Rows up to which streaming the second matrix once beats packing it.
const FEW_ROWS: usize = 12;

/// Multiplications below which `gemm` stays on one thread.
const PARALLEL: usize = 2 << 20;

/// Row-major `c = alpha * op(a) * op(b) + beta * c`, as CBLAS defines it.
///
/// # Safety
/// The pointers must be valid for matrices of the given sizes and leading dimensions, `c` for writing.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments)]
pub unsafe extern "C" fn cblas_sgemm(
    _order: i32,
    trans_a: i32,
    trans_b: i32,
    m: i32,
    n: i32,
    k: i32,
    alpha: f32,
    a: *const f32,
    lda: i32,
    b: *const f32,
    ldb: i32,
    beta: f32,
    c: *mut f32,
    ldc: i32,
) {
    let [m, n, k, lda, ldb, ldc] = [m, n, k, lda, ldb, ldc].map(|size| size as usize);
    let transposed = trans_b == TRANSPOSED;
    let product = Product { m, n, k, alpha, a, lda, b, ldb, transposed, beta, c, ldc };
    // SAFETY: the caller passes matrices of these sizes and leading dimensions.
    unsafe { sgemm(product, trans_a == TRANSPOSED, Isa::best()) }
}

/// The product by whichever way suits its shape; `turned` says that `a` is stored as `(k, m)`.
///
/// # Safety
/// As [`Product::compute`].
pub unsafe fn sgemm(p: Product, turned: bool, isa: Isa) {
    // A single stored column is a row where its elements adjoin.
    let few = p.m <= FEW_ROWS && (!turned || (p.m == 1 && p.lda == 1));
    // SAFETY: the caller's.
    unsafe {
        match few {
            true => p.compute(isa),
            false => p.many_rows(turned, isa),
        }
    }
}

/// A stored matrix and how it is meant: as it is, transposed, or transposed and conjugated.
type Operand<T> = (*const T, i32, i32);

/// As [`cblas_sgemm`], of other elements.
///
/// # Safety
/// As [`cblas_sgemm`].
unsafe fn general<T: Copy + PartialEq + Default + Send + Sync + 'static>(
    size: [i32; 3],
    (a, lda, op_a): Operand<T>,
    (b, ldb, op_b): Operand<T>,
    (c, ldc): (*mut T, i32),
    [alpha, beta]: [T; 2],
) {
    let [m, n, k] = size.map(|size| size as usize);
    let strides = |op, ld| if op == TRANSPOSED || op == ADJOINT { (1, ld as isize) } else { (ld as isize, 1) };
    let ((a_row, a_col), (b_row, b_col), c_row) = (strides(op_a, lda), strides(op_b, ldb), ldc as isize);
    let (conj_a, conj_b, read_c) = (op_a == ADJOINT, op_b == ADJOINT, beta != T::default());
    // SAFETY: each part of the rows or columns writes its own of c.
    let (a, b, c) = unsafe { (Shared::new(a.cast_mut()), Shared::new(b.cast_mut()), Shared::new(c)) };
    let by_rows = m >= n;
    pool::split(m.max(n), 16, m * n * k >= PARALLEL, |range| {
        let (at, len) = (range.start as isize, range.len());
        let (m, n) = if by_rows { (len, n) } else { (m, len) };
        let (a_at, b_at, c_at) = if by_rows { (at * a_row, 0, at * c_row) } else { (0, at * b_col, at) };
        let (a, b, c) = (a.get().wrapping_offset(a_at), b.get().wrapping_offset(b_at), c.get().wrapping_offset(c_at));
        let here = gemm::Parallelism::None;
        // SAFETY: the caller's, for these rows or columns.
        unsafe {
            gemm::gemm(
                m, n, k, c, 1, c_row, read_c, a, a_col, a_row, b, b_col, b_row, beta, alpha, false, conj_a, conj_b,
                here,
            )
        }
    });
}

/// [`cblas_sgemm`] of `f64`.
///
/// # Safety
/// As [`cblas_sgemm`].
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments)]
pub unsafe extern "C" fn cblas_dgemm(
    _order: i32,
    op_a: i32,
    op_b: i32,
    m: i32,
    n: i32,
    k: i32,
    alpha: f64,
    a: *const f64,
    lda: i32,
    b: *const f64,
    ldb: i32,
    beta: f64,
    c: *mut f64,
    ldc: i32,
) {
    // SAFETY: the caller's.
    unsafe { general([m, n, k], (a, lda, op_a), (b, ldb, op_b), (c, ldc), [alpha, beta]) }
}

/// [`cblas_sgemm`] of complex numbers of two `f32`, the scales by pointer.
///
/// # Safety
/// As [`cblas_sgemm`].
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments)]
pub unsafe extern "C" fn cblas_cgemm(
    _order: i32,
    op_a: i32,
    op_b: i32,
    m: i32,
    n: i32,
    k: i32,
    alpha: *const gemm::c32,
    a: *const gemm::c32,
    lda: i32,
    b: *const gemm::c32,
    ldb: i32,
    beta: *const gemm::c32,
    c: *mut gemm::c32,
    ldc: i32,
) {
    // SAFETY: the caller's.
    unsafe { general([m, n, k], (a, lda, op_a), (b, ldb, op_b), (c, ldc), [*alpha, *beta]) }
}

/// The address of a function.
struct Symbol(#[allow(dead_code)] *const ());

// SAFETY: nobody follows the pointer.
unsafe impl Sync for Symbol {}

// Keeps the symbols in every binary, although no Rust code calls them.
#[used]
static KEEP: [Symbol; 3] =
    [Symbol(cblas_sgemm as *const ()), Symbol(cblas_dgemm as *const ()), Symbol(cblas_cgemm as *const ())];

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Numbers in -1 .. 1 that look random and are the same every time.
    pub fn noise(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2654435761).max(1);
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as f32 / u32::MAX as f32 * 2.0 - 1.0
        };
        (0..n).map(|_| next()).collect()
    }

    #[track_caller]
    fn check(isa: Isa, [m, n, k]: [usize; 3], [turned, transposed]: [bool; 2], [alpha, beta]: [f32; 2], pad: usize) {
        let (lda, ldb) = (if turned { m } else { k } + pad, if transposed { k } else { n } + 2 * pad);
        let ldc = n + 3 * pad;
        let a = noise(lda * if turned { k } else { m }, 1);
        let b = noise(ldb * if transposed { n } else { k }, 2);
        let before = if beta == 0.0 { vec![f32::NAN; m * ldc] } else { noise(m * ldc, 3) };
        let mut c = before.clone();
        let (pa, pb, pc) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
        let p = Product { m, n, k, alpha, a: pa, lda, b: pb, ldb, transposed, beta, c: pc, ldc };
        // SAFETY: the buffers were made for these sizes.
        unsafe { sgemm(p, turned, isa) };
        for (at, (&new, &old)) in c.iter().zip(&before).enumerate() {
            let (i, j) = (at / ldc, at % ldc);
            if j >= n {
                assert!(new.to_bits() == old.to_bits(), "padding of c was written at ({i}, {j})");
                continue;
            }
            let a_at = |l| f64::from(a[if turned { l * lda + i } else { i * lda + l }]);
            let b_at = |l| f64::from(b[if transposed { j * ldb + l } else { l * ldb + j }]);
            let dot: f64 = (0..k).map(|l| a_at(l) * b_at(l)).sum();
            let old = if beta == 0.0 { 0.0 } else { f64::from(beta * old) };
            let want = f64::from(alpha) * dot + old;
            let error = (f64::from(new) - want).abs();
            assert!(
                error < 1e-5 * (k as f64).sqrt() + 1e-5,
                "{isa:?} m={m} n={n} k={k} ({i}, {j}): {new} is not {want}"
            );
        }
    }

    #[test]
    fn agrees_with_f64() {
        let sizes =
            [[1, 1, 1], [1, 7, 3], [1, 130, 64], [2, 67, 33], [3, 5, 129], [5, 66, 17], [8, 9, 100], [9, 17, 31]];
        for isa in Isa::available() {
            for size in sizes {
                for (turned, transposed) in [(false, false), (false, true), (true, false), (true, true)] {
                    for scales in [[1.0, 0.0], [0.5, 1.0], [-2.0, 0.25]] {
                        check(isa, size, [turned, transposed], scales, 0);
                        check(isa, size, [turned, transposed], scales, 5);
                    }
                }
            }
        }
    }

    #[test]
    fn agrees_on_all_cores() {
        for isa in Isa::available() {
            check(isa, [1, 2003, 577], [false, true], [1.0, 0.0], 0);
            check(isa, [4, 2003, 133], [false, true], [1.0, 1.0], 3);
            check(isa, [1, 2003, 577], [false, false], [1.0, 0.0], 0);
            check(isa, [7, 1517, 130], [false, false], [1.0, 1.0], 3);
        }
    }

    #[test]
    fn many_rows_agree_with_f64() {
        let sizes = [[25, 1, 1], [26, 33, 17], [37, 64, 48], [61, 95, 385], [75, 31, 16], [97, 130, 15]];
        for isa in Isa::available() {
            for size in sizes {
                for (turned, transposed) in [(false, false), (false, true), (true, false), (true, true)] {
                    check(isa, size, [turned, transposed], [1.0, 0.0], 0);
                    check(isa, size, [turned, transposed], [-0.5, 1.0], 5);
                    check(isa, size, [turned, transposed], [2.0, 0.25], 1);
                }
            }
            for (turned, transposed) in [(false, false), (true, true)] {
                check(isa, [150, 301, 403], [turned, transposed], [1.0, 0.0], 1);
                check(isa, [1100, 40, 70], [turned, transposed], [1.0, 1.0], 0);
            }
        }
    }

    #[test]
    fn rows_beyond_what_is_packed_at_a_time_agree() {
        check(Isa::best(), [1030, 5, 4100], [false, true], [1.0, 0.5], 0);
        check(Isa::best(), [520, 300, 4100], [true, false], [0.5, 0.0], 0);
    }

    #[track_caller]
    fn check_general<T: Copy + PartialEq + Default + Send + Sync + 'static>(
        [m, n, k]: [usize; 3],
        [op_a, op_b]: [i32; 2],
        [alpha, beta]: [f64; 2],
        (make, parts): (impl Fn(f32, f32) -> T, impl Fn(T) -> [f64; 2]),
    ) {
        let of = |n: usize, seed| -> Vec<T> {
            noise(n, seed).into_iter().zip(noise(n, seed + 9)).map(|(re, im)| make(re, im)).collect()
        };
        let (a, b, before) = (of(m * k, 1), of(k * n, 2), of(m * n, 3));
        let mut c = before.clone();
        let (lda, ldb) = (if op_a == NONE { k } else { m }, if op_b == NONE { n } else { k });
        let (a_of, b_of) = ((a.as_ptr(), lda as i32, op_a), (b.as_ptr(), ldb as i32, op_b));
        let scales = [alpha, beta].map(|scale| make(scale as f32, 0.0));
        // SAFETY: the buffers were made for these sizes.
        unsafe { general([m, n, k].map(|size| size as i32), a_of, b_of, (c.as_mut_ptr(), n as i32), scales) };
        let at = |x: &[T], op, row: usize, column: usize, ld: usize| {
            let [re, im] = parts(x[if op == NONE { row * ld + column } else { column * ld + row }]);
            [re, if op == ADJOINT { -im } else { im }]
        };
        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let old = parts(before[i * n + j]);
            let mut want = old.map(|x| beta * x);
            for l in 0..k {
                let ([x, y], [u, v]) = (at(&a, op_a, i, l, lda), at(&b, op_b, l, j, ldb));
                want[0] += alpha * (x * u - y * v);
                want[1] += alpha * (x * v + y * u);
            }
            let got = parts(c[i * n + j]);
            let error = (got[0] - want[0]).abs().max((got[1] - want[1]).abs());
            assert!(error < 1e-4, "m={m} n={n} k={k} ({i}, {j}): {got:?} is not {want:?}");
        }
    }

    const NONE: i32 = 111;

    #[test]
    fn doubles_and_complex_numbers_agree_with_f64() {
        for size in [[1, 1, 1], [3, 5, 7], [33, 18, 20], [130, 129, 130], [20, 150, 0]] {
            for (op_a, op_b) in [(NONE, NONE), (NONE, TRANSPOSED), (TRANSPOSED, NONE), (ADJOINT, ADJOINT)] {
                for scales in [[1.0, 0.0], [0.5, -1.0]] {
                    let double = (|re, _| f64::from(re), |x| [x, 0.0]);
                    check_general(size, [op_a, op_b], scales, double);
                    let complex = (gemm::c32::new, |x: gemm::c32| [x.re, x.im].map(f64::from));
                    check_general(size, [op_a, op_b], scales, complex);
                }
            }
        }
    }

    #[test]
    fn empty_products_only_scale() {
        for isa in Isa::available() {
            check(isa, [1, 5, 0], [false, true], [1.0, 0.5], 0);
            check(isa, [2, 5, 0], [false, false], [1.0, 0.0], 0);
        }
    }
}
