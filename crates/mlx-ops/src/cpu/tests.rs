//! Kernels against the graphs of MLX's ops that they replace.

use super::*;
use crate::{Activation, Tensor};
use mlx_core::{Array, Dtype, fast, kernel, ops, random};

pub fn noise(shape: &[i32]) -> Array {
    let x = random::normal(shape, Dtype::F32, None, None, None).unwrap();
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
fn norms_agree() {
    for shape in [&[1, 1, 576][..], &[3, 7], &[2, 5, 33], &[0, 8], &[600, 577], &[21]] {
        let x = noise(shape);
        let [w, b] = [(); 2].map(|()| noise(&shape[shape.len() - 1..]));
        check_norms(&x, &w, &b);
        if let &[rows, width] = shape {
            check_norms(&ops::swapaxes(&noise(&[width, rows]), 0, 1).unwrap(), &w, &b);
        }
    }
    check_norms(&ops::swapaxes(&noise(&[2, 3, 4, 40]), 1, 2).unwrap(), &noise(&[40]), &noise(&[40]));
    let (x, w) = (noise(&[3, 8]), noise(&[7]));
    assert!(rms_norm(&x, Some(&w), 1e-6).is_none() && layer_norm(&x, Some(&w), None, 1e-6).is_none());
    let x = ops::astype(&x, Dtype::I32).unwrap();
    assert!(rms_norm(&x, None, 1e-6).is_none() && layer_norm(&x, None, None, 1e-6).is_none());
}

#[track_caller]
fn check_norms(x: &Array, w: &Array, b: &Array) {
    for (w, b) in [(None, None), (Some(w), None), (None, Some(b)), (Some(w), Some(b))] {
        close(rms_norm(x, w, 1e-5), &fast::rms_norm(x, w, 1e-5).unwrap());
        close(layer_norm(x, w, b, 1e-5), &fast::layer_norm(x, w, b, 1e-5).unwrap());
        for dtype in [Dtype::F16, Dtype::Bf16] {
            let narrow = |array: &Array| ops::astype(array, dtype).unwrap();
            let (x, w, b) = (narrow(x), w.map(narrow), b.map(narrow));
            let want = fast::layer_norm(&x, w.as_ref(), b.as_ref(), 1e-5).unwrap();
            let ours = layer_norm(&x, w.as_ref(), b.as_ref(), 1e-5).expect("a kernel").unwrap();
            assert_eq!(ours.dtype(), dtype);
            within(3e-2, Some(ops::astype(&ours, Dtype::F32)), &ops::astype(&want, Dtype::F32).unwrap());
        }
    }
}

/// MLX adds up long rows one by one, which loses digits: the formula in f64 decides.
#[track_caller]
fn check_softmax(x: &Array) {
    let ours = softmax(x).expect("a kernel").unwrap();
    assert_eq!(ours.shape(), x.shape());
    within(1e-4, Some(Ok(ours.clone())), &ops::softmax(x, &[-1], true).unwrap());
    let width = x.shape()[x.ndim() - 1] as usize;
    let (x, ours) = (x.to_vec::<f32>().unwrap(), ours.to_vec::<f32>().unwrap());
    for (x, ours) in x.chunks(width).zip(ours.chunks(width)) {
        let most = x.iter().fold(f32::NEG_INFINITY, |most, &x| most.max(x));
        let weights: Vec<f64> = x.iter().map(|&x| f64::from(x - most).exp()).collect();
        let total: f64 = weights.iter().sum();
        for (i, (ours, weight)) in ours.iter().zip(&weights).enumerate() {
            let want = weight / total;
            // A difference of 64 has lost four millionths.
            assert!((f64::from(*ours) - want).abs() < 8e-6 * want + 1e-37, "element {i}: {ours} is not {want}");
        }
    }
}

#[test]
fn softmax_agrees() {
    for shape in [&[49_152][..], &[3, 10_001], &[2, 3, 5], &[1, 1], &[4, 1], &[7, 4096], &[1, 100_000]] {
        check_softmax(&ops::multiply(&noise(shape), &Array::scalar(8.0, Dtype::F32).unwrap()).unwrap());
    }
    let turned = ops::swapaxes(&noise(&[300, 5]), 0, 1).unwrap();
    check_softmax(&turned);
    assert!(softmax(&noise(&[0, 3])).is_none() && softmax(&ops::astype(&turned, Dtype::F16).unwrap()).is_none());
}

#[test]
fn softmax_of_what_is_no_number_or_infinite() {
    let minus = f32::NEG_INFINITY;
    let row = |edges: [f32; 2]| [&[edges[0]][..], &[0.5; 9000], &[edges[1]]].concat();
    for (x, nan) in [
        (row([0.0, minus]), false),
        (row([200.0, 0.0]), false),
        (row([f32::NAN, 0.0]), true),
        (row([0.0, f32::NAN]), true),
        (row([0.0, f32::INFINITY]), true),
        (vec![minus; 9001], true),
        ([vec![minus; 9000], vec![0.0]].concat(), false),
    ] {
        let array = Array::from_slice(&x, &[x.len() as i32]).unwrap();
        let ours = softmax(&array).expect("a kernel").unwrap().to_vec::<f32>().unwrap();
        let theirs = ops::softmax(&array, &[-1], true).unwrap().to_vec::<f32>().unwrap();
        for (i, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!((ours.is_nan(), theirs.is_nan()), (nan, nan), "element {i} of {:?} ..", &x[..2]);
            assert!(nan || (ours - theirs).abs() < 1e-6, "element {i}: {ours} is not {theirs}");
            assert!(x[i] > minus || nan || *ours == 0.0, "element {i}: {ours} is not 0");
        }
    }
}

#[test]
fn argmax_agrees() {
    let same = |x: &Array| {
        for (axis, keepdims) in [(-1, false), (x.ndim() as i32 - 1, true)] {
            let ours = argmax(x, axis, keepdims).expect("a kernel").unwrap();
            let theirs = ops::argmax(x, Some(axis), keepdims).unwrap();
            assert_eq!((ours.shape(), ours.dtype()), (theirs.shape(), theirs.dtype()));
            assert_eq!(ours.to_vec::<u32>().unwrap(), theirs.to_vec::<u32>().unwrap());
        }
    };
    for shape in [&[49_152][..], &[3, 262_144], &[2, 3, 5], &[4, 1], &[70_001], &[2, 8192]] {
        same(&noise(shape));
        same(&ops::round(&noise(shape), 0).unwrap());
    }
    same(&ops::swapaxes(&noise(&[300, 5]), 0, 1).unwrap());
    for (first, rest, last) in [
        (f32::NAN, 0.0, 1.0),
        (0.0, f32::NAN, 1.0),
        (0.0, f32::NAN, f32::NAN),
        (f32::INFINITY, 0.0, f32::NAN),
        (f32::INFINITY, f32::NEG_INFINITY, f32::INFINITY),
        (f32::NEG_INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY),
        (1.0, 1.0, f32::NAN),
        (-0.0, 0.0, 0.0),
    ] {
        let x = [&[first][..], &[rest; 20_000], &[last]].concat();
        same(&Array::from_slice(&x, &[x.len() as i32]).unwrap());
    }
    let x = noise(&[3, 4]);
    assert!(argmax(&x, 0, false).is_none() && argmax(&noise(&[0, 4]), -1, false).is_none());
}

#[test]
fn swiglu_agrees() {
    for shape in [&[1, 1, 1536][..], &[3, 7], &[0, 4], &[300, 1001]] {
        let (gate, x) = (ops::multiply(&noise(shape), &Array::scalar(9.0, Dtype::F32).unwrap()).unwrap(), noise(shape));
        let silu = ops::multiply(&gate, &ops::sigmoid(&gate).unwrap()).unwrap();
        close(gated(Activation::Silu, &gate, &x), &ops::multiply(&silu, &x).unwrap());
    }
    let far = Array::from_slice(&[-1e38f32, -200.0, -87.5, 0.0, 200.0, 1e30], &[6]).unwrap();
    let ones = Array::from_slice(&[1f32; 6], &[6]).unwrap();
    close(gated(Activation::Silu, &far, &ones), &Array::from_slice(&[0f32, 0.0, 0.0, 0.0, 200.0, 1e30], &[6]).unwrap());
    let nan = ops::multiply(&far, &Array::scalar(f64::NAN, Dtype::F32).unwrap()).unwrap();
    let gated = gated(Activation::Silu, &nan, &ones).unwrap().unwrap().to_vec::<f32>().unwrap();
    assert!(gated.iter().all(|y| y.is_nan()), "{gated:?}");
}

#[test]
fn gelu_agrees() {
    for shape in [&[1, 1, 1536][..], &[3, 7], &[0, 4], &[300, 1001]] {
        let wide = ops::multiply(&noise(shape), &Array::scalar(5.0, Dtype::F32).unwrap()).unwrap();
        let (gate, x) = (Tensor(wide), noise(shape));
        for activation in [Activation::GeluTanh, Activation::Gelu, Activation::Relu] {
            let want = (activation.forward(&gate).unwrap() * &Tensor(x.clone())).unwrap();
            close(gated(activation, &gate.0, &x), &want.0);
        }
    }
    let far = Array::from_slice(&[-1e30f32, -200.0, -19.0, 0.0, 200.0, 1e10], &[6]).unwrap();
    let ones = Array::from_slice(&[1f32; 6], &[6]).unwrap();
    let want = Array::from_slice(&[0f32, 0.0, 0.0, 0.0, 200.0, 1e10], &[6]).unwrap();
    let nan = ops::multiply(&far, &Array::scalar(f64::NAN, Dtype::F32).unwrap()).unwrap();
    for activation in [Activation::GeluTanh, Activation::Gelu] {
        close(gated(activation, &far, &ones), &want);
        let gated = gated(activation, &nan, &ones).unwrap().unwrap().to_vec::<f32>().unwrap();
        assert!(gated.iter().all(|y| y.is_nan()), "{gated:?}");
    }
}

#[track_caller]
fn check_rope(x: &Array, rope: Rope, table: Option<&Array>) {
    let Rope { dims, traditional, base, scale, offset, .. } = rope;
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
            check_rope(&x, Rope { dims, traditional, base, scale: 1.0, amplitude: 1.0, offset: 5 }, None);
            check_rope(&x, Rope { dims, traditional, base, scale: 0.25, amplitude: 1.0, offset: 100 }, None);
        }
        check_rope(
            &x,
            Rope { dims: 16, traditional: false, base: None, scale: 1.0, amplitude: 1.0, offset: 3 },
            Some(&table),
        );
    }
    let turned = ops::swapaxes(&noise(&[2, 7, 3, 16]), 1, 2).unwrap();
    check_rope(&turned, Rope { dims: 16, traditional: false, base, scale: 1.0, amplitude: 1.0, offset: 0 }, None);
}

#[test]
fn gradients_are_the_fallbacks() {
    let [x, w, b] = [&[3, 8][..], &[8], &[8]].map(noise);
    let ours = kernel::vector_jacobian(|x| rms_norm(x, Some(&w), 1e-5).expect("a kernel"), &x, &x);
    let theirs = kernel::vector_jacobian(|x| fast::rms_norm(x, Some(&w), 1e-5), &x, &x).unwrap();
    close(Some(ours), &theirs);
    let ours = kernel::vector_jacobian(|x| layer_norm(x, Some(&w), Some(&b), 1e-5).expect("a kernel"), &x, &x);
    let theirs = kernel::vector_jacobian(|x| fast::layer_norm(x, Some(&w), Some(&b), 1e-5), &x, &x).unwrap();
    close(Some(ours), &theirs);
    let ours = kernel::vector_jacobian(|x| softmax(x).expect("a kernel"), &x, &x);
    let theirs = kernel::vector_jacobian(|x| ops::softmax(x, &[-1], true), &x, &x).unwrap();
    close(Some(ours), &theirs);
}
