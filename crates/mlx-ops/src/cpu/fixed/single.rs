//! One row of `x`: the matrix is read as it lies, and the row's numbers in the order of its codes.

use super::activations::{largest, step};
use crate::cpu::packed::{Packed, Scales};
use crate::cpu::pool::{self, Shared};
use crate::cpu::simd::{Isa, prefetch};
use crate::cpu::source::Float;
use mlx_core::{bf16, f16};
use std::arch::x86_64::*;
use std::cell::RefCell;
use std::ops::Range;

/// Rows of the matrix that are multiplied together.
const STEP: usize = 4;

/// Rows by which words are asked ahead: lines of four rows in turn are no stream that the processor would read ahead.
const AHEAD: usize = 16;

/// Multiplications below which a second thread costs more than it saves.
const PARALLEL: usize = 256 * 1024;

/// Lanes of a vector.
const LANES: usize = 16;

/// `out = x @ matrix.T` for one row; `false` where it is not all finite.
pub fn product<const BITS: usize>(x: &[f32], matrix: &Packed<'_>, out: &mut [f32]) -> bool {
    thread_local! {
        static LAST: RefCell<Row> = RefCell::default();
    }
    let mut row = LAST.take();
    // SAFETY: the caller found the instruction set, and checked the lengths.
    let finite = unsafe { row.fill::<BITS>(x, matrix.group) };
    if finite {
        match (matrix.scales, matrix.biases) {
            (Scales::F16(scales), Some(Scales::F16(biases))) => {
                row.with_all::<BITS, f16>(matrix, [scales, biases], out)
            }
            (Scales::Bf16(scales), Some(Scales::Bf16(biases))) => {
                row.with_all::<BITS, bf16>(matrix, [scales, biases], out);
            }
            (Scales::F32(scales), Some(Scales::F32(biases))) => {
                row.with_all::<BITS, f32>(matrix, [scales, biases], out)
            }
            _ => {
                let (mut scales, mut biases) = (Vec::new(), Vec::new());
                matrix.widen(Isa::Avx512, &mut scales, &mut biases);
                row.with_all::<BITS, f32>(matrix, [&scales, &biases], out);
            }
        }
    }
    LAST.set(row);
    finite
}

/// A row as fixed-point numbers, whose memory serves one row after the other.
#[derive(Default)]
struct Row {
    numbers: Vec<i16>,
    /// For each vector of words and each code in a byte, the high bytes of 64 numbers and then their low bytes.
    bytes: Vec<u8>,
    /// For each vector of words the steps of its lanes, 0 beyond the row.
    steps: Vec<f32>,
    /// The sum of each group, and zeros up to a whole vector.
    sums: Vec<f32>,
    inner: usize,
}

impl Row {
    /// Takes a row in; `false` where it is not all finite.
    ///
    /// # Safety
    /// The processor has AVX-512 F, BW, DQ and VL; `group`, a multiple of 32, divides the length.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    unsafe fn fill<const BITS: usize>(&mut self, x: &[f32], group: usize) -> bool {
        let (per_byte, lanes) = (8 / BITS, group * BITS / 32);
        let vectors = x.len().div_ceil(64 * per_byte);
        self.inner = x.len();
        self.numbers.clear();
        self.numbers.resize(vectors * 64 * per_byte, 0);
        self.steps.clear();
        self.sums.clear();
        for (x, q) in x.chunks_exact(group).zip(self.numbers.chunks_exact_mut(group)) {
            let Some(step) = fix(x, q) else { return false };
            self.steps.resize(self.steps.len() + lanes, step);
            self.sums.push(step * q.iter().map(|&q| i32::from(q)).sum::<i32>() as f32);
        }
        self.steps.resize(vectors * LANES, 0.0);
        self.sums.resize(self.sums.len().next_multiple_of(LANES), 0.0);
        self.bytes.resize(vectors * per_byte * 128, 0);
        let vectors = self.numbers.chunks_exact(64 * per_byte).zip(self.bytes.chunks_exact_mut(128 * per_byte));
        for (q, to) in vectors {
            // SAFETY: as many numbers as places.
            unsafe { by_code::<BITS>(q, to) };
        }
        true
    }

    fn with_all<const BITS: usize, S: Float>(&self, matrix: &Packed<'_>, [scales, biases]: [&[S]; 2], out: &mut [f32]) {
        let rows = out.len();
        // SAFETY: parts of a range of rows write disjoint elements of the output.
        let out = unsafe { Shared::new(out.as_mut_ptr()) };
        pool::split(rows, STEP, rows * matrix.inner >= PARALLEL, |range| {
            let group = matrix.group;
            let all = Rows { words: matrix.words.as_ptr(), scales: scales.as_ptr(), biases: biases.as_ptr(), group };
            // SAFETY: `product`'s caller found the instruction set, and checked that the matrix has these rows.
            unsafe { self.with_rows::<BITS, S>(all, range, out.get()) }
        });
    }

    /// # Safety
    /// As [`Row::fill`], and VNNI; the range lies in the matrix and in `out`.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn with_rows<const BITS: usize, S: Float>(&self, all: Rows<S>, range: Range<usize>, out: *mut f32) {
        let (words, groups) = (self.inner * BITS / 32, self.inner / all.group);
        for line in (0..AHEAD.min(range.len()) * words).step_by(16) {
            prefetch(all.words.wrapping_add(range.start * words + line));
        }
        for row in range.clone().step_by(STEP) {
            for part in [all.scales, all.biases] {
                let ahead = part.wrapping_add((row + 2 * AHEAD) * groups).cast::<u8>();
                for line in (0..STEP * groups * size_of::<S>()).step_by(64) {
                    prefetch(ahead.wrapping_add(line));
                }
            }
            let out = out.wrapping_add(row);
            // SAFETY: the rows are in the matrix, and their elements in the output.
            unsafe {
                match range.end - row {
                    STEP.. => self.block::<BITS, STEP, S>(all, row, out),
                    left => (0..left).for_each(|i| self.block::<BITS, 1, S>(all, row + i, out.add(i))),
                }
            }
        }
    }

    /// The products with `N` rows of the matrix.
    ///
    /// # Safety
    /// As [`Row::with_rows`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn block<const BITS: usize, const N: usize, S: Float>(&self, rows: Rows<S>, row: usize, out: *mut f32) {
        let (words, groups) = (self.inner * BITS / 32, self.inner / rows.group);
        let from = rows.words.wrapping_add(row * words);
        let (scales, biases) = (rows.scales.wrapping_add(row * groups), rows.biases.wrapping_add(row * groups));
        let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        // The groups of a vector's lanes, of which it begins the first unless it is within one.
        let spread = _mm512_srlv_epi32(lanes, _mm512_set1_epi32((rows.group * BITS / 32).trailing_zeros() as i32));
        let mut totals = [_mm512_setzero_ps(); N];
        // SAFETY: words of a row up to its end, scales and biases of its groups, and the row's own numbers.
        unsafe {
            for at in (0..groups).step_by(LANES) {
                let (sums, left) = (_mm512_loadu_ps(self.sums.as_ptr().add(at)), (groups - at).min(LANES));
                for (y, total) in totals.iter_mut().enumerate() {
                    let biases = S::load_first(biases.add(y * groups + at), left);
                    *total = _mm512_fmadd_ps(biases, sums, *total);
                }
            }
            for at in (0..words).step_by(LANES) {
                let group = at * (32 / BITS) / rows.group;
                let left = first(words - at);
                let there = (groups - group).min(LANES);
                let steps = _mm512_loadu_ps(self.steps.as_ptr().add(at));
                let x = self.bytes.as_ptr().add(at * 8 * (8 / BITS));
                for (y, total) in totals.iter_mut().enumerate() {
                    let from = from.add(y * words + at);
                    prefetch(from.wrapping_add(AHEAD * words));
                    let dots = dots::<BITS>(_mm512_maskz_loadu_epi32(left, from.cast()), x);
                    let scales: __m512 = S::load_first(scales.add(y * groups + group), there);
                    let scales = _mm512_permutexvar_ps(spread, scales);
                    *total = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(dots), steps), scales, *total);
                }
            }
            store_sums(totals, out);
        }
    }
}

/// The rows of the matrix.
#[derive(Clone, Copy)]
struct Rows<S> {
    words: *const u32,
    scales: *const S,
    biases: *const S,
    group: usize,
}

/// A mask of the first lanes, at most all.
#[inline(always)]
fn first(n: usize) -> __mmask16 {
    (u32::MAX >> (32 - n.min(LANES))) as __mmask16
}

/// The products of the codes of a vector of words with numbers, summed over each lane.
///
/// # Safety
/// As [`Row::with_rows`]; `x` leads to the bytes for these words.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn dots<const BITS: usize>(words: __m512i, x: *const u8) -> __m512i {
    let mask = _mm512_set1_epi8(((1u32 << BITS) - 1) as i8);
    let codes = |i: usize| match BITS {
        8 => words,
        _ => _mm512_and_si512(_mm512_srlv_epi32(words, _mm512_set1_epi32((i * BITS) as i32)), mask),
    };
    let mut sums = _mm512_setzero_si512();
    for half in 0..2 {
        // The high bytes count 256 times.
        sums = _mm512_slli_epi32::<8>(sums);
        for i in 0..8 / BITS {
            // SAFETY: the caller's.
            let x = unsafe { _mm512_loadu_si512(x.add(i * 128 + half * 64).cast()) };
            sums = _mm512_dpbusd_epi32(sums, codes(i), x);
        }
    }
    sums
}

/// Writes the sum of the lanes of each.
///
/// # Safety
/// As [`Row::fill`]; `out` has room for them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn store_sums<const N: usize>(totals: [__m512; N], out: *mut f32) {
    // SAFETY: the caller's.
    unsafe {
        let [a, b, c, d] = match totals.as_slice() {
            &[a, b, c, d] => [a, b, c, d],
            _ => return (0..N).for_each(|i| *out.add(i) = _mm512_reduce_add_ps(totals[i])),
        };
        // Of every four lanes one of each, then the fours.
        let ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        let cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
        let (ab, cd) = (_mm512_castps_pd(ab), _mm512_castps_pd(cd));
        let (low, high) = (_mm512_unpacklo_pd(ab, cd), _mm512_unpackhi_pd(ab, cd));
        let fours = _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
        let two = _mm256_add_ps(_mm512_castps512_ps256(fours), _mm512_extractf32x8_ps::<1>(fours));
        _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps::<1>(two)));
    }
}

/// The high and the low bytes of numbers for one vector of words, apart by their place in a byte of codes.
///
/// # Safety
/// As [`Row::fill`]; there are 64 numbers for each code in a byte, and two bytes for each number.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn by_code<const BITS: usize>(q: &[i16], to: &mut [u8]) {
    let per_byte = 8 / BITS;
    let (from, to) = (q.as_ptr(), to.as_mut_ptr());
    for at in 0..2 * per_byte {
        // SAFETY: the caller's; a vector of 32 numbers gives as many bytes, in `per_byte` places.
        unsafe {
            let q = _mm512_loadu_si512(from.add(at * 32).cast());
            // The low byte is signed, so half of what it spans rounds the high byte up.
            let upper = _mm512_srai_epi16::<8>(_mm512_add_epi16(q, _mm512_set1_epi16(128)));
            for (half, bytes) in [upper, q].into_iter().enumerate() {
                let bytes = _mm512_cvtepi16_epi8(bytes);
                for code in 0..per_byte {
                    let to = to.add(code * 128 + half * 64 + at * 32 / per_byte);
                    match BITS {
                        8 => _mm256_storeu_si256(to.cast(), bytes),
                        4 => {
                            let shifted = _mm256_srlv_epi16(bytes, _mm256_set1_epi16(code as i16 * 8));
                            _mm_storeu_si128(to.cast(), _mm256_cvtepi16_epi8(shifted));
                        }
                        _ => {
                            let shifted = _mm256_srlv_epi32(bytes, _mm256_set1_epi32(code as i32 * 8));
                            _mm_storel_epi64(to.cast(), _mm256_cvtepi32_epi8(shifted));
                        }
                    }
                }
            }
        }
    }
}

/// The numbers of a group and their step; `None` if one is not finite.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn fix(x: &[f32], q: &mut [i16]) -> Option<f32> {
    let mut most = _mm512_setzero_si512();
    for x in x.chunks_exact(LANES) {
        // SAFETY: a chunk is a vector. Bits of positive numbers compare as integers.
        let bits = unsafe { _mm512_loadu_si512(x.as_ptr().cast()) };
        most = _mm512_max_epi32(most, _mm512_and_si512(bits, _mm512_set1_epi32(i32::MAX)));
    }
    let most = _mm_cvtss_f32(_mm_castsi128_ps(largest(most)));
    let step = step(most);
    let inverse = _mm512_set1_ps(1.0 / step);
    for (x, q) in x.chunks_exact(LANES).zip(q.chunks_exact_mut(LANES)) {
        // SAFETY: both chunks are vectors.
        unsafe {
            let rounded = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x.as_ptr()), inverse));
            _mm256_storeu_si256(q.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(rounded));
        }
    }
    most.is_finite().then_some(step)
}
