//! `cblas_sgemm` for libmlx: the prebuilt Linux library looks it up in the global symbol scope, where this one comes first.

const TRANSPOSED: i32 = 112;

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
    let strides = |trans, ld: i32| if trans == TRANSPOSED { (1, ld as isize) } else { (ld as isize, 1) };
    let ((a_row, a_col), (b_row, b_col)) = (strides(trans_a, lda), strides(trans_b, ldb));
    let (m, n, k) = (m as usize, n as usize, k as usize);
    let threads = gemm::Parallelism::Rayon(0);
    let read_c = beta != 0.0;
    // SAFETY: the caller passes matrices of these sizes and leading dimensions.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c,
            1,
            ldc as isize,
            read_c,
            a,
            a_col,
            a_row,
            b,
            b_col,
            b_row,
            beta,
            alpha,
            false,
            false,
            false,
            threads,
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
