//! Tensors: operators, scalars, indexing, reductions, products.

mod compile;
mod display;
mod index;
mod parity;
mod transforms;
mod values;

use mlx_ops::{Dtype, New, Rest, Tensor, arange, concatenate, full, select, zeros};
use mlx_tests::max_difference;

#[track_caller]
fn check(result: mlx_ops::Result<Tensor>, shape: &[i32], values: &[f32]) {
    let tensor = result.unwrap();
    assert_eq!(tensor.shape(), shape);
    let found = tensor.astype(Dtype::F32).unwrap().to_vec::<f32>().unwrap();
    assert!(max_difference(&found, values) < 1e-6, "{found:?} is not {values:?}");
}

fn x() -> Tensor {
    arange(0.0, 24.0, 1.0, Dtype::F32).unwrap().reshape([2, 3, 4]).unwrap()
}

#[test]
fn operators_take_tensors_results_and_scalars() {
    let a = || Tensor::from_slice(&[1f32, 2.0], [2]).unwrap();
    check(&a() + &a(), &[2], &[2.0, 4.0]);
    check(a() - 1.0, &[2], &[0.0, 1.0]);
    check((&a() * 3.0).unwrap() / 2.0, &[2], &[1.5, 3.0]);
    check((&a() * &a()) + a(), &[2], &[2.0, 6.0]);
    check((&a() + &a()).unwrap() - (&a() * 2), &[2], &[0.0, 0.0]);
    check(10.0 - &a(), &[2], &[9.0, 8.0]);
    check(-a(), &[2], &[-1.0, -2.0]);
    check(&a() % 2, &[2], &[1.0, 0.0]);
    assert!(((&a() + &zeros([3], Dtype::F32).unwrap()) * &a()).is_err(), "an error passes through");
}

#[track_caller]
fn keeps(from: Dtype, result: impl Fn(&Tensor) -> mlx_ops::Result<Tensor>, to: Dtype) {
    let tensor = full([2], 1.0, from).unwrap();
    assert_eq!(result(&tensor).unwrap().dtype(), to);
}

#[test]
fn scalars_take_the_tensors_dtype() {
    for dtype in [Dtype::F16, Dtype::Bf16, Dtype::F32] {
        keeps(dtype, |x| x * 0.5, dtype);
        keeps(dtype, |x| x + 1, dtype);
        keeps(dtype, |x| x.maximum(0.0), dtype);
        keeps(dtype, |x| 2.0 / x, dtype);
    }
    keeps(Dtype::I32, |x| x + 1, Dtype::I32);
    keeps(Dtype::U8, |x| x * 2, Dtype::U8);
    keeps(Dtype::I32, |x| x * 0.5, Dtype::F32);
    keeps(Dtype::Bool, |x| x + 1, Dtype::I32);
}

#[test]
fn indexing() {
    check(x().i((0, 0)), &[4], &[0.0, 1.0, 2.0, 3.0]);
    check(x().i((-1, -1, -1)), &[], &[23.0]);
    check(x().i((.., 1, 2..)), &[2, 2], &[6.0, 7.0, 18.0, 19.0]);
    check(x().i((1, .., ..1)), &[3, 1], &[12.0, 16.0, 20.0]);
    check(x().i((1, 0..=1, -2..-1)), &[2, 1], &[14.0, 18.0]);
    check(x().i((Rest, 0)).unwrap().i(1), &[3], &[12.0, 16.0, 20.0]);
    check(x().i((0, New, 0, New)), &[1, 1, 4], &[0.0, 1.0, 2.0, 3.0]);
    check(x().i((0, 0, 2..2)), &[0], &[]);
    check(x().i((0, 0, 3..100)), &[1], &[3.0]);
    check(x().i((Rest, New)).unwrap().i((0, 0, 0)), &[1], &[0.0]);
    for bad in [x().i(2), x().i(-3), x().i((0, 3)), x().i((0, 0, 0, 0))] {
        assert!(bad.unwrap_err().message().starts_with("[i]"));
    }
}

#[test]
fn dims_and_reductions() {
    let [a, b, c] = x().dims().unwrap();
    assert_eq!((a, b, c), (2, 3, 4));
    assert!(x().dims::<2>().unwrap_err().message().contains("expected 2 axes"));
    assert_eq!(x().dim(-1).unwrap(), 4);
    assert!(x().dim(3).is_err());
    check(x().sum(.., false), &[], &[276.0]);
    check(x().sum([0, 2], true), &[1, 3, 1], &[60.0, 92.0, 124.0]);
    check(x().max(-1, false).unwrap().i(0), &[3], &[3.0, 7.0, 11.0]);
    check(x().argmax(-1, false).unwrap().i(1), &[3], &[3.0; 3]);
    check(x().i((0, 0)).unwrap().cumsum(0, true, false), &[4], &[6.0, 5.0, 3.0, 0.0]);
    check(x().softmax(-1).unwrap().sum(-1, false), &[2, 3], &[1.0; 6]);
}

#[test]
fn joins_and_updates() {
    let (a, b) = (zeros([1, 2], Dtype::F32).unwrap(), full([1, 2], 1.0, Dtype::F32).unwrap());
    check(concatenate(&[a.clone(), b.clone()], 0), &[2, 2], &[0.0, 0.0, 1.0, 1.0]);
    check(a.slice_update(&b.i((.., ..1)).unwrap(), &[0, 1], &[1, 2]), &[1, 2], &[0.0, 1.0]);
    check(select(&a.less(&b).unwrap(), &a, 5.0), &[1, 2], &[0.0, 0.0]);
    let parts = x().split([1, 3], -1).unwrap();
    assert_eq!(parts.iter().map(|part| part.dim(-1).unwrap()).collect::<Vec<_>>(), [1, 2, 1]);
}

/// Products of odd sizes, some through views, against sums in f64.
#[test]
fn matrix_products() {
    for (m, k, n) in [(1, 1, 1), (1, 7, 5), (3, 17, 9), (33, 65, 31), (64, 128, 96), (2, 300, 1), (130, 70, 257)] {
        let a = mlx_ops::random::normal([m, k], Dtype::F32, None).unwrap();
        let b = mlx_ops::random::normal([n, k], Dtype::F32, None).unwrap();
        let plain = a.matmul(&b.t().unwrap()).unwrap().to_vec::<f32>().unwrap();
        let dense = a.matmul(&b.t().unwrap().contiguous().unwrap()).unwrap().to_vec::<f32>().unwrap();
        let turned = b.matmul(&a.t().unwrap()).unwrap().t().unwrap().to_vec::<f32>().unwrap();
        let (a, b) = (a.to_vec::<f32>().unwrap(), b.to_vec::<f32>().unwrap());
        for row in 0..m as usize {
            for column in 0..n as usize {
                let term = |i| f64::from(a[row * k as usize + i]) * f64::from(b[column * k as usize + i]);
                let expected: f64 = (0..k as usize).map(term).sum();
                let at = row * n as usize + column;
                for found in [plain[at], dense[at], turned[at]] {
                    assert!((f64::from(found) - expected).abs() < 1e-4, "{m} {k} {n}: {found} {expected}");
                }
            }
        }
    }
}
