//! On a CPU, positions outside of their axis are errors, at once or when they are computed, and never a crash.

use super::on_cpu;
use mlx_core::{Array, Device, Dtype, Result, ops};

type Op = fn(&Array, &Array) -> Result<Array>;

/// Ops over an array of shape (4, 6): with a position, what lies in it and what does not.
const OPS: [(&str, Op, &[i32], &[i32]); 10] = [
    ("take", |a, at| ops::take(a, at, Some(0)), &[-4, 3], &[-5, 4, i32::MAX]),
    ("take", |a, at| ops::take(a, at, None), &[-24, 23], &[-25, 24]),
    ("take_along_axis", |a, at| ops::take_along_axis(a, &wide(at)?, 1), &[-6, 5], &[-7, 6]),
    (
        "put_along_axis",
        |a, at| ops::put_along_axis(a, &wide(at)?, &ops::zeros(&[4, 1], Dtype::F32)?, 1),
        &[5],
        &[6, -7],
    ),
    (
        "scatter_add_axis",
        |a, at| ops::scatter_add_axis(a, &wide(at)?, &ops::zeros(&[4, 1], Dtype::F32)?, 1),
        &[5],
        &[6],
    ),
    ("gather", |a, at| ops::gather(a, std::slice::from_ref(at), &[1], &[4, 2]), &[-6, 4, -2], &[5, -1, -7]),
    (
        "scatter",
        |a, at| ops::scatter(a, std::slice::from_ref(at), &ops::zeros(&[1, 4, 2], Dtype::F32)?, &[1]),
        &[4, -2],
        &[5, -1],
    ),
    ("slice", |a, at| ops::slice_dynamic(a, at, &[1], &[4, 2]), &[0, 4], &[5, -1, 100_000_000]),
    ("slice_update", |a, at| ops::slice_update_dynamic(a, &ops::zeros(&[1, 6], Dtype::F32)?, at, &[0]), &[3], &[4, -1]),
    ("gather_mm", |a, at| ops::gather_mm(&batch(a)?, &batch(a)?, Some(at), None, false), &[0, 3], &[4, -1]),
];

fn wide(at: &Array) -> Result<Array> {
    ops::broadcast_to(&ops::reshape(at, &[1, 1])?, &[4, 1])
}

/// Four matrices of shape (1, 1).
fn batch(a: &Array) -> Result<Array> {
    ops::reshape(&ops::slice(a, &[0, 0], &[4, 1], &[1, 1])?, &[4, 1, 1])
}

#[track_caller]
fn check(name: &str, op: Op, position: i32, right: bool) {
    let a = ops::reshape(&ops::arange(0.0, 24.0, 1.0, Dtype::F32).unwrap(), &[4, 6]).unwrap();
    let there = Array::from_slice(&[position], &[1]).unwrap();
    // Not computed yet, and of another integer type.
    let lazy = ops::add(&ops::astype(&there, Dtype::I64).unwrap(), &Array::from_slice(&[0i64], &[1]).unwrap()).unwrap();
    for at in [there, lazy] {
        let result = op(&a, &at).and_then(|result| result.eval());
        match right {
            true => result.unwrap_or_else(|e| panic!("{name} at {position}: {e}")),
            false => {
                let error = result.expect_err(name);
                let expected = format!("[{name}] position {position} is not in an axis of");
                assert!(error.message().contains(&expected), "{error}");
            }
        }
    }
}

#[test]
fn positions_are_checked_now_or_when_computed() {
    on_cpu(|| {
        for (name, op, right, wrong) in OPS {
            right.iter().for_each(|&position| check(name, op, position, true));
            wrong.iter().for_each(|&position| check(name, op, position, false));
        }
    });
}

#[test]
fn values_are_those_of_unchecked_ops() {
    on_cpu(|| {
        let a = Array::from_slice(&[10f32, 20.0, 30.0], &[3]).unwrap();
        let lazy = |values: &[i32]| {
            ops::add(&Array::from_slice(values, &[3]).unwrap(), &Array::scalar_int(0, Dtype::I32).unwrap())
        };
        let taken = ops::take(&a, &lazy(&[2, -3, 1]).unwrap(), Some(0)).unwrap();
        assert_eq!(taken.to_vec::<f32>().unwrap(), [30.0, 10.0, 20.0]);
        let unsigned = Array::from_slice(&[u32::MAX], &[1]).unwrap();
        assert!(ops::take(&a, &unsigned, Some(0)).is_err());
        let none = ops::zeros(&[0], Dtype::F32).unwrap();
        let error = ops::take(&none, &lazy(&[0, 0, 0]).unwrap(), Some(0)).unwrap_err();
        assert!(error.message().contains("[take] nothing of size 1 lies in an axis of 0"), "{error}");
        let nothing = ops::take(&a, &ops::zeros(&[0], Dtype::I32).unwrap(), Some(0)).unwrap();
        assert_eq!(nothing.shape(), [0]);
    });
}

/// The stream goes on after an error.
#[test]
fn later_work_is_not_disturbed() {
    on_cpu(|| {
        let a = Array::from_slice(&[1f32, 2.0], &[2]).unwrap();
        let far =
            ops::multiply(&Array::from_slice(&[7], &[1]).unwrap(), &Array::from_slice(&[11], &[1]).unwrap()).unwrap();
        for _ in 0..3 {
            assert!(ops::take(&a, &far, Some(0)).and_then(|taken| taken.eval()).is_err());
            assert_eq!(ops::add(&a, &a).unwrap().to_vec::<f32>().unwrap(), [2.0, 4.0]);
        }
    });
}

/// What MLX's CPU library computes beside its memory, divides by zero, or never ends.
#[test]
fn what_mlx_would_not_survive_is_an_error() {
    on_cpu(|| {
        let ones = |dims: &[i32]| ops::ones(dims, Dtype::F32).unwrap();
        let int = |value: i32| {
            ops::add(&Array::scalar_int(value.into(), Dtype::I32).unwrap(), &Array::from_slice(&[0], &[1]).unwrap())
        };
        let lazy = |value| int(value).unwrap();
        let check = |result: Result<Array>, expected: &str| {
            let error = result.and_then(|result| result.eval()).expect_err(expected);
            assert!(error.message().contains(expected), "{error}");
        };
        check(ops::hadamard_transform(&ones(&[900]), None), "[hadamard] Only supports");
        check(ops::floor_divide(&lazy(7), &lazy(0)), "[floor_divide] an integer is divided by zero");
        check(
            ops::remainder(&lazy(7), &Array::from_slice(&[0], &[1]).unwrap()),
            "[remainder] an integer is divided by zero",
        );
        check(ops::floor_divide(&lazy(i32::MIN), &lazy(-1)), "the least integer divided by -1");
        check(mlx_core::linalg::inv(&ones(&[0, 0])), "[linalg::inv] shape [0, 0] has no elements");
        check(ops::unflatten(&ones(&[0]), 0, &[0, -1]), "[unflatten] the size -1 cannot be inferred");
        check(
            mlx_core::fast::cross_entropy(&ones(&[2, 3]), &ops::broadcast_to(&lazy(3), &[2]).unwrap()),
            "[cross_entropy] position 3",
        );
        let nan =
            ops::divide(&ops::zeros(&[2, 2], Dtype::F32).unwrap(), &ops::zeros(&[2, 2], Dtype::F32).unwrap()).unwrap();
        check(mlx_core::linalg::pinv(&nan), "[linalg::pinv] the matrix has elements that are NaN or infinite");
        let split = |size, parts| ops::split_equal(&ones(&[size]), parts, 0).map(|mut all| all.remove(0));
        for parts in [0, -1, i32::MIN] {
            check(split(4, parts), "[split] num_splits must be positive and non-zero");
        }
        check(split(0, i32::MAX), "[split] 2147483647 equal parts of an array of shape [0]");
        assert_eq!(ops::diff(&ones(&[4, 2]), i32::MAX, 0).unwrap().shape(), [0, 2]);
        check(ops::conv1d(&ones(&[1, 5, 2]), &ones(&[2, 3, 2]), 1, 0, 1, 0), "[conv1d] 0 groups");
        let nothing = ones(&[3, 0]);
        assert_eq!(ops::sum(&nothing, &[1], false).unwrap().to_vec::<f32>().unwrap(), [0.0; 3]);
        assert_eq!(ops::prod(&nothing, &[1], false).unwrap().to_vec::<f32>().unwrap(), [1.0; 3]);
        assert!(ops::mean(&nothing, &[1], false).unwrap().to_vec::<f32>().unwrap().iter().all(|x| x.is_nan()));
        assert_eq!(ops::vecdot(&nothing, &nothing, 1).unwrap().to_vec::<f32>().unwrap(), [0.0; 3]);
        assert_eq!(mlx_core::linalg::norm(&nothing, Some(&[1]), false).unwrap().to_vec::<f32>().unwrap(), [0.0; 3]);
        assert_eq!(mlx_core::einsum("ij->i", &[nothing]).unwrap().to_vec::<f32>().unwrap(), [0.0; 3]);
        assert_eq!(ops::floor_divide(&lazy(-7), &lazy(2)).unwrap().to_vec::<i32>().unwrap(), [-4]);
    });
}

/// MLX's own allocator gives its kernels a null pointer here.
#[test]
#[cfg(target_os = "linux")]
fn more_memory_than_there_is_is_an_error() {
    // A GPU's allocator would try to find that much.
    if Device::gpu_count().unwrap() > 0 {
        return;
    }
    on_cpu(|| {
        let huge = ops::broadcast_to(&ops::ones(&[1], Dtype::F32).unwrap(), &[1 << 30, 1 << 12]).unwrap();
        for result in
            [ops::contiguous(&huge), ops::cumsum(&huge, Some(0), false, true, None), ops::sort(&huge, Some(1))]
        {
            let error = result.unwrap().eval().unwrap_err();
            assert!(error.message().contains("[malloc] Unable to allocate 17592186044416 bytes."), "{error}");
        }
        assert_eq!(ops::ones(&[2], Dtype::F32).unwrap().to_vec::<f32>().unwrap(), [1.0, 1.0]);
    });
}

/// MLX counts with such bytes as if they were numbers, and `unique` then writes where it counted to.
#[test]
fn every_byte_is_a_boolean() {
    on_cpu(|| {
        let bytes = Array::from_slice(&[0u8, 1, 2, 255, 128, 0], &[6]).unwrap();
        let expected = [false, true, true, true, true, false];
        let viewed = ops::view(&bytes, Dtype::Bool).unwrap();
        assert_eq!(viewed.to_vec::<bool>().unwrap(), expected);
        let sum = ops::sum(&viewed, &[0], false).unwrap();
        assert_eq!(sum.item::<i32>().unwrap(), 4);
        let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        file.extend(format!("{:117}\n", "{'descr': '|b1', 'fortran_order': False, 'shape': (6,), }").bytes());
        file.extend([0, 1, 2, 255, 128, 0]);
        assert_eq!(mlx_core::io::load_bytes(&file).unwrap().to_vec::<bool>().unwrap(), expected);
        let header = r#"{"b":{"dtype":"BOOL","shape":[6],"data_offsets":[0,6]}}"#;
        let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0, 1, 2, 255, 128, 0]].concat();
        let read = mlx_core::io::load_safetensors_bytes(&file).unwrap();
        assert_eq!(ops::sum(&read.arrays["b"], &[0], false).unwrap().item::<i32>().unwrap(), 4);
    });
}
