//! Families of operations on small tensors. The values are those of Python's MLX.

use super::check;
use mlx_ops::fft::{self, Frames, Norm};
use mlx_ops::linalg::{self, Order, Triangle};
use mlx_ops::*;

fn t<N: Nested>(value: N) -> Tensor {
    Tensor::new(value).unwrap()
}

fn a() -> Tensor {
    t([[3, 1, 2], [1, 3, 3]])
}

/// LAPACK's part of MLX, which has no GPU version.
fn on_cpu<T>(f: impl FnOnce() -> T) -> T {
    with_stream(Stream::default_of(Device::Cpu).unwrap(), f)
}

#[test]
fn matrices_decompose_and_solve() {
    on_cpu(decompositions);
}

fn decompositions() {
    let m = t([[4f32, 1.0, 2.0], [1.0, 3.0, 0.0], [2.0, 0.0, 5.0]]);
    let inverse = [0.34884, -0.11628, -0.13953, -0.11628, 0.37209, 0.04651, -0.13953, 0.04651, 0.25581];
    let near = |result: Result<Tensor>, shape: &[i32], values: &[f32]| {
        let rounded = ((result.unwrap() * 1e5).unwrap().round(0).unwrap() / 1e5).unwrap();
        check(Ok(rounded), shape, values);
    };
    check(linalg::norm(&m, Order::P(1.0), .., false), &[], &[7.0]);
    check(linalg::norm(&m, Order::P(f64::INFINITY), -1, false), &[3], &[4.0, 3.0, 5.0]);
    near(linalg::norm(&m, Order::Default, .., false), &[], &[7.74597]);
    near(linalg::norm(&m, Order::Frobenius, [0, 1], true), &[1, 1], &[7.74597]);
    near(linalg::norm(&m, Order::Nuclear, .., false), &[], &[12.0]);
    near(linalg::inv(&m), &[3, 3], &inverse);
    let factor = linalg::cholesky(&m, false).unwrap();
    near(Ok(factor.clone()), &[3, 3], &[2.0, 0.0, 0.0, 0.5, 1.65831, 0.0, 1.0, -0.30151, 1.97714]);
    near(linalg::cholesky_inv(&factor, false), &[3, 3], &inverse);
    let lower = m.tril(0).unwrap();
    near(linalg::tri_inv(&lower, false), &[3, 3], &[0.25, 0.0, 0.0, -0.08333, 0.33333, 0.0, -0.1, 0.0, 0.2]);
    near(linalg::solve_triangular(&lower, &t([[1f32], [2.0], [3.0]]), false), &[3, 1], &[0.25, 0.58333, 0.5]);
    near(linalg::solve(&m, &t([1f32, 2.0, 3.0])), &[3], &[-0.30233, 0.76744, 0.72093]);
    near(linalg::det(&m), &[], &[43.0]);
    near(Ok(linalg::slogdet(&m).unwrap().1), &[], &[3.7612]);
    near(linalg::eigvalsh(&m, Triangle::Upper), &[3], &[1.8549, 3.47602, 6.66908]);
    let (values, vectors) = linalg::eigh(&m, Triangle::Lower).unwrap();
    near(m.matmul(&vectors).unwrap() - &vectors * &values, &[3, 3], &[0.0; 9]);
    let (u, s, vt) = linalg::svd(&m).unwrap();
    near((u * &s).unwrap().matmul(&vt).unwrap() - &m, &[3, 3], &[0.0; 9]);
    near(linalg::svdvals(&m), &[3], &[6.66908, 3.47602, 1.8549]);
    let (q, r) = linalg::qr(&m).unwrap();
    near(q.matmul(&r).unwrap() - &m, &[3, 3], &[0.0; 9]);
    let (p, l, u) = linalg::lu(&m).unwrap();
    near(l.matmul(&u).unwrap() - m.i(&p), &[3, 3], &[0.0; 9]);
    check(Ok(linalg::lu_factor(&m).unwrap().1), &[3], &[0.0, 1.0, 2.0]);
    near(linalg::eigvals(&m).unwrap().real().unwrap().sort(-1), &[3], &[1.8549, 3.47602, 6.66908]);
    check(linalg::cross(&t([1f32, 2.0, 3.0]), &t([4f32, 5.0, 6.0]), -1), &[3], &[-3.0, 6.0, -3.0]);
    let pinv = [0.20497, -0.04348, -0.06832, 0.34783, 0.12422, -0.08696];
    near(linalg::pinv(&m.i(..2).unwrap()), &[3, 2], &pinv);
}

#[test]
fn signals_transform() {
    let x = t([1f32, 2.0, 3.0, 4.0]);
    check(fft::fft(&x, None, -1, Norm::Backward).unwrap().imag(), &[4], &[0.0, 2.0, 0.0, -2.0]);
    check(fft::ifft(&x, None, 0, Norm::Ortho).unwrap().real(), &[4], &[5.0, -1.0, -1.0, -1.0]);
    check(fft::rfft(&x, Some(6), -1, Norm::Backward).unwrap().real(), &[4], &[10.0, -3.5, 2.5, -2.0]);
    let square = x.reshape([2, 2]).unwrap();
    check(fft::fft2(&square, None, Norm::Backward).unwrap().real(), &[2, 2], &[10.0, -2.0, -4.0, 0.0]);
    let all = fft::fftn(&square, None, .., Norm::Forward).unwrap();
    check(fft::ifftn(&all, None, .., Norm::Forward).unwrap().real(), &[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    check(fft::fftfreq(5, 0.5), &[5], &[0.0, 0.4, 0.8, -0.8, -0.4]);
    check(fft::rfftfreq(5, 1.0), &[3], &[0.0, 0.2, 0.4]);
    check(fft::fftshift(&x, ..), &[4], &[3.0, 4.0, 1.0, 2.0]);
    check(fft::ifftshift(&arange(0, 5, 1, Dtype::F32).unwrap(), 0), &[5], &[2.0, 3.0, 4.0, 0.0, 1.0]);
    let ramp = arange(0, 16, 1, Dtype::F32).unwrap();
    let spectrum = fft::stft(&ramp, &Frames::new(8)).unwrap();
    let first = [16.0, 18.0, 28.0, 44.0, 60.0, 76.0, 92.0, 102.0, 104.0];
    check(spectrum.i(0).unwrap().real(), &[9], &first);
    let back = fft::istft(&spectrum, &Frames::new(8), Some(16)).unwrap();
    assert!(back.allclose(&ramp, 1e-5, 1e-5, false).unwrap());
}

#[test]
fn windows_slide() {
    let ones = |dims: &[i32]| ones(dims, Dtype::F32).unwrap();
    let wide = arange(0, 12, 1, Dtype::F32).unwrap().reshape([1, 6, 2]).unwrap();
    check(conv1d(&wide, &ones(&[1, 3, 2]), 2, 1, 1, 1), &[1, 3, 1], &[6.0, 27.0, 51.0]);
    let image = arange(0, 9, 1, Dtype::F32).unwrap().reshape([1, 3, 3, 1]).unwrap();
    let kernel = ones(&[1, 2, 2, 1]);
    check(conv2d(&image, &kernel, [1, 1], [0, 0], [1, 1], 1), &[1, 2, 2, 1], &[8.0, 12.0, 20.0, 24.0]);
    let cube = ones(&[1, 2, 2, 2, 1]);
    check(conv3d(&cube, &cube, [1; 3], [0; 3], [1; 3], 1), &[1, 1, 1, 1, 1], &[8.0]);
    let three = t([[[1f32], [2.0], [3.0]]]);
    let spread = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0];
    check(conv_transpose1d(&three, &ones(&[1, 2, 1]), 2, 0, 1, 0, 1), &[1, 6, 1], &spread);
    let sums = [1.0, 2.0, 1.0, 2.0, 4.0, 2.0, 1.0, 2.0, 1.0];
    check(conv_transpose2d(&kernel, &kernel, [1; 2], [0; 2], [1; 2], [0; 2], 1), &[1, 3, 3, 1], &sums);
    let how = ConvGeneral { padding_low: &[1], flip: true, ..ConvGeneral::default() };
    let ramp = arange(0, 5, 1, Dtype::F32).unwrap().reshape([1, 5, 1]).unwrap();
    check(conv_general(&ramp, &three, &how), &[1, 4, 1], &[1.0, 4.0, 10.0, 16.0]);
    let x = t([1f32, 2.0, 3.0, 4.0]);
    check(convolve(&x, &t([1f32, 0.5]), Overlap::Same), &[4], &[1.0, 2.5, 4.0, 5.5]);
    check(convolve(&t([1f32, 0.5, 2.0]), &x, Overlap::Same), &[4], &[2.5, 6.0, 9.5, 8.0]);
    check(convolve(&x, &t([1f32, 0.5, 2.0]), Overlap::Valid), &[2], &[6.0, 9.5]);
    check(hamming(5), &[5], &[0.08, 0.54, 1.0, 0.54, 0.08]);
    check(blackman(5), &[5], &[0.0, 0.34, 1.0, 0.34, 0.0]);
}

#[test]
fn one_axis_or_all_flattened() {
    check(a().argmax(.., true), &[1, 1], &[0.0]);
    check(a().sort(..), &[6], &[1.0, 1.0, 2.0, 3.0, 3.0, 3.0]);
    check(a().topk(2, ..), &[2], &[3.0, 3.0]);
    check(a().cumsum(.., false, true), &[6], &[3.0, 4.0, 6.0, 7.0, 10.0, 13.0]);
    check(a().cummax(1, false, true), &[2, 3], &[3.0, 3.0, 3.0, 1.0, 3.0, 3.0]);
    check(a().roll(1, ..), &[2, 3], &[3.0, 3.0, 1.0, 2.0, 1.0, 3.0]);
    check(a().roll_axes([1, 1], [0, 1]), &[2, 3], &[3.0, 1.0, 3.0, 2.0, 3.0, 1.0]);
    check(a().repeat(2, ..).unwrap().i(..4), &[4], &[3.0, 3.0, 1.0, 1.0]);
    check(a().take(&t([5, 0]), ..), &[2], &[3.0, 3.0]);
    check(a().median(.., false), &[], &[2.5]);
    check(a().median(0, false), &[3], &[2.0, 2.0, 2.5]);
    check((a() - 1).unwrap().count_nonzero(1, false), &[2], &[2.0, 2.0]);
    let (low, high) = a().minmax(0, false).unwrap();
    check(stack(&[low, high], 0), &[2, 3], &[1.0, 1.0, 2.0, 3.0, 3.0, 3.0]);
    check(a().diff(1, 1), &[2, 2], &[-2.0, 1.0, 2.0, 0.0]);
    check(a().trace(0, 0, 1), &[], &[6.0]);
    check(a().sum([], false), &[2, 3], &[3.0, 1.0, 2.0, 1.0, 3.0, 3.0]);
    check(a().expand_dims([0, 2]).unwrap().squeeze(..), &[2, 3], &[3.0, 1.0, 2.0, 1.0, 3.0, 3.0]);
}

#[test]
fn shapes_change() {
    check(a().pad_with(&[1], &[2], &[1], PadWith::Edge).unwrap().i(0), &[6], &[3.0, 3.0, 3.0, 1.0, 2.0, 2.0]);
    check(a().pad_with(&[1], &[2], &[1], PadWith::Reflect).unwrap().i(0), &[6], &[2.0, 1.0, 3.0, 1.0, 2.0, 1.0]);
    check(a().pad_with(&[1], &[2], &[1], PadWith::Symmetric).unwrap().i(0), &[6], &[1.0, 3.0, 3.0, 1.0, 2.0, 2.0]);
    check(a().as_strided([2, 2], [1, 2], 1), &[2, 2], &[1.0, 1.0, 2.0, 3.0]);
    assert!(a().as_strided([2, 2], [1, 4], 1).is_err(), "the last element is one too far");
    assert!(a().as_strided([2], [-1], 0).is_err(), "the second element lies before the first");
    check(t([1, 2]).atleast_3d(), &[1, 2, 1], &[1.0, 2.0]);
    check(Ok(a().unstack(1).unwrap().remove(2)), &[2], &[2.0, 3.0]);
    check(Ok(a().split_equal(3, 1).unwrap().remove(1)), &[2, 1], &[1.0, 3.0]);
    check(Ok(broadcast_arrays(&[t([[1], [2]]), t([0, 0])]).unwrap().remove(0)), &[2, 2], &[1.0, 1.0, 2.0, 2.0]);
    check(linspace(0, 1, 4, false, Dtype::F32), &[4], &[0.0, 0.25, 0.5, 0.75]);
    check(a().full_like(7), &[2, 3], &[7.0; 6]);
}

#[test]
fn products_and_codes() {
    let (x, y) = (arange(0, 6, 1, Dtype::F32).unwrap(), arange(0, 6, 1, Dtype::F32).unwrap());
    let (x, y) = (x.reshape([2, 3]).unwrap(), y.reshape([3, 2]).unwrap());
    check(x.tensordot_count(&y, 1), &[2, 2], &[10.0, 13.0, 28.0, 40.0]);
    check(x.tensordot(&y, &[1], &[0]), &[2, 2], &[10.0, 13.0, 28.0, 40.0]);
    check(t([1, 2]).kron(&t([1, 3])), &[4], &[1.0, 3.0, 2.0, 6.0]);
    let f = a().astype(Dtype::F32).unwrap();
    check(f.vecdot(&f, -1), &[2], &[14.0, 19.0]);
    check(t([1f32, 2.0, 3.0, 4.0]).hadamard_transform(None), &[4], &[5.0, -1.0, -2.0, 0.0]);
    let codes = t([1f32, -2.5, 300.0]).to_fp8().unwrap();
    check(Ok(codes.clone()), &[3], &[56.0, 194.0, 121.0]);
    check(codes.from_fp8(Dtype::F32), &[3], &[1.0, -2.5, 288.0]);
    let rows = arange(0, 8, 1, Dtype::F32).unwrap().reshape([2, 4]).unwrap();
    let segments = t([[0u32, 1], [1, 4]]);
    check(rows.segmented_matmul(&ones([4, 1], Dtype::F32).unwrap(), &segments), &[2, 2, 1], &[0.0, 4.0, 6.0, 18.0]);
    let (quotient, remainder) = t([7, -7]).divmod(2).unwrap();
    check(stack(&[quotient, remainder], 0), &[2, 2], &[3.0, -4.0, 1.0, 1.0]);
    check(t([f32::NAN, f32::INFINITY]).nan_to_num(0.0, Some(5.0), None), &[2], &[0.0, 5.0]);
    check((t([true, false]) ^ true).unwrap() | t([false, false]), &[2], &[0.0, 1.0]);
    check(!t([0u8, 255]), &[2], &[255.0, 0.0]);
    check(t([1, 6]) << 2, &[2], &[4.0, 24.0]);
    let logits = t([[1f32, 2.0, 3.0], [0.0, 0.0, 0.0]]);
    check(fast::cross_entropy(&logits, &t([2, 0])), &[2], &[0.407_605_96, 1.098_612_3]);
    let three = [[2, 3], [3, 4], [4, 5]].map(|dims| ones(dims, Dtype::F32).unwrap());
    assert_eq!(einsum_path("ij,jk,kl->il", &three).unwrap().0, [[1, 2], [0, 1]]);
}

#[test]
fn keys_give_pythons_random_numbers() {
    let seeded = random::key(3).unwrap();
    let key = Some(&seeded);
    let near = |result: Result<Tensor>, shape: &[i32], values: &[f32]| {
        let rounded = ((result.unwrap() * 1e4).unwrap().round(0).unwrap() / 1e4).unwrap();
        check(Ok(rounded), shape, values);
    };
    near(random::uniform(-1, 1, [3], Dtype::F32, key), &[3], &[-0.5229, -0.958, 0.2125]);
    near(random::normal_with(2, 0.5, [3], Dtype::F32, key), &[3], &[1.6445, 0.9833, 2.1348]);
    near(random::truncated_normal(-1, 1, [3], Dtype::F32, key), &[3], &[-0.4635, -0.9424, 0.1828]);
    near(random::gumbel([3], Dtype::F32, key), &[3], &[-0.3599, -1.3514, 0.6922]);
    near(random::laplace(1.0, 2.0, [3], Dtype::F32, key), &[3], &[2.4802, 7.3395, 0.5222]);
    check(random::randint(0, 10, [4], Dtype::I32, key), &[4], &[2.0, 0.0, 6.0, 3.0]);
    check(random::bernoulli(0.5, [5], key), &[5], &[1.0, 1.0, 0.0, 0.0, 0.0]);
    let logits = t([[0f32, 1.0, 2.0], [2.0, 1.0, 0.0]]);
    check(random::categorical_num(&logits, -1, 3, key), &[2, 3], &[2.0, 2.0, 1.0, 0.0, 1.0, 1.0]);
    check(random::categorical_shape(&logits, -1, [3, 2], key), &[3, 2], &[2.0, 2.0, 1.0, 0.0, 1.0, 1.0]);
    check(random::permutation_of(5, key), &[5], &[0.0, 1.0, 4.0, 3.0, 2.0]);
    check(random::permutation(&t([5, 6, 7]), 0, key), &[3], &[6.0, 5.0, 7.0]);
    let covariance = t([[1f32, 0.0], [0.0, 4.0]]);
    let drawn = on_cpu(|| random::multivariate_normal(&t([1f32, 2.0]), &covariance, [2], Dtype::F32, key));
    near(drawn, &[2, 2], &[0.289, -2.5725, 1.2695, 1.1466]);
    assert_eq!(random::bits([3], 2, key).unwrap().dtype(), Dtype::U16);
    assert_eq!(random::split_into(&seeded, 3).unwrap().shape(), [3, 2]);
}

#[test]
fn sequences_turn_from_positions_of_their_own() {
    let x = random::normal([2, 1, 3, 4], Dtype::F32, None).unwrap();
    let frequencies = fast::Frequencies::Base(10000.0);
    let rotation = fast::Rotation { dims: 4, traditional: false, frequencies, scale: 1.0, amplitude: 2.0 };
    let both = fast::rope_at(&x, &rotation, &t([5, 0])).unwrap();
    for (entry, offset) in [(0, 5), (1, 0)] {
        let alone = fast::rope(&x.i(entry..entry + 1).unwrap(), &rotation, offset).unwrap();
        assert!(both.i(entry..entry + 1).unwrap().allclose(&alone, 1e-5, 1e-5, false).unwrap());
    }
}

#[test]
fn the_gated_delta_rule_follows_its_formula() {
    let draw = |dims: &[i32]| random::uniform(0, 1, dims, Dtype::F32, None).unwrap();
    let (q, k, v, gates, beta) =
        (draw(&[1, 2, 1, 32]), draw(&[1, 2, 1, 32]), draw(&[1, 2, 1, 8]), draw(&[1, 2, 1]), draw(&[1, 2, 1]));
    let delta = fast::GatedDelta { q: &q, k: &k, v: &v, gates: &gates, beta: &beta, state: None, mask: None };
    let (out, last) = fast::gated_delta_update(&delta).unwrap();
    let mut state = zeros([8, 32], Dtype::F32).unwrap();
    for at in 0..2 {
        let [q, k, v] = [&q, &k, &v].map(|x| x.i((0, at, 0)).unwrap());
        state = (state * gates.i((0, at, 0)).unwrap()).unwrap();
        let error = (&v - state.matmul(&k).unwrap()).unwrap();
        state = (&state + (error * beta.i((0, at, 0)).unwrap()).unwrap().outer(&k).unwrap()).unwrap();
        assert!(out.i((0, at, 0)).unwrap().allclose(&state.matmul(&q).unwrap(), 1e-3, 1e-4, false).unwrap());
    }
    assert!(last.i((0, 0)).unwrap().allclose(&state, 1e-3, 1e-4, false).unwrap());
}
