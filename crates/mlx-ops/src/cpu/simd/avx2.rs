//! The vectors of AVX2 with FMA and F16C.

use super::portable::first;
use super::{FLOAT4, FLOAT8, FLOAT8_BITS, FLOAT8_SIZE, Kernel, Lanes};
use std::arch::x86_64::*;

pub fn is_available() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c")
}

/// # Safety
/// As [`super::run`].
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn run(kernel: impl Kernel) {
    // SAFETY: the caller's.
    unsafe { kernel.run::<__m256>() }
}

/// Where the four words of 128 bits take their bytes from, for codes of which four or eight fill three bytes.
pub const THREE_BYTES: [i8; 16] = [0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1];
/// The same for codes of five bits, of which four fill two and a half; every second 128 bits start in the middle of a word.
pub const TWO_AND_A_HALF: [[i8; 16]; 2] =
    [[0, 1, 2, -1, 2, 3, 4, -1, 5, 6, 7, -1, 7, 8, 9, -1], [2, 3, 4, -1, 4, 5, 6, -1, 7, 8, 9, -1, 9, 10, 11, -1]];

#[inline(always)]
pub fn prefetch(at: *const i8) {
    // SAFETY: every x86-64 has the instruction, and it faults nowhere.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at) }
}

/// The mask that AVX2 takes: the first `n` lanes negative.
#[inline(always)]
unsafe fn first8(n: usize) -> __m256i {
    // SAFETY: the caller has AVX2.
    unsafe { _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
}

// SAFETY in all of these: the trait's callers have the instruction set, and pass pointers to as many elements.
impl Lanes for __m256 {
    const LEN: usize = 8;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_loadu_ps(at) }
    }
    #[inline(always)]
    unsafe fn load_first(at: *const f32, n: usize) -> Self {
        // SAFETY: see above; masked lanes are not read.
        unsafe { _mm256_maskload_ps(at, first8(n)) }
    }
    #[inline(always)]
    unsafe fn load_f16(at: *const u16) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(at.cast())) }
    }
    #[inline(always)]
    unsafe fn load_f16_first(at: *const u16, n: usize) -> Self {
        // SAFETY: the caller's; eight elements are at least n.
        unsafe { Self::load_f16(first(at, n).as_ptr()) }
    }
    #[inline(always)]
    unsafe fn load_bf16(at: *const u16) -> Self {
        // SAFETY: see above.
        unsafe {
            let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
        }
    }
    #[inline(always)]
    unsafe fn load_bf16_first(at: *const u16, n: usize) -> Self {
        // SAFETY: the caller's; eight elements are at least n.
        unsafe { Self::load_bf16(first(at, n).as_ptr()) }
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut f32) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(at, self) }
    }
    #[inline(always)]
    unsafe fn store_first(self, at: *mut f32, n: usize) {
        // SAFETY: see above; masked lanes are not written.
        unsafe { _mm256_maskstore_ps(at, first8(n), self) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, x: Self, sum: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_fmadd_ps(self, x, sum) }
    }
    #[inline(always)]
    unsafe fn mul(self, x: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_mul_ps(self, x) }
    }
    #[inline(always)]
    unsafe fn div(self, x: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_div_ps(self, x) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: see above.
        unsafe {
            let half = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)))
        }
    }

    #[inline(always)]
    unsafe fn max(self, x: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_max_ps(self, x) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self) }
    }
    #[inline(always)]
    unsafe fn times_power(self, n: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let exponent = _mm256_slli_epi32::<23>(_mm256_cvtps_epi32(n));
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(self), exponent))
        }
    }

    type Words = __m256i;
    #[inline(always)]
    unsafe fn words(at: *const u32) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_loadu_si256(at.cast()) }
    }
    #[inline(always)]
    unsafe fn words_first(at: *const u32, n: usize) -> __m256i {
        // SAFETY: see above; masked lanes are not read.
        unsafe { _mm256_maskload_epi32(at.cast(), first8(n)) }
    }
    #[inline(always)]
    unsafe fn codes<const BITS: usize>(words: __m256i, shift: usize) -> Self {
        // SAFETY: see above.
        unsafe {
            let shifted = _mm256_srlv_epi32(words, _mm256_set1_epi32(shift as i32));
            _mm256_cvtepi32_ps(_mm256_and_si256(shifted, _mm256_set1_epi32((1 << BITS) - 1)))
        }
    }
    #[inline(always)]
    unsafe fn float4(words: __m256i, shift: usize) -> Self {
        // SAFETY: see above. A permutation looks at three bits of its index, the fourth is the sign.
        unsafe {
            let shifted = _mm256_srlv_epi32(words, _mm256_set1_epi32(shift as i32));
            let sign = _mm256_and_si256(_mm256_slli_epi32::<28>(shifted), _mm256_set1_epi32(i32::MIN));
            let size = _mm256_permutevar8x32_ps(_mm256_loadu_ps(FLOAT4.as_ptr()), shifted);
            _mm256_xor_ps(size, _mm256_castsi256_ps(sign))
        }
    }
    #[inline(always)]
    unsafe fn float8(words: __m256i, shift: usize) -> Self {
        // SAFETY: see above.
        unsafe {
            let top = _mm256_sllv_epi32(words, _mm256_set1_epi32(24 - shift as i32));
            let bits = _mm256_and_si256(_mm256_srai_epi32::<4>(top), _mm256_set1_epi32(FLOAT8_BITS as i32));
            let most = _mm256_set1_epi32(FLOAT8_SIZE as i32);
            let nan = _mm256_cmpeq_epi32(_mm256_and_si256(bits, most), most);
            let numbers = _mm256_mul_ps(_mm256_castsi256_ps(bits), _mm256_set1_ps(FLOAT8));
            _mm256_or_ps(numbers, _mm256_castsi256_ps(nan))
        }
    }
    #[inline(always)]
    unsafe fn spread<const BITS: usize>(words: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe {
            if BITS == 5 {
                let lanes = _mm256_setr_epi32(0, 1, 2, 2, 2, 3, 4, 4);
                let [even, odd] = TWO_AND_A_HALF.map(|bytes| _mm_loadu_si128(bytes.as_ptr().cast()));
                let words = _mm256_shuffle_epi8(_mm256_permutevar8x32_epi32(words, lanes), _mm256_set_m128i(odd, even));
                return _mm256_srlv_epi32(words, _mm256_set1_epi64x(4 << 32));
            }
            let lanes = _mm256_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5);
            let bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128(THREE_BYTES.as_ptr().cast()));
            _mm256_shuffle_epi8(_mm256_permutevar8x32_epi32(words, lanes), bytes)
        }
    }
    #[inline(always)]
    unsafe fn pick(self, index: __m256i) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_permutevar8x32_ps(self, index) }
    }

    #[inline(always)]
    unsafe fn transpose(square: &mut [Self; 16]) {
        // SAFETY: see above.
        unsafe {
            for half in square[..8].chunks_exact_mut(4) {
                let (a, b) = (_mm256_unpacklo_ps(half[0], half[1]), _mm256_unpackhi_ps(half[0], half[1]));
                let (c, d) = (_mm256_unpacklo_ps(half[2], half[3]), _mm256_unpackhi_ps(half[2], half[3]));
                half[0] = _mm256_shuffle_ps::<0x44>(a, c);
                half[1] = _mm256_shuffle_ps::<0xee>(a, c);
                half[2] = _mm256_shuffle_ps::<0x44>(b, d);
                half[3] = _mm256_shuffle_ps::<0xee>(b, d);
            }
            // Half j of vector 4 i + c now holds column 4 j + c of rows 4 i to 4 i + 3.
            for c in 0..4 {
                let (p, q) = (square[c], square[4 + c]);
                square[c] = _mm256_permute2f128_ps::<0x20>(p, q);
                square[4 + c] = _mm256_permute2f128_ps::<0x31>(p, q);
            }
        }
    }
}
