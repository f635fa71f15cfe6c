//! Products with 16-bit weights as a kernel of the lazy graph: the weights stay as they are, and sums are `f32`.

use super::dense::product_with;
use super::short;
use super::simd::Isa;
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, ops};
use std::ffi::CStr;

/// `x @ w.T` where this module has a kernel for it: on the CPU, one matrix `w` of f16 or bf16, and `x` of f32 or the same.
pub fn linear16(x: &Array, w: &Array) -> Option<Result<Array>> {
    let (&[_, inner], Some(&width)) = (w.shape(), x.shape().last()) else { return None };
    let typed = matches!(w.dtype(), Dtype::F16 | Dtype::Bf16) && (x.dtype() == Dtype::F32 || x.dtype() == w.dtype());
    // What does not fit is MLX's to compute or to reject.
    let fits = typed && inner == width && super::is_current();
    fits.then(|| super::one(Linear, &[x.clone(), w.clone()]))
}

/// Inputs `x` and `w`; the result has the dtype of `x`.
#[derive(PartialEq)]
struct Linear;

impl Kernel for Linear {
    fn name(&self) -> &'static CStr {
        c"Linear16"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let mut shape = inputs[0].shape().to_vec();
        if let (Some(last), Some(&rows)) = (shape.last_mut(), inputs[1].shape().first()) {
            *last = rows;
        }
        Ok(vec![(shape, inputs[0].dtype())])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let (x, k) = (short::read(&inputs[0])?, inputs[0].shape().last().map_or(0, |&k| k as usize));
        short::write(&mut outputs[0], |out| product_with(Isa::best(), &x, k, &inputs[1], out))
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let w = ops::astype(&inputs[1], inputs[0].dtype())?;
        Ok(vec![ops::matmul(&inputs[0], &ops::transpose(&w, &[1, 0])?)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlx_core::{kernel, random};

    fn noise(shape: &[i32], dtype: Dtype) -> Array {
        let x = ops::astype(&random::normal(shape, Dtype::F32, None, None, None).unwrap(), dtype).unwrap();
        x.eval().unwrap();
        x
    }

    fn values(x: &Array) -> Vec<f32> {
        ops::astype(x, Dtype::F32).unwrap().to_vec::<f32>().unwrap()
    }

    #[track_caller]
    fn close(tolerance: f32, ours: &Array, theirs: &Array) {
        assert_eq!((ours.shape(), ours.dtype()), (theirs.shape(), theirs.dtype()));
        let (ours, theirs) = (values(ours), values(theirs));
        let scale = theirs.iter().fold(1f32, |most, y| most.max(y.abs()));
        for (i, (x, y)) in ours.iter().zip(&theirs).enumerate() {
            assert!((x - y).abs() < tolerance * scale, "element {i}: {x} is not {y}");
        }
    }

    /// Against MLX's own product; `last` is what the last bit of a result of the dtype of `x` is worth.
    #[track_caller]
    fn check(x: &Array, w: &Array, last: f32) {
        let ours = linear16(x, w).expect("a kernel").unwrap();
        close(last, &ours, &Linear.fallback(&[x.clone(), w.clone()]).unwrap()[0]);
        // Sums of f32, rounded once, are exact to half of the last bit.
        let wide = |array: &Array| ops::astype(array, Dtype::F32).unwrap();
        let exact = ops::matmul(&wide(x), &ops::transpose(&wide(w), &[1, 0]).unwrap()).unwrap();
        close(last / 2.0 + 1e-5, &ours, &ops::astype(&exact, x.dtype()).unwrap());
    }

    #[test]
    fn agrees_with_mlx() {
        for (dtype, last) in [(Dtype::F16, 1.0 / 512.0), (Dtype::Bf16, 1.0 / 64.0)] {
            for batch in [&[][..], &[1, 1], &[2, 3], &[0], &[29], &[2, 15]] {
                for [n, k] in [[5, 7], [1, 64], [67, 33]] {
                    let (shape, w) = ([batch, &[k]].concat(), noise(&[n, k], dtype));
                    check(&noise(&shape, Dtype::F32), &w, 2e-5);
                    check(&noise(&shape, dtype), &w, last);
                }
            }
            check(&noise(&[1, 576], dtype), &noise(&[1003, 576], dtype), last);
        }
    }

    #[test]
    fn strides_are_followed() {
        for dtype in [Dtype::F16, Dtype::Bf16] {
            let w = ops::transpose(&noise(&[33, 9], dtype), &[1, 0]).unwrap();
            let x = ops::transpose(&noise(&[33, 4], Dtype::F32), &[1, 0]).unwrap();
            check(&x, &w, 2e-5);
        }
    }

    #[test]
    fn what_does_not_fit_is_left_to_mlx() {
        let (x, w) = (noise(&[2, 8], Dtype::F32), noise(&[3, 8], Dtype::F16));
        assert!(linear16(&x, &w).is_some());
        assert!(linear16(&x, &noise(&[3, 8], Dtype::F32)).is_none());
        assert!(linear16(&noise(&[2, 8], Dtype::Bf16), &w).is_none());
        assert!(linear16(&noise(&[2, 7], Dtype::F32), &w).is_none());
        assert!(linear16(&x, &noise(&[1, 3, 8], Dtype::F16)).is_none());
        assert!(linear16(&noise(&[], Dtype::F32), &w).is_none());
    }

    #[test]
    fn gradient_is_the_fallbacks() {
        let (x, w, cotangent) = (noise(&[3, 8], Dtype::F32), noise(&[5, 8], Dtype::Bf16), noise(&[3, 5], Dtype::F32));
        let ours = kernel::vector_jacobian(|x| linear16(x, &w).expect("a kernel"), &x, &cotangent).unwrap();
        let theirs = |x: &Array| Ok(Linear.fallback(&[x.clone(), w.clone()])?.remove(0));
        close(1e-5, &ours, &kernel::vector_jacobian(theirs, &x, &cotangent).unwrap());
    }
}
