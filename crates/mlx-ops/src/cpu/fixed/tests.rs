//! Fixed-point products against the same arithmetic in plain Rust, to the bit, and against f64.

use super::product;
use crate::Precision;
use crate::cpu::packed::{self, Packed, Scales};
use crate::cpu::simd::Isa;

/// Numbers in -1 .. 1 that look random and are the same every time.
fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

struct Matrix {
    words: Vec<u32>,
    scales: Vec<f32>,
    biases: Vec<f32>,
    inner: usize,
    bits: usize,
    group: usize,
}

impl Matrix {
    fn new(rows: usize, inner: usize, bits: usize, group: usize) -> Self {
        let words = noise(rows * inner * bits / 32, 1).iter().map(|x| x.to_bits().wrapping_mul(0x9e37_79b9)).collect();
        let scales: Vec<f32> = noise(rows * inner / group, 2).iter().map(|x| 0.01 + 0.009 * x).collect();
        let middle = ((1 << bits) - 1) as f32 / 2.0;
        let biases = scales.iter().zip(noise(scales.len(), 3)).map(|(scale, x)| -scale * middle * (1.0 + 0.3 * x));
        Self { words, biases: biases.collect(), scales, inner, bits, group }
    }

    fn packed(&self) -> Packed<'_> {
        let Self { words, scales, biases, inner, bits, group } = self;
        let (scales, biases) = (Scales::F32(scales), Some(Scales::F32(biases)));
        Packed { words, scales, biases, inner: *inner, bits: *bits, group: *group, precision: Precision::Fast }
    }

    fn rows(&self) -> usize {
        self.scales.len() * self.group / self.inner
    }

    fn code(&self, row: usize, at: usize) -> u32 {
        let bit = (row * self.inner + at) * self.bits;
        (self.words[bit / 32] >> (bit % 32)) & ((1 << self.bits) - 1)
    }

    /// What the kernel is to compute, one row with another.
    fn fixed(&self, x: &[f32], row: usize) -> f32 {
        let mut total = 0f32;
        for (at, x) in x.chunks_exact(self.group).enumerate() {
            let most = x.iter().fold(0f32, |most, x| most.max(x.abs()));
            let step = (most * (1.0 / 32512.0)).max(f32::MIN_POSITIVE);
            let q: Vec<i32> = x.iter().map(|x| (x * (1.0 / step)).round_ties_even() as i32).collect();
            assert!(q.iter().all(|q| q.abs() <= 32512));
            let code = |i: usize| self.code(row, at * self.group + i) as i32;
            let dot: i32 = q.iter().enumerate().map(|(i, q)| q * code(i)).sum();
            let group = row * self.inner / self.group + at;
            let bias = self.biases[group] * q.iter().sum::<i32>() as f32;
            total = self.scales[group].mul_add(dot as f32, bias).mul_add(step, total);
        }
        total
    }

    /// The product of one row with another, and the sum of its terms' magnitudes.
    fn exact(&self, x: &[f32], row: usize) -> (f64, f64) {
        let term = |(at, x): (usize, &f32)| {
            let group = (row * self.inner + at) / self.group;
            let weight = f64::from(self.scales[group]) * f64::from(self.code(row, at));
            f64::from(*x) * (weight + f64::from(self.biases[group]))
        };
        x.iter().enumerate().map(term).fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()))
    }
}

fn has_vnni() -> bool {
    Isa::best() == Isa::Avx512 && is_x86_feature_detected!("avx512vnni")
}

#[track_caller]
fn check(x: &[f32], matrix: &Matrix) {
    let (m, rows) = (x.len() / matrix.inner, matrix.rows());
    let mut out = vec![f32::NAN; m * rows];
    assert_eq!(product(Isa::best(), x, &matrix.packed(), &mut out), has_vnni());
    if !has_vnni() {
        return assert!(out.iter().all(|y| y.is_nan()));
    }
    for (x, out) in x.chunks_exact(matrix.inner).zip(out.chunks_exact(rows)) {
        for (row, &ours) in out.iter().enumerate() {
            let fixed = matrix.fixed(x, row);
            // A single row adds the same terms in another order.
            let same = ours.to_bits() == fixed.to_bits() || m == 1;
            assert!(same, "row {row} of {m} by {rows}: {ours} is not {fixed}");
            let (exact, size) = matrix.exact(x, row);
            assert!(
                (f64::from(ours) - exact).abs() <= 3e-5 * size,
                "row {row} of {m} by {rows}: {ours} is not {exact}"
            );
        }
    }
}

#[test]
fn agrees_with_plain_arithmetic_and_f64() {
    for bits in [2, 4, 8] {
        for group in [32, 64, 128] {
            for (rows, groups) in [(1, 1), (15, 3), (16, 2), (33, 1), (70, 5)] {
                let matrix = Matrix::new(rows, groups * group, bits, group);
                for m in [1, 2, 3, 4, 5, 6, 7, 8, 9, 23] {
                    check(&noise(m * matrix.inner, 4), &matrix);
                }
            }
        }
    }
}

#[test]
fn agrees_where_rows_are_longer_than_a_panel_and_work_is_split() {
    for (bits, group, inner) in [(2, 32, 800), (4, 32, 2336), (4, 64, 832), (8, 128, 896), (8, 64, 768)] {
        let matrix = Matrix::new(131, inner, bits, group);
        check(&noise(21 * inner, 5), &matrix);
    }
}

#[test]
fn each_group_has_its_own_magnitude() {
    let matrix = Matrix::new(40, 32 * 6, 4, 32);
    for sizes in [[0.0; 6], [1.0, 0.0, 1e30, 1e-30, 0.0, 1e3], [1e-30; 6], [1e34; 6], [0.0, 0.0, 1e-20, 0.0, 0.0, 0.0]]
    {
        let mut x = noise(5 * matrix.inner, 6);
        for (at, x) in x.iter_mut().enumerate() {
            *x *= sizes[at / 32 % 6] * if at / matrix.inner == 3 { 0.0 } else { 1.0 };
        }
        check(&x, &matrix);
    }
}

#[test]
fn largest_numbers_do_not_overflow() {
    for sign in [1.0, -1.0] {
        let mut matrix = Matrix::new(17, 256, 8, 128);
        matrix.words.fill(u32::MAX);
        matrix.biases.fill(0.0);
        check(&vec![sign * 3.0; 2 * 256], &matrix);
    }
}

/// Below the smallest normal step the numbers are as coarse as that step, but nothing divides by zero.
#[test]
fn subnormal_numbers_stay_small() {
    let matrix = Matrix::new(16, 64, 4, 32);
    for size in [1e-35, 1e-39, 1e-45] {
        let x: Vec<f32> = noise(3 * 64, 7).iter().map(|x| x * size).collect();
        let mut out = vec![f32::NAN; 3 * 16];
        packed::product(Isa::best(), &x, &matrix.packed(), &mut out);
        for (x, out) in x.chunks_exact(64).zip(out.chunks_exact(16)) {
            for (row, y) in out.iter().enumerate() {
                let (exact, size) = matrix.exact(x, row);
                assert!((f64::from(*y) - exact).abs() <= 3e-5 * size + 64.0 * 1.2e-38, "{y} is not {exact}");
            }
        }
    }
}

#[test]
fn what_is_not_finite_is_left_to_floats() {
    for (m, bits) in [(2, 4), (9, 2), (60, 4), (60, 8)] {
        let matrix = Matrix::new(37, 192, bits, 64);
        for (value, at) in [(f32::NAN, 0), (f32::INFINITY, 191), (f32::NEG_INFINITY, 77), (-f32::NAN, 192 + 100)] {
            let mut x = noise(m * 192, 8);
            x[at] = value;
            let mut out = vec![7.0; m * 37];
            assert!(!product(Isa::best(), &x, &matrix.packed(), &mut out));
            assert!(out.iter().all(|&y| y == 7.0));
            packed::product(Isa::best(), &x, &matrix.packed(), &mut out);
            for (i, (x, out)) in x.chunks_exact(192).zip(out.chunks_exact(37)).enumerate() {
                for (row, y) in out.iter().enumerate() {
                    let (exact, size) = matrix.exact(x, row);
                    let agrees = (f64::from(*y) - exact).abs() <= 1e-5 * size;
                    assert!(if i == at / 192 { !y.is_finite() } else { agrees }, "({i}, {row}): {y} is not {exact}");
                }
            }
        }
    }
}

#[test]
fn what_has_no_kernel_is_left_alone() {
    let matrix = Matrix::new(5, 64, 4, 64);
    let mut out = vec![7.0; 10];
    for isa in Isa::available().into_iter().filter(|&isa| isa != Isa::Avx512) {
        assert!(!product(isa, &noise(128, 9), &matrix.packed(), &mut out), "{isa:?}");
    }
    assert!(!product(Isa::best(), &noise(128, 9), &Matrix::new(5, 64, 4, 16).packed(), &mut out));
    assert!(out.iter().all(|&y| y == 7.0));
}
