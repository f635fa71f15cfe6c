//! Products with a dense matrix of weights, which may stay in 16 bits: they widen in registers or while they are packed.

use super::matvec::Product;
use super::simd::Isa;
use super::source::Float;
use mlx_core::kernel::Input;
use mlx_core::{Dtype, Error, Result, bf16, f16};

/// Rows up to which streaming the weights, for every four rows again but from cache, beats packing them.
const FEW_ROWS: usize = 36;

/// `out = x @ w.T` for rows of `k` elements and an input of shape `(n, k)` and type f32, f16 or bf16.
pub fn product_with(isa: Isa, x: &[f32], k: usize, w: &Input<'_>, out: &mut [f32]) -> Result<()> {
    match w.dtype() {
        Dtype::F32 => product::<f32>(isa, x, k, &w.values()?, out),
        Dtype::F16 => product::<f16>(isa, x, k, &w.values()?, out),
        Dtype::Bf16 => product::<bf16>(isa, x, k, &w.values()?, out),
        other => return Err(Error::new(format!("[product] a matrix of {other}"))),
    }
    Ok(())
}

/// `out = x @ w.T` for `x` of shape `(m, k)`, `w` of shape `(n, k)` and `out` of shape `(m, n)`, on all cores.
fn product<T: Float>(isa: Isa, x: &[f32], k: usize, w: &[T], out: &mut [f32]) {
    // Nothing divides the empty matrices that follow.
    if k == 0 || x.is_empty() || out.is_empty() {
        return out.fill(0.0);
    }
    let m = x.len() / k;
    let n = out.len() / m;
    assert_eq!((x.len(), w.len(), out.len()), (m * k, n * k, m * n), "elements of a dense product");
    let (a, b, c) = (x.as_ptr(), w.as_ptr(), out.as_mut_ptr());
    let p = Product { m, n, k, alpha: 1.0, a, lda: k, b, ldb: k, transposed: true, beta: 0.0, c, ldc: n };
    // SAFETY: the lengths were checked; whoever calls names an instruction set that is there.
    unsafe {
        match m <= FEW_ROWS {
            true => p.compute(isa),
            false => p.many_rows(false, isa),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::blas::tests::noise;
    use mlx_core::{bf16, f16};

    #[track_caller]
    fn check_one<T: Float>(isa: Isa, [m, n, k]: [usize; 3], w: &[T], value: fn(T) -> f32) {
        let x = noise(m * k, 1);
        let mut out = vec![f32::NAN; m * n];
        product(isa, &x, k, w, &mut out);
        for (at, &new) in out.iter().enumerate() {
            let (i, j) = (at / n, at % n);
            let want: f64 = (0..k).map(|l| f64::from(x[i * k + l]) * f64::from(value(w[j * k + l]))).sum();
            let error = (f64::from(new) - want).abs();
            assert!(error < 1e-5 * (k as f64).sqrt(), "{isa:?} m={m} n={n} k={k} ({i}, {j}): {new} is not {want}");
        }
    }

    #[track_caller]
    fn check(isa: Isa, size: [usize; 3]) {
        let w = noise(size[1] * size[2], 2);
        check_one(isa, size, &w, |x| x);
        let narrow: Vec<f16> = w.iter().map(|&x| f16::from_f32(x)).collect();
        check_one(isa, size, &narrow, f16::to_f32);
        let narrow: Vec<bf16> = w.iter().map(|&x| bf16::from_f32(x)).collect();
        check_one(isa, size, &narrow, bf16::to_f32);
    }

    #[test]
    fn agrees_with_f64() {
        for isa in Isa::available() {
            for m in [1, 2, 3, 5, FEW_ROWS, FEW_ROWS + 1, 31, 37] {
                for (n, k) in [(1, 1), (3, 2), (7, 33), (33, 15), (48, 64), (65, 17)] {
                    check(isa, [m, n, k]);
                }
            }
        }
    }

    #[test]
    fn agrees_on_all_cores() {
        for isa in Isa::available() {
            check(isa, [1, 1003, 577]);
            check(isa, [9, 515, 130]);
            check(isa, [67, 301, 803]);
            check(isa, [130, 37, 401]);
        }
    }

    #[test]
    fn nothing_to_add_gives_zeros() {
        for isa in Isa::available() {
            let mut out = [f32::NAN; 6];
            product::<f16>(isa, &[], 0, &[], &mut out);
            assert_eq!(out, [0.0; 6]);
            product(isa, &[], 4, &[bf16::ONE; 12], &mut []);
            product::<f32>(isa, &[1.0; 8], 4, &[], &mut []);
        }
    }
}
