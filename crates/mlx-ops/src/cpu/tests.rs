//! Kernels against the graphs of MLX's ops that they replace.

use super::*;
use mlx_core::{Array, Dtype, fast, kernel, ops, random};

pub fn noise(shape: &[i32]) -> Array {
    let x = random::normal(shape, Dtype::F32, None).unwrap();
    x.eval().unwrap();
    x
}

#[track_caller]
fn close(ours: Option<mlx_core::Result<Array>>, theirs: &Array) {
    within(1e-5, ours, theirs);
}

#[track_caller]
pub fn within(tolerance: f32, ours: Option<mlx_core::Result<Array>>, theirs: &Array) {
    let ours = ours.expect("a kernel").unwrap();
    assert_eq!(ours.shape(), theirs.shape());
    let (ours, theirs) = (ours.to_vec::<f32>().unwrap(), theirs.to_vec::<f32>().unwrap());
    for (i, (x, y)) in ours.iter().zip(&theirs).enumerate() {
        assert!((x - y).abs() < tolerance * y.abs().max(1.0), "element {i}: {x} is not {y}");
    }
}

#[test]
fn rms_norm_agrees() {
    for shape in [&[1, 1, 576][..], &[3, 7], &[2, 5, 33], &[0, 8], &[600, 577]] {
        let (x, weight) = (noise(shape), noise(&shape[shape.len() - 1..]));
        close(rms_norm(&x, Some(&weight), 1e-5), &fast::rms_norm(&x, Some(&weight), 1e-5).unwrap());
    }
    let x = ops::swapaxes(&noise(&[2, 3, 4, 40]), 1, 2).unwrap();
    let weight = noise(&[40]);
    close(rms_norm(&x, Some(&weight), 1e-6), &fast::rms_norm(&x, Some(&weight), 1e-6).unwrap());
    assert!(rms_norm(&x, None, 1e-6).is_none());
}

#[test]
fn swiglu_agrees() {
    for shape in [&[1, 1, 1536][..], &[3, 7], &[0, 4], &[300, 1001]] {
        let (gate, x) = (ops::multiply(&noise(shape), &Array::scalar(9.0, Dtype::F32).unwrap()).unwrap(), noise(shape));
        let silu = ops::multiply(&gate, &ops::sigmoid(&gate).unwrap()).unwrap();
        close(swiglu(&gate, &x), &ops::multiply(&silu, &x).unwrap());
    }
    let far = Array::from_slice(&[-1e38f32, -200.0, -87.5, 0.0, 200.0, 1e30], &[6]).unwrap();
    let ones = Array::from_slice(&[1f32; 6], &[6]).unwrap();
    close(swiglu(&far, &ones), &Array::from_slice(&[0f32, 0.0, 0.0, 0.0, 200.0, 1e30], &[6]).unwrap());
    let nan = ops::multiply(&far, &Array::scalar(f64::NAN, Dtype::F32).unwrap()).unwrap();
    let gated = swiglu(&nan, &ones).unwrap().unwrap().to_vec::<f32>().unwrap();
    assert!(gated.iter().all(|y| y.is_nan()), "{gated:?}");
}

#[track_caller]
fn check_rope(x: &Array, rope: Rope, table: Option<&Array>) {
    let Rope { dims, traditional, base, scale, offset } = rope;
    let want = fast::rope(x, dims, traditional, base, scale, offset, table).unwrap();
    // A frequency's last bit, times the position, is what an angle may be off.
    within(2e-7 * 500.0, rope.apply(x, table), &want);
}

#[test]
fn rope_agrees() {
    let base = Some(10_000.0);
    let table = ops::exp(&noise(&[8])).unwrap();
    for shape in [&[1, 9, 1, 64][..], &[2, 3, 17, 16], &[2, 5, 20], &[2, 2, 3, 4, 16], &[1, 30, 300, 64]] {
        let x = noise(shape);
        for (dims, traditional) in [(16, false), (16, true), (10, false)] {
            check_rope(&x, Rope { dims, traditional, base, scale: 1.0, offset: 5 }, None);
            check_rope(&x, Rope { dims, traditional, base, scale: 0.25, offset: 100 }, None);
        }
        check_rope(&x, Rope { dims: 16, traditional: false, base: None, scale: 1.0, offset: 3 }, Some(&table));
    }
    let turned = ops::swapaxes(&noise(&[2, 7, 3, 16]), 1, 2).unwrap();
    check_rope(&turned, Rope { dims: 16, traditional: false, base, scale: 1.0, offset: 0 }, None);
}

#[test]
fn gradients_are_the_fallbacks() {
    let (x, weight) = (noise(&[3, 8]), noise(&[8]));
    let ours = kernel::vector_jacobian(|x| rms_norm(x, Some(&weight), 1e-5).expect("a kernel"), &x, &x);
    let theirs = kernel::vector_jacobian(|x| fast::rms_norm(x, Some(&weight), 1e-5), &x, &x).unwrap();
    close(Some(ours), &theirs);
}
