//! Panels of bfloat16 in pairs for AVX-512 BF16, which multiplies and adds two at a time; rows are rounded to bfloat16 as they
//! are packed.

use super::panel::{LINE, WIDTH};
use super::paneled::Cell;
use super::simd::{Isa, Lanes};
use super::source;
use super::tile::{Target, write};
use mlx_core::bf16;
use std::arch::x86_64::*;
use std::mem::transmute;

/// Two neighbours of a row of weights.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Pair(u16, u16);

/// Elements of a packed line.
const DEEP: usize = 2 * LINE;

/// Whether this processor multiplies rows of `k` elements so.
pub fn fit(k: usize) -> bool {
    k.is_multiple_of(DEEP) && Isa::best() == Isa::Avx512 && is_x86_feature_detected!("avx512bf16")
}

/// Numbers as pairs.
pub fn of(numbers: &[bf16]) -> &[Pair] {
    // SAFETY: a pair is two numbers of 16 bits that adjoin, aligned as one.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), numbers.len() / 2) }
}

impl Cell for Pair {
    const ELEMENTS: usize = 2;

    #[inline(always)]
    unsafe fn pack<V: Lanes>(from: *const f32, ld: usize, rows: usize, k: usize, to: *mut f32) {
        // SAFETY: the caller's; `fit` found the instruction set.
        unsafe { pack(from, ld, rows, k, to) }
    }

    #[inline(always)]
    unsafe fn tile<V: Lanes>(rows: usize, a: *const f32, b: *const Self, inner: usize, ask: bool, to: Target) {
        // SAFETY: the caller's; `fit` found the instruction set.
        unsafe {
            match ask {
                true => tile::<true>(rows, a, b.cast(), inner, to),
                false => tile::<false>(rows, a, b.cast(), inner, to),
            }
        }
    }
}

/// # Safety
/// As [`Cell::pack`], with `k` in whole lines and AVX-512 BF16 there.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c")]
unsafe fn pack(from: *const f32, ld: usize, rows: usize, k: usize, to: *mut f32) {
    let mut block = to;
    // SAFETY: the caller's.
    unsafe {
        for at in (0..k).step_by(DEEP) {
            for i in 0..rows {
                let from = from.add(i * ld + at);
                let pairs = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from.add(LINE)), _mm512_loadu_ps(from));
                _mm512_storeu_ps(block.add(i * LINE), transmute::<__m512bh, __m512>(pairs));
            }
            block = block.add(rows * LINE);
        }
    }
}

/// # Safety
/// As [`Cell::tile`], with `inner` in whole lines and AVX-512 BF16 there.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c")]
unsafe fn tile<const ASK: bool>(rows: usize, a: *const f32, b: *const f32, inner: usize, to: Target) {
    // SAFETY: the caller's.
    unsafe {
        match rows {
            1 => tile_of::<1, ASK>(a, b, inner, to),
            2 => tile_of::<2, ASK>(a, b, inner, to),
            3 => tile_of::<3, ASK>(a, b, inner, to),
            4 => tile_of::<4, ASK>(a, b, inner, to),
            5 => tile_of::<5, ASK>(a, b, inner, to),
            6 => tile_of::<6, ASK>(a, b, inner, to),
            7 => tile_of::<7, ASK>(a, b, inner, to),
            8 => tile_of::<8, ASK>(a, b, inner, to),
            9 => tile_of::<9, ASK>(a, b, inner, to),
            10 => tile_of::<10, ASK>(a, b, inner, to),
            11 => tile_of::<11, ASK>(a, b, inner, to),
            _ => tile_of::<12, ASK>(a, b, inner, to),
        }
    }
}

/// # Safety
/// As [`tile`], for `M` rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c")]
unsafe fn tile_of<const M: usize, const ASK: bool>(mut a: *const f32, mut b: *const f32, inner: usize, to: Target) {
    // SAFETY: the caller's; a vector of pairs is one of as many floats to those who only load it.
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); WIDTH]; M];
        for _ in 0..inner / LINE {
            for l in 0..LINE {
                let b = b.wrapping_add(l * DEEP);
                if ASK {
                    source::ask(b.wrapping_add(inner * DEEP), DEEP);
                }
                let columns: [__m512bh; WIDTH] =
                    std::array::from_fn(|v| transmute::<__m512, __m512bh>(_mm512_loadu_ps(b.wrapping_add(v * LINE))));
                for (i, sums) in sums.iter_mut().enumerate() {
                    let x = _mm512_set1_ps(a.wrapping_add(i * LINE + l).read_unaligned());
                    for (sum, columns) in sums.iter_mut().zip(columns) {
                        *sum = _mm512_dpbf16_ps(*sum, transmute::<__m512, __m512bh>(x), columns);
                    }
                }
            }
            a = a.add(M * LINE);
            b = b.add(LINE * DEEP);
        }
        write(&sums, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::blas::tests::noise;
    use crate::cpu::paneled::{product, width};

    #[test]
    fn agrees_with_f64_of_rounded_numbers() {
        for [m, n, k] in [[1, 3, 32], [5, 33, 64], [27, 96, 1536], [100, 70, 2080]] {
            if !fit(k) {
                return;
            }
            let round = |x: &f32| bf16::from_f32(*x);
            let (x, w) = (noise(m * k, 1), noise(n * k, 2));
            let (x16, w16): (Vec<bf16>, Vec<bf16>) = (x.iter().map(round).collect(), w.iter().map(round).collect());
            let width = width(Isa::best());
            let cell = |i: usize| {
                let (panel, l, column) = (i / (k / 2 * width), i / width % (k / 2), i % width);
                let at = (panel * width + column) * k + 2 * l;
                if panel * width + column < n { Pair(w16[at].to_bits(), w16[at + 1].to_bits()) } else { Pair(0, 0) }
            };
            let panels: Vec<Pair> = (0..n.next_multiple_of(width) * k / 2).map(cell).collect();
            let mut out = vec![f32::NAN; m * n];
            product(Isa::best(), &x, k, &panels, &mut out);
            for (at, &new) in out.iter().enumerate() {
                let (i, j) = (at / n, at % n);
                let product = |l: usize| f64::from(x16[i * k + l].to_f32()) * f64::from(w16[j * k + l].to_f32());
                let want: f64 = (0..k).map(product).sum();
                let error = (f64::from(new) - want).abs();
                assert!(error < 1e-5 * (k as f64).sqrt(), "m={m} n={n} k={k} ({i}, {j}): {new} is not {want}");
            }
        }
    }
}
