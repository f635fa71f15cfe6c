//! How tensors are printed: the strings are NumPy's.

use mlx_ops::{Dtype, Tensor, arange, bf16, f16, zeros};

#[track_caller]
fn check(tensor: mlx_ops::Result<Tensor>, expected: &str) {
    assert_eq!(tensor.unwrap().to_string(), expected);
}

#[test]
fn tensors_print_as_numpy_prints_arrays() {
    check(Tensor::new([1.5f32, -0.25, 3.0]), "[ 1.5  -0.25  3.  ]");
    check(Tensor::new([1e-5f32, 1.2345678]), "[9.9999997e-06 1.2345678e+00]");
    check(Tensor::new([1e-5f64, 1.0]), "[1.e-05 1.e+00]");
    check(Tensor::new([[true, false], [true, true]]), "[[ True False]\n [ True  True]]");
    check(Tensor::new([f32::NAN, f32::NEG_INFINITY, 1.0]), "[ nan -inf   1.]");
    check(Tensor::new([-3i8, 12]), "[-3 12]");
    check(Tensor::new([123456789.0f64, 0.5]), "[1.23456789e+08 5.00000000e-01]");
    check(Tensor::new([[[1, 2]], [[3, 4]]]), "[[[1 2]]\n\n [[3 4]]]");
    check(Tensor::from_slice(&[[1f32, 2.0], [-0.0, -0.5]], [2]), "[ 1.+2.j  -0.-0.5j]");
    check(zeros([0, 3], Dtype::F32), "[]");
    check(Tensor::new(0.1f32), "0.1");
    check(Tensor::new(true), "True");
    check(Tensor::new([f16::from_f32(0.1), f16::from_f32(2.0)]), "[0.1 2. ]");
    check(Tensor::new([bf16::from_f32(0.1), bf16::from_f32(2.0)]), "[0.1 2. ]");
    check(
        arange(0, 30, 1, Dtype::F16),
        "[ 0.  1.  2.  3.  4.  5.  6.  7.  8.  9. 10. 11. 12. 13. 14. 15. 16. 17.\n 18. 19. 20. 21. 22. 23. 24. 25. 26. 27. 28. 29.]",
    );
    check(
        arange(0, 1200, 1, Dtype::I32).unwrap().reshape([3, 400]),
        "[[   0    1    2 ...  397  398  399]\n [ 400  401  402 ...  797  798  799]\n [ 800  801  802 ... 1197 1198 1199]]",
    );
    assert_eq!(format!("{:?}", zeros([2, 3], Dtype::Bf16).unwrap()), "Tensor(bfloat16, [2, 3])");
}
