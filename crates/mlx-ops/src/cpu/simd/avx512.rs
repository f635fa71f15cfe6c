//! The vectors of AVX-512 F, BW, DQ, VL.

use super::avx2::{THREE_BYTES, TWO_AND_A_HALF};
use super::{FLOAT4, FLOAT8, FLOAT8_BITS, FLOAT8_SIZE, Kernel, Lanes, avx2};
use std::arch::x86_64::*;

pub fn is_available() -> bool {
    let base = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    base && is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512vl") && avx2::is_available()
}

/// # Safety
/// As [`super::run`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")]
pub unsafe fn run(kernel: impl Kernel) {
    // SAFETY: the caller's.
    unsafe { kernel.run::<__m512>() }
}

#[inline(always)]
fn first16(n: usize) -> __mmask16 {
    ((1u32 << n) - 1) as __mmask16
}

// SAFETY in all of these: the trait's callers have the instruction set, and pass pointers to as many elements.
impl Lanes for __m512 {
    const LEN: usize = 16;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(at) }
    }
    #[inline(always)]
    unsafe fn load_first(at: *const f32, n: usize) -> Self {
        // SAFETY: see above; masked lanes are not read.
        unsafe { _mm512_maskz_loadu_ps(first16(n), at) }
    }
    #[inline(always)]
    unsafe fn load_f16(at: *const u16) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(at.cast())) }
    }
    #[inline(always)]
    unsafe fn load_f16_first(at: *const u16, n: usize) -> Self {
        // SAFETY: see above; masked lanes are not read.
        unsafe { _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first16(n), at.cast())) }
    }
    #[inline(always)]
    unsafe fn load_bf16(at: *const u16) -> Self {
        // SAFETY: see above.
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(at.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    }
    #[inline(always)]
    unsafe fn load_bf16_first(at: *const u16, n: usize) -> Self {
        // SAFETY: see above; masked lanes are not read.
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first16(n), at.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut f32) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_ps(at, self) }
    }
    #[inline(always)]
    unsafe fn store_first(self, at: *mut f32, n: usize) {
        // SAFETY: see above; masked lanes are not written.
        unsafe { _mm512_mask_storeu_ps(at, first16(n), self) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, x: Self, sum: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_ps(self, x, sum) }
    }
    #[inline(always)]
    unsafe fn mul(self, x: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_mul_ps(self, x) }
    }
    #[inline(always)]
    unsafe fn div(self, x: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_div_ps(self, x) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_add_ps(self) }
    }

    #[inline(always)]
    unsafe fn max(self, x: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_max_ps(self, x) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_roundscale_ps::<0>(self) }
    }
    #[inline(always)]
    unsafe fn times_power(self, n: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_scalef_ps(self, n) }
    }

    type Words = __m512i;
    #[inline(always)]
    unsafe fn words(at: *const u32) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_loadu_si512(at.cast()) }
    }
    #[inline(always)]
    unsafe fn words_first(at: *const u32, n: usize) -> __m512i {
        // SAFETY: see above; masked lanes are not read.
        unsafe { _mm512_maskz_loadu_epi32(first16(n), at.cast()) }
    }
    #[inline(always)]
    unsafe fn codes<const BITS: usize>(words: __m512i, shift: usize) -> Self {
        // SAFETY: see above.
        unsafe {
            let shifted = _mm512_srlv_epi32(words, _mm512_set1_epi32(shift as i32));
            if BITS <= 4 {
                // A permutation looks at four bits of its index, so a table both masks and converts.
                let mask = (1 << BITS) - 1;
                let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
                let table = _mm512_cvtepi32_ps(_mm512_and_si512(lanes, _mm512_set1_epi32(mask)));
                return _mm512_permutexvar_ps(shifted, table);
            }
            _mm512_cvtepi32_ps(_mm512_and_si512(shifted, _mm512_set1_epi32((1 << BITS) - 1)))
        }
    }
    #[inline(always)]
    unsafe fn float4(words: __m512i, shift: usize) -> Self {
        // SAFETY: see above. A permutation looks at four bits of its index.
        unsafe {
            let shifted = _mm512_srlv_epi32(words, _mm512_set1_epi32(shift as i32));
            _mm512_permutexvar_ps(shifted, std::mem::transmute::<[f32; 16], __m512>(FLOAT4))
        }
    }
    #[inline(always)]
    unsafe fn float8(words: __m512i, shift: usize) -> Self {
        // SAFETY: see above.
        unsafe {
            let top = _mm512_sllv_epi32(words, _mm512_set1_epi32(24 - shift as i32));
            let bits = _mm512_and_si512(_mm512_srai_epi32::<4>(top), _mm512_set1_epi32(FLOAT8_BITS as i32));
            let most = _mm512_set1_epi32(FLOAT8_SIZE as i32);
            let numbers = _mm512_cmpneq_epi32_mask(_mm512_and_si512(bits, most), most);
            let bits = _mm512_castsi512_ps(bits);
            _mm512_mask_mul_ps(_mm512_set1_ps(f32::NAN), numbers, bits, _mm512_set1_ps(FLOAT8))
        }
    }
    #[inline(always)]
    unsafe fn spread<const BITS: usize>(words: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe {
            if BITS == 5 {
                let lanes = _mm512_setr_epi32(0, 1, 2, 2, 2, 3, 4, 4, 5, 6, 7, 7, 7, 8, 9, 9);
                let [even, odd] = TWO_AND_A_HALF.map(|bytes| _mm_loadu_si128(bytes.as_ptr().cast()));
                let pair = _mm256_set_m128i(odd, even);
                let bytes = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(pair), pair);
                let words = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(lanes, words), bytes);
                return _mm512_srlv_epi32(words, _mm512_set1_epi64(4 << 32));
            }
            let lanes = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
            let bytes = _mm512_broadcast_i32x4(_mm_loadu_si128(THREE_BYTES.as_ptr().cast()));
            _mm512_shuffle_epi8(_mm512_permutexvar_epi32(lanes, words), bytes)
        }
    }
    #[inline(always)]
    unsafe fn pick(self, index: __m512i) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_permutexvar_ps(index, self) }
    }

    #[inline(always)]
    unsafe fn transpose(square: &mut [Self; 16]) {
        // SAFETY: see above.
        unsafe {
            for quarter in square.chunks_exact_mut(4) {
                let (a, b) = (_mm512_unpacklo_ps(quarter[0], quarter[1]), _mm512_unpackhi_ps(quarter[0], quarter[1]));
                let (c, d) = (_mm512_unpacklo_ps(quarter[2], quarter[3]), _mm512_unpackhi_ps(quarter[2], quarter[3]));
                let [a, b, c, d] = [a, b, c, d].map(|x| _mm512_castps_pd(x));
                let pairs = [_mm512_unpacklo_pd(a, c), _mm512_unpackhi_pd(a, c)];
                let more = [_mm512_unpacklo_pd(b, d), _mm512_unpackhi_pd(b, d)];
                let columns = [pairs[0], pairs[1], more[0], more[1]];
                quarter.copy_from_slice(&columns.map(|x| _mm512_castpd_ps(x)));
            }
            // Quarter j of vector 4 i + c now holds column 4 j + c of rows 4 i to 4 i + 3.
            for c in 0..4 {
                let [p, q, r, s] = [square[c], square[4 + c], square[8 + c], square[12 + c]];
                let (low, high) = (_mm512_shuffle_f32x4::<0x44>(p, q), _mm512_shuffle_f32x4::<0x44>(r, s));
                square[c] = _mm512_shuffle_f32x4::<0x88>(low, high);
                square[4 + c] = _mm512_shuffle_f32x4::<0xdd>(low, high);
                let (low, high) = (_mm512_shuffle_f32x4::<0xee>(p, q), _mm512_shuffle_f32x4::<0xee>(r, s));
                square[8 + c] = _mm512_shuffle_f32x4::<0x88>(low, high);
                square[12 + c] = _mm512_shuffle_f32x4::<0xdd>(low, high);
            }
        }
    }
}
