//! Linear algebra of `mlx.core.linalg`, over the last two axes. Most of it is computed on the CPU alone, in f32 or f64.
//!
//! ```
//! use mlx_ops::{Tensor, linalg};
//! let a = Tensor::from_slice(&[2f32, 0.0, 0.0, 4.0], [2, 2])?;
//! let b = Tensor::from_slice(&[2f32, 2.0], [2, 1])?;
//! assert_eq!(linalg::solve(&a, &b)?.to_vec::<f32>()?, [1.0, 0.5]);
//! # Ok::<(), mlx_ops::Error>(())
//! ```

use crate::tensor::{pair, tensors};
use crate::{Axes, Tensor};
use mlx_core::{Error, Result, linalg};

/// Which norm [`norm`] computes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Order {
    /// The 2-norm of vectors, the Frobenius norm of matrices, the 2-norm of all elements.
    #[default]
    Default,
    /// The norm of this order, infinite ones included.
    P(f64),
    /// The Frobenius norm of matrices.
    Frobenius,
    /// The nuclear norm of matrices, the sum of singular values.
    Nuclear,
}

/// Which triangle of a Hermitian matrix is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Triangle {
    /// The lower one.
    #[default]
    Lower,
    /// The upper one.
    Upper,
}

impl Triangle {
    fn name(self) -> &'static str {
        match self {
            Self::Lower => "L",
            Self::Upper => "U",
        }
    }
}

/// The norm over one axis (vectors), two axes (matrices), or all elements (`..`, for an order of a vector or matrix only).
#[track_caller]
pub fn norm(x: &Tensor, ord: Order, axes: impl Axes, keepdims: bool) -> Result<Tensor> {
    let all = axes.are_all();
    axes.with(x.ndim(), |axes| {
        let axes = (!all).then_some(axes);
        match ord {
            Order::Default => linalg::norm(&x.0, axes, keepdims),
            Order::P(p) => linalg::norm_ord(&x.0, p, axes, keepdims),
            Order::Frobenius => linalg::norm_named(&x.0, "fro", axes, keepdims),
            Order::Nuclear => linalg::norm_named(&x.0, "nuc", axes, keepdims),
        }
    })
    .map(Tensor)
}

/// `(q, r)` with orthogonal q and upper triangular r.
#[track_caller]
pub fn qr(a: &Tensor) -> Result<(Tensor, Tensor)> {
    linalg::qr(&a.0).and_then(pair)
}

/// `(u, s, vt)` with `a = u @ diag(s) @ vt`.
#[track_caller]
pub fn svd(a: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
    linalg::svd(&a.0, true).and_then(triple)
}

/// The singular values alone, in descending order.
#[track_caller]
pub fn svdvals(a: &Tensor) -> Result<Tensor> {
    match linalg::svd(&a.0, false)?.pop() {
        Some(values) => Ok(Tensor(values)),
        None => Err(Error::new("[svd] MLX returned no array")),
    }
}

#[track_caller]
fn triple(parts: Vec<mlx_core::Array>) -> Result<(Tensor, Tensor, Tensor)> {
    match <[Tensor; 3]>::try_from(tensors(parts)) {
        Ok([a, b, c]) => Ok((a, b, c)),
        Err(parts) => Err(Error::new(format!("MLX returned {} arrays where three belong", parts.len()))),
    }
}

macro_rules! one_matrix {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $t:ty)?);)*) => { $(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(a: &Tensor $(, $arg: $t)?) -> Result<Tensor> {
            linalg::$name(&a.0 $(, $arg)?).map(Tensor)
        }
    )* };
}

one_matrix! {
    /// The inverse of each square matrix; evaluation fails where one is singular.
    inv();
    /// The inverse of each triangular matrix.
    tri_inv(upper: bool);
    /// The Cholesky factor `l` of each positive definite matrix `l @ l.T`, or its transpose where `upper`.
    cholesky(upper: bool);
    /// The inverse of a positive definite matrix from its Cholesky factor.
    cholesky_inv(upper: bool);
    /// The Moore-Penrose inverse of each matrix.
    pinv();
    /// The eigenvalues (complex) of each square matrix.
    eigvals();
    /// The determinant of each square matrix.
    det();
}

/// `(p, l, u)` with rows permuted by the indices p: `a[p] = l @ u`.
#[track_caller]
pub fn lu(a: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
    linalg::lu(&a.0).and_then(triple)
}

/// Both factors in one matrix, and the row (`u32`) exchanged with each row.
#[track_caller]
pub fn lu_factor(a: &Tensor) -> Result<(Tensor, Tensor)> {
    linalg::lu_factor(&a.0).and_then(pair)
}

/// `x` with `a @ x = b`.
#[track_caller]
pub fn solve(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    linalg::solve(&a.0, &b.0).map(Tensor)
}

/// `x` with `a @ x = b` for triangular `a`.
#[track_caller]
pub fn solve_triangular(a: &Tensor, b: &Tensor, upper: bool) -> Result<Tensor> {
    linalg::solve_triangular(&a.0, &b.0, upper).map(Tensor)
}

/// The cross product of vectors of 2 or 3 components along `axis`.
#[track_caller]
pub fn cross(a: &Tensor, b: &Tensor, axis: i32) -> Result<Tensor> {
    linalg::cross(&a.0, &b.0, axis).map(Tensor)
}

/// Eigenvalues `(.., n)` and eigenvectors `(.., n, n)` in columns, complex, of each square matrix.
#[track_caller]
pub fn eig(a: &Tensor) -> Result<(Tensor, Tensor)> {
    linalg::eig(&a.0).and_then(pair)
}

/// Ascending eigenvalues and eigenvectors (in columns) of each Hermitian matrix.
#[track_caller]
pub fn eigh(a: &Tensor, triangle: Triangle) -> Result<(Tensor, Tensor)> {
    linalg::eigh(&a.0, triangle.name()).and_then(pair)
}

/// The eigenvalues of each Hermitian matrix, ascending.
#[track_caller]
pub fn eigvalsh(a: &Tensor, triangle: Triangle) -> Result<Tensor> {
    linalg::eigvalsh(&a.0, triangle.name()).map(Tensor)
}

/// The sign of the determinant of each square matrix and the logarithm of its absolute value.
#[track_caller]
pub fn slogdet(a: &Tensor) -> Result<(Tensor, Tensor)> {
    linalg::slogdet(&a.0).and_then(pair)
}
