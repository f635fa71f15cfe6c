//! The product of a block of rows with a panel.

use super::activations::{Block, CHUNK, ROWS};
use super::panel::Panel;
use std::arch::x86_64::*;

/// Vectors of columns that are computed at a time.
pub const VECTORS: usize = 2;

/// Columns that are computed at a time.
pub const COLUMNS: usize = 16 * VECTORS;

/// Where a block's product with a panel goes.
#[derive(Clone, Copy)]
pub struct Tile {
    /// The first row's first column.
    pub out: *mut f32,
    /// Columns of the output, which are rows of the matrix.
    pub rows: usize,
    /// Columns of the tile, at most [`COLUMNS`].
    pub columns: usize,
    /// The output has no sums yet.
    pub first: bool,
}

/// Adds the product of a block and a panel to the output.
///
/// # Safety
/// The processor has AVX-512 F, BW, DQ, VL and VNNI; the block has the panel's groups; the tile lies in the output.
pub unsafe fn run(x: Block, panel: &Panel, tile: Tile) {
    // SAFETY: the caller's.
    unsafe {
        match x.m {
            1 => rows::<1>(x, panel, tile),
            2 => rows::<2>(x, panel, tile),
            3 => rows::<3>(x, panel, tile),
            4 => rows::<4>(x, panel, tile),
            5 => rows::<5>(x, panel, tile),
            6 => rows::<6>(x, panel, tile),
            7 => rows::<7>(x, panel, tile),
            _ => rows::<8>(x, panel, tile),
        }
    }
}

/// [`run`] for a block of `M` rows.
///
/// # Safety
/// As [`run`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn rows<const M: usize>(x: Block, panel: &Panel, tile: Tile) {
    let zero = _mm512_setzero_ps();
    let masks: [__mmask16; VECTORS] =
        std::array::from_fn(|v| ((1u32 << tile.columns.saturating_sub(16 * v).min(16)) - 1) as __mmask16);
    let half = panel.group * ROWS;
    // SAFETY: the caller's.
    unsafe {
        let mut totals = [[zero; VECTORS]; M];
        if !tile.first {
            for (row, totals) in totals.iter_mut().enumerate() {
                for (v, total) in totals.iter_mut().enumerate() {
                    *total = _mm512_maskz_loadu_ps(masks[v], tile.out.wrapping_add(row * tile.rows + 16 * v));
                }
            }
        }
        for group in 0..panel.groups {
            let codes = panel.codes().add(group * (panel.group / 4) * VECTORS);
            let bytes = x.bytes.add(group * 2 * half);
            let mut sums = [[_mm512_setzero_si512(); VECTORS]; M];
            dots(bytes, codes, panel.group, &mut sums);
            for sum in sums.as_flattened_mut() {
                *sum = _mm512_slli_epi32::<8>(*sum);
            }
            dots(bytes.add(half), codes, panel.group, &mut sums);
            let scales = panel.scales().add(group * 2 * VECTORS);
            let steps = x.steps.add(group * 2 * ROWS);
            for (row, (totals, sums)) in totals.iter_mut().zip(&sums).enumerate() {
                let (step, sum) = (_mm512_set1_ps(*steps.add(row)), _mm512_set1_ps(*steps.add(ROWS + row)));
                for (v, (total, dot)) in totals.iter_mut().zip(sums).enumerate() {
                    let bias = _mm512_mul_ps(*scales.add(VECTORS + v), sum);
                    let value = _mm512_fmadd_ps(*scales.add(v), _mm512_cvtepi32_ps(*dot), bias);
                    *total = _mm512_fmadd_ps(value, step, *total);
                }
            }
        }
        for (row, totals) in totals.iter().enumerate() {
            for (v, total) in totals.iter().enumerate() {
                _mm512_mask_storeu_ps(tile.out.wrapping_add(row * tile.rows + 16 * v), masks[v], *total);
            }
        }
    }
}

/// Adds the products of codes and the high or low bytes of a group.
///
/// All sums are exact: with 8 bits and a group of 128, fixed-point numbers give up to 32512 * 255 * 128 < 2^30, and 256
/// times the sum of the high bytes is no more.
///
/// # Safety
/// As [`rows`], for one group.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn dots<const M: usize>(
    bytes: *const u8,
    codes: *const __m512i,
    group: usize,
    sums: &mut [[__m512i; VECTORS]; M],
) {
    for chunk in 0..group / CHUNK {
        let bytes = bytes.wrapping_add(chunk * CHUNK * ROWS).cast::<i32>();
        let codes = codes.wrapping_add(chunk * CHUNK / 4 * VECTORS);
        for four in 0..CHUNK / 4 {
            // SAFETY: the caller's.
            unsafe {
                let codes: [__m512i; VECTORS] = std::array::from_fn(|v| *codes.add(four * VECTORS + v));
                for (row, sums) in sums.iter_mut().enumerate() {
                    let x = _mm512_set1_epi32(*bytes.add(row * CHUNK / 4 + four));
                    for (sum, codes) in sums.iter_mut().zip(codes) {
                        *sum = _mm512_dpbusd_epi32(*sum, codes, x);
                    }
                }
            }
        }
    }
}
