//! Linear algebra of `mlx.core.linalg`. MLX computes most of it on the CPU only, in f32 or f64. Matrices
//! without elements are errors, and so are NaN and infinities where LAPACK would end the process.

use crate::bridge::numeric::ffi;
use crate::call::{Argument, call};
use crate::checks::{copied, filled, finite};
use crate::ops::over_nothing;
use crate::{Array, Result};

crate::call::functions! { ffi;
    /// The norm of order `ord` over one axis (vectors) or two (matrices); over all elements of a vector or matrix for `None`.
    fn norm_ord(a: &Array, ord: f64, axes: Option<&[i32]>, keepdims: bool) -> Array => a = &finite(c"linalg::norm", a)?;
    /// The norm named `fro` or `nuc` over two axes.
    fn norm_named(a: &Array, ord: &str, axes: Option<&[i32]>, keepdims: bool) -> Array => a = &finite(c"linalg::norm", a)?;
    /// `[q, r]` with orthogonal q and upper triangular r of each matrix `(.., m, n)`.
    fn qr(a: &Array) -> Vec<Array> where filled("linalg::qr", &[a]);
    /// `[u, s, vt]` with `a = u @ diag(s) @ vt`, or `[s]` alone.
    fn svd(a: &Array, compute_uv: bool) -> Vec<Array> => a = &finite(c"linalg::svd", a)?;
    /// The inverse of each square matrix.
    fn inv(a: &Array) -> Array where filled("linalg::inv", &[a]);
    /// The inverse of each triangular matrix.
    fn tri_inv(a: &Array, upper: bool) -> Array where filled("linalg::tri_inv", &[a]);
    /// The Cholesky factor of each positive definite matrix: `l` with `a = l @ l.T`, or its transpose.
    fn cholesky(a: &Array, upper: bool) -> Array where filled("linalg::cholesky", &[a]);
    /// The Moore-Penrose inverse of each matrix.
    fn pinv(a: &Array) -> Array => a = &finite(c"linalg::pinv", a)?;
    /// The inverse of each positive definite matrix from its Cholesky factor.
    fn cholesky_inv(a: &Array, upper: bool) -> Array where filled("linalg::cholesky_inv", &[a]);
    /// `[p, l, u]` with `a[p] = l @ u`, rows permuted by the indices p.
    fn lu(a: &Array) -> Vec<Array> where filled("linalg::lu", &[a]);
    /// `x` with `a @ x = b`.
    fn solve(a: &Array, b: &Array) -> Array where filled("linalg::solve", &[a, b]);
    /// `x` with `a @ x = b` for triangular `a`.
    fn solve_triangular(a: &Array, b: &Array, upper: bool) -> Array where filled("linalg::solve_triangular", &[a, b]);
    /// The cross product of vectors of 2 or 3 components along `axis`.
    fn cross(a: &Array, b: &Array, axis: i32) -> Array;
    /// `[values, vectors]`, complex, of each square matrix.
    fn eig(a: &Array) -> Vec<Array> => a = &finite(c"linalg::eig", a)?;
    /// The eigenvalues, complex, of each square matrix.
    fn eigvals(a: &Array) -> Array => a = &finite(c"linalg::eigvals", a)?;
    /// The eigenvalues in ascending order of each Hermitian matrix, of which the triangle `uplo` (`L` or `U`) is read.
    fn eigvalsh(a: &Array, uplo: &str) -> Array => a = &finite(c"linalg::eigvalsh", a)?;
    /// `[values, vectors]` of each Hermitian matrix, of which the triangle `uplo` (`L` or `U`) is read.
    fn eigh(a: &Array, uplo: &str) -> Vec<Array> => a = &finite(c"linalg::eigh", a)?;
    /// The determinant of each square matrix.
    fn det(a: &Array) -> Array where filled("linalg::det", &[a]);
    /// `[sign, log of the absolute value]` of the determinant of each square matrix.
    fn slogdet(a: &Array) -> Vec<Array> where filled("linalg::slogdet", &[a]);
}

/// The 2-norm over one axis, the Frobenius norm over two, or the 2-norm of the flattened array for `None`.
#[track_caller]
pub fn norm(a: &Array, axes: Option<&[i32]>, keepdims: bool) -> Result<Array> {
    over_nothing(a, call!(ffi::norm(a, axes.ffi(), keepdims))?, 0.0)
}

/// `[lu, pivots]`: both factors in one matrix, and the row exchanged with each row.
#[track_caller]
pub fn lu_factor(a: &Array) -> Result<Vec<Array>> {
    filled("linalg::lu_factor", &[a])?;
    let mut factors = call!(ffi::lu_factor(a))?;
    factors[0] = copied(&factors[0])?;
    Ok(factors)
}
