//! `cblas_sgemm` for libmlx: the prebuilt Linux library looks it up in the global symbol scope, where this one comes first.

use super::matvec::Product;
use super::simd::Isa;

const TRANSPOSED: i32 = 112;

/// Rows up to which streaming the second matrix once beats `gemm`, which first copies its operands into panels.
const FEW_ROWS: usize = 24;

/// Multiplications below which `gemm` stays on one thread, such as an attention head's.
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
    if p.m <= FEW_ROWS && (!turned || (p.m == 1 && p.lda == 1)) {
        // SAFETY: the caller's.
        return unsafe { p.compute(isa) };
    }
    let threads = match p.m * p.n * p.k < PARALLEL {
        true => gemm::Parallelism::None,
        false => gemm::Parallelism::Rayon(0),
    };
    // SAFETY: the caller's.
    unsafe { many_rows(p, turned, threads) }
}

/// The product by the `gemm` crate.
///
/// # Safety
/// As [`Product::compute`].
pub unsafe fn many_rows(p: Product, turned: bool, threads: gemm::Parallelism) {
    let strides = |turned, ld: usize| if turned { (1, ld as isize) } else { (ld as isize, 1) };
    let ((a_row, a_col), (b_row, b_col)) = (strides(turned, p.lda), strides(p.transposed, p.ldb));
    let (read_c, ldc) = (p.beta != 0.0, p.ldc as isize);
    // SAFETY: the caller's.
    unsafe {
        gemm::gemm(
            p.m, p.n, p.k, p.c, 1, ldc, read_c, p.a, a_col, a_row, p.b, b_col, b_row, p.beta, p.alpha, false, false,
            false, threads,
        )
    }
}

// Keeps the symbol in every binary, although no Rust code calls it.
#[allow(clippy::type_complexity)]
#[used]
static KEEP: unsafe extern "C" fn(
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    f32,
    *const f32,
    i32,
    *const f32,
    i32,
    f32,
    *mut f32,
    i32,
) = cblas_sgemm;

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in -1 .. 1 that look random and are the same every time.
    fn noise(n: usize, seed: u32) -> Vec<f32> {
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
        check(Isa::best(), [70, 301, 203], [true, true], [1.0, 0.0], 1);
    }

    #[test]
    fn empty_products_only_scale() {
        for isa in Isa::available() {
            check(isa, [1, 5, 0], [false, true], [1.0, 0.5], 0);
            check(isa, [2, 5, 0], [false, false], [1.0, 0.0], 0);
        }
    }
}
