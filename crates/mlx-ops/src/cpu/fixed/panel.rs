//! Rows of the matrix as bytes, sixteen rows to a vector.

use super::micro::{COLUMNS, VECTORS};
use crate::cpu::packed::Packed;
use std::arch::x86_64::*;
use std::ops::Range;

/// Elements of a row that a panel holds at most, so that it stays in the first-level cache. All groups divide it.
pub const BLOCK: usize = 768;

/// Rows in a vector.
const LANES: usize = 16;

#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line<T, const N: usize>([T; N]);

/// Some elements of [`COLUMNS`] rows of the matrix; rows that are missing are zero.
///
/// For every four elements there are [`VECTORS`] vectors, whose 32-bit lanes hold the elements of one row each.
pub struct Panel {
    codes: Vec<Line<u8, 64>>,
    /// For each group the scales of the rows, then their biases.
    scales: Vec<Line<f32, LANES>>,
    pub group: usize,
    /// Groups that are filled.
    pub groups: usize,
}

impl Panel {
    pub fn new(group: usize) -> Self {
        let codes = vec![Line([0; 64]); BLOCK / 4 * VECTORS];
        let scales = vec![Line([0.0; LANES]); BLOCK / group * 2 * VECTORS];
        Self { codes, scales, group, groups: 0 }
    }

    pub fn codes(&self) -> *const __m512i {
        self.codes.as_ptr().cast()
    }

    pub fn scales(&self) -> *const __m512 {
        self.scales.as_ptr().cast()
    }

    /// Takes in `elements`, at most [`BLOCK`] in whole groups, of at most [`COLUMNS`] `rows` of the matrix, whose scales and
    /// biases come as numbers.
    ///
    /// # Safety
    /// The processor has AVX-512 F, BW, DQ and VL; rows and elements are the matrix's, scales and biases
    /// those of all groups of the rows.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    pub unsafe fn fill<const BITS: usize>(
        &mut self,
        matrix: &Packed<'_>,
        scales_and_biases: [&[f32]; 2],
        rows: Range<usize>,
        elements: Range<usize>,
    ) {
        assert!(rows.len() <= COLUMNS && elements.len() <= BLOCK, "a panel's size");
        self.groups = elements.len() / self.group;
        let groups = matrix.inner / self.group;
        for vector in 0..VECTORS {
            let first = rows.start + vector * LANES;
            let lanes = LANES.min(rows.end.saturating_sub(first));
            let group = vector * LANES * groups + elements.start / self.group;
            let codes = self.codes.as_mut_ptr().cast::<__m512i>().wrapping_add(vector);
            let scales = self.scales.as_mut_ptr().cast::<__m512i>().wrapping_add(vector);
            // SAFETY: the lanes are rows of the matrix, and the panel has room for the codes and groups of its elements.
            unsafe {
                widen_rows::<BITS>(matrix, first..first + lanes, elements.clone(), codes);
                for (which, values) in scales_and_biases.into_iter().enumerate() {
                    let (from, to) = (values.as_ptr().wrapping_add(group), scales.add(which * VECTORS));
                    transpose(from.cast(), groups, lanes, self.groups, |group, column| {
                        *to.add(group * 2 * VECTORS) = column;
                    });
                }
            }
        }
    }
}

/// Writes the codes of at most sixteen rows, four elements to a vector: all that a panel knows of how codes are packed.
///
/// The order of elements is that of [`super::activations`].
///
/// # Safety
/// Rows and elements are the matrix's; `to` has room for a quarter as many vectors as elements, one in [`VECTORS`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn widen_rows<const BITS: usize>(
    matrix: &Packed<'_>,
    rows: Range<usize>,
    elements: Range<usize>,
    to: *mut __m512i,
) {
    let per_word = 32 / BITS;
    let words = matrix.inner / per_word;
    let from = matrix.words.as_ptr().wrapping_add(rows.start * words + elements.start / per_word);
    let widened = |word, column| {
        // SAFETY: the caller's.
        unsafe { widen::<BITS>(column, to.add(word * per_word / 4 * VECTORS)) }
    };
    // SAFETY: the caller's.
    unsafe { transpose(from.cast(), words, rows.len(), elements.len() / per_word, widened) };
}

/// Writes the codes of a vector of words, four elements to a vector.
///
/// # Safety
/// `to` has room for `8 / BITS` vectors, one in [`VECTORS`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn widen<const BITS: usize>(words: __m512i, to: *mut __m512i) {
    let mask = _mm512_set1_epi8(((1u32 << BITS) - 1) as i8);
    for i in 0..8 / BITS {
        let shifted = _mm512_srlv_epi32(words, _mm512_set1_epi32((i * BITS) as i32));
        // SAFETY: the caller's.
        unsafe { *to.add(i * VECTORS) = _mm512_and_si512(shifted, mask) };
    }
}

/// Calls `f` with each of `n` words: a vector of that word of the first `rows` rows.
///
/// # Safety
/// `from` leads to `rows` rows, `stride` words apart, of at least `n` words.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn transpose(from: *const i32, stride: usize, rows: usize, n: usize, mut f: impl FnMut(usize, __m512i)) {
    for at in (0..n).step_by(4) {
        let from = from.wrapping_add(at);
        if at % LANES == 0 {
            // The next panel's. To the processor, lines of so many rows are no stream that it could read ahead.
            for row in COLUMNS..COLUMNS + rows {
                _mm_prefetch::<_MM_HINT_T1>(from.wrapping_add(row * stride).cast());
            }
        }
        // SAFETY: the caller's.
        let columns = unsafe {
            match rows == LANES && at + 4 <= n {
                true => four_columns(|row| _mm_loadu_si128(from.add(row * stride).cast())),
                false => {
                    let mask = ((1u32 << (n - at).min(4)) - 1) as __mmask8;
                    four_columns(|row| match row < rows {
                        true => _mm_maskz_loadu_epi32(mask, from.add(row * stride)),
                        false => _mm_setzero_si128(),
                    })
                }
            }
        };
        for (i, column) in columns.into_iter().enumerate().take(n - at) {
            f(at + i, column);
        }
    }
}

/// Four words of each row, transposed.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn four_columns(row: impl Fn(usize) -> __m128i) -> [__m512i; 4] {
    let rows: [__m512i; 4] = std::array::from_fn(|i| {
        let low = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(row(i)), row(i + 4));
        let high = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(row(i + 8)), row(i + 12));
        _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
    });
    let [a, b, c, d] = rows;
    let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
    let (up, down) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
    [
        _mm512_unpacklo_epi64(ab, cd),
        _mm512_unpackhi_epi64(ab, cd),
        _mm512_unpacklo_epi64(up, down),
        _mm512_unpackhi_epi64(up, down),
    ]
}
