//! Rows of `x` as fixed-point numbers, laid out in the order in which the micro-kernel reads them.

use crate::cpu::pool::{self, Shared};
use std::arch::x86_64::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rows that lie interleaved, and that the micro-kernel takes at a time.
pub const ROWS: usize = 8;

/// Elements of a row that lie together: a quarter of a vector of bytes.
pub const CHUNK: usize = 16;

/// The largest fixed-point number. Its high byte is at most 127 when the low byte is signed.
const LARGEST: f32 = 32512.0;

/// `x` as blocks of [`ROWS`] rows.
///
/// A block holds, for each group, the chunks of the high bytes and then those of the low bytes; a chunk has [`CHUNK`]
/// elements of each row in turn. The last block leaves the places of the rows that are missing as they are.
pub struct Activations {
    bytes: Vec<u8>,
    /// For each block and group the steps of its rows, then the sums of their numbers.
    steps: Vec<f32>,
    m: usize,
    inner: usize,
    group: usize,
}

/// A block from some element on.
#[derive(Clone, Copy)]
pub struct Block {
    pub bytes: *const u8,
    pub steps: *const f32,
    /// Rows that are there.
    pub m: usize,
}

impl Activations {
    /// Elements come in the order of codes of `BITS` bits. `None` if one is not finite.
    ///
    /// # Safety
    /// The processor has AVX-512 F, BW, DQ and VL; `group` divides `inner`, which divides the length.
    pub unsafe fn new<const BITS: usize>(x: &[f32], inner: usize, group: usize, parallel: bool) -> Option<Self> {
        let m = x.len() / inner;
        let blocks = m.div_ceil(ROWS);
        let mut bytes = Vec::<u8>::with_capacity(blocks * ROWS * inner * 2);
        let mut steps = Vec::<f32>::with_capacity(blocks * ROWS * (inner / group) * 2);
        let finite = AtomicBool::new(true);
        // SAFETY: each block writes its own part.
        let to = unsafe { (Shared::new(bytes.as_mut_ptr()), Shared::new(steps.as_mut_ptr())) };
        pool::split(blocks, 1, parallel, |range| {
            let mut inverses = vec![0.0; inner / group];
            for block in range {
                let rows = block * ROWS..m.min((block + 1) * ROWS);
                for (place, row) in rows.enumerate() {
                    let x = &x[row * inner..][..inner];
                    let bytes = to.0.get().wrapping_add(block * ROWS * inner * 2 + place * CHUNK);
                    let steps = to.1.get().wrapping_add(block * ROWS * (inner / group) * 2 + place);
                    // SAFETY: the caller's; the block's part has room for its rows.
                    if !unsafe { fix::<BITS>(x, &mut inverses, bytes, steps) } {
                        finite.store(false, Ordering::Relaxed);
                    }
                }
            }
        });
        finite.into_inner().then_some(Self { bytes, steps, m, inner, group })
    }

    pub fn blocks(&self) -> usize {
        self.m.div_ceil(ROWS)
    }

    /// A block from the element `at` on, where a group begins.
    pub fn block(&self, block: usize, at: usize) -> Block {
        let row = block * ROWS * self.inner + ROWS * at;
        Block {
            bytes: self.bytes.as_ptr().wrapping_add(2 * row),
            steps: self.steps.as_ptr().wrapping_add(2 * row / self.group),
            m: ROWS.min(self.m - block * ROWS),
        }
    }
}

/// Which element of sixteen comes at which place. A word's byte holds `8 / bits` codes, which come out one a vector.
const fn order(bits: usize) -> [u8; CHUNK] {
    let (per_byte, per_word) = (8 / bits, 32 / bits);
    let mut order = [0; CHUNK];
    let mut at = 0;
    while at < CHUNK {
        let (word, within) = (at / per_word, at % per_word);
        order[at] = (word * per_word + within % 4 * per_byte + within / 4) as u8;
        at += 1;
    }
    order
}

/// Writes a row to its place in a block; says whether it was finite. There is an inverse to work with for each group.
///
/// # Safety
/// As [`Activations::new`]; `bytes` and `steps` lead to the row's first ones in a block.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn fix<const BITS: usize>(x: &[f32], inverses: &mut [f32], bytes: *mut u8, steps: *mut f32) -> bool {
    let group = x.len() / inverses.len();
    let order = const { order(BITS) };
    // SAFETY: sixteen bytes.
    let order = _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(order.as_ptr().cast()) });
    let mut all = _mm_setzero_si128();
    // The steps of all groups first: what waits for a maximum and its inverse would keep later groups from starting.
    for (inverse, x) in inverses.iter_mut().zip(x.chunks_exact(group)) {
        // Bits of positive numbers compare as integers, with what is not finite above all others.
        let mut most = _mm512_setzero_si512();
        for x in x.chunks_exact(CHUNK) {
            // SAFETY: a chunk is a vector.
            let bits = unsafe { _mm512_loadu_si512(x.as_ptr().cast()) };
            most = _mm512_max_epi32(most, _mm512_and_si512(bits, _mm512_set1_epi32(i32::MAX)));
        }
        let most = largest(most);
        all = _mm_max_epi32(all, most);
        *inverse = _mm_cvtss_f32(_mm_castsi128_ps(most));
    }
    for (at, most) in inverses.iter().enumerate() {
        // SAFETY: the block has room for the steps of every group.
        unsafe { *steps.add(2 * at * ROWS) = step(*most) };
    }
    inverses.iter_mut().for_each(|most| *most = 1.0 / step(*most));
    for (at, x) in x.chunks_exact(group).enumerate() {
        let inverse = _mm512_set1_ps(inverses[at]);
        let mut sums = _mm512_setzero_si512();
        let high = bytes.wrapping_add(2 * at * group * ROWS);
        for (pair, x) in x.chunks_exact(2 * CHUNK).enumerate() {
            // SAFETY: two chunks are two vectors.
            let [a, b] = [0, CHUNK].map(|i| unsafe { _mm512_loadu_ps(x.as_ptr().add(i)) });
            let [a, b] = [a, b].map(|x| _mm512_cvtps_epi32(_mm512_mul_ps(x, inverse)));
            let q = _mm512_packs_epi32(a, b);
            sums = _mm512_add_epi32(sums, _mm512_madd_epi16(q, _mm512_set1_epi16(1)));
            // The low byte is signed, so half of what it spans rounds the high byte up.
            let upper = _mm512_srli_epi16::<8>(_mm512_add_epi16(q, _mm512_set1_epi16(128)));
            let lower = _mm512_and_si512(q, _mm512_set1_epi16(255));
            // Packing interleaves the quarters of its operands: here they become one chunk each again.
            let quarters = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
            let chunks = _mm512_permutexvar_epi32(quarters, _mm512_packus_epi16(upper, lower));
            let chunks = _mm512_shuffle_epi8(chunks, order);
            let to = high.wrapping_add(2 * pair * CHUNK * ROWS);
            // SAFETY: each half of the group has room for both chunks.
            unsafe {
                _mm_storeu_si128(to.cast(), _mm512_extracti32x4_epi32::<0>(chunks));
                _mm_storeu_si128(to.add(CHUNK * ROWS).cast(), _mm512_extracti32x4_epi32::<1>(chunks));
                let to = to.add(group * ROWS);
                _mm_storeu_si128(to.cast(), _mm512_extracti32x4_epi32::<2>(chunks));
                _mm_storeu_si128(to.add(CHUNK * ROWS).cast(), _mm512_extracti32x4_epi32::<3>(chunks));
            }
        }
        // SAFETY: the block has room for the sums of every group.
        unsafe { *steps.add((2 * at + 1) * ROWS) = _mm512_reduce_add_epi32(sums) as f32 };
    }
    _mm_cvtsi128_si32(all) < f32::INFINITY.to_bits() as i32
}

/// The step of a group whose largest number this is; also a group of zeros needs one that has an inverse.
#[inline]
pub fn step(most: f32) -> f32 {
    (most * (1.0 / LARGEST)).max(f32::MIN_POSITIVE)
}

/// The largest lane, in every lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub fn largest(x: __m512i) -> __m128i {
    let x = _mm256_max_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64::<1>(x));
    let x = _mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x));
    let x = _mm_max_epi32(x, _mm_shuffle_epi32::<0x4e>(x));
    _mm_max_epi32(x, _mm_shuffle_epi32::<0xb1>(x))
}
