//! The vectors of NEON, which every aarch64 has: pairs of registers, so that kernels see sixteen vectors of eight floats as with AVX2.

use super::portable::first;
use super::{FLOAT8, FLOAT8_BITS, FLOAT8_SIZE, Lanes};
use std::arch::aarch64::*;
use std::arch::asm;

/// Eight floats.
#[derive(Clone, Copy)]
pub struct Pair(float32x4_t, float32x4_t);

/// Eight words.
#[derive(Clone, Copy)]
pub struct Words(uint32x4_t, uint32x4_t);

/// The difference of the exponents of f32 and E2M1, as a factor.
const FLOAT4: f32 = f32::from_bits((127 + 126) << 23);

/// The bits of an f32 that a code of E2M1 fills, once its sign is repeated above it.
const FLOAT4_BITS: u32 = 0x81c0_0000;

/// Where eight lanes take their bytes from, for codes of which four or eight fill three bytes; those beyond the table are 0.
const THREE_BYTES: [[u8; 16]; 2] = [
    [0, 1, 2, 99, 3, 4, 5, 99, 6, 7, 8, 99, 9, 10, 11, 99],
    [12, 13, 14, 99, 15, 16, 17, 99, 18, 19, 20, 99, 21, 22, 23, 99],
];

/// The same for codes of five bits, of which four fill two and a half.
const TWO_AND_A_HALF: [[u8; 16]; 2] = [
    [0, 1, 2, 99, 2, 3, 4, 99, 5, 6, 7, 99, 7, 8, 9, 99],
    [10, 11, 12, 99, 12, 13, 14, 99, 15, 16, 17, 99, 17, 18, 19, 99],
];

#[inline(always)]
pub fn prefetch(at: *const i8) {
    // SAFETY: every aarch64 has the instruction; it faults nowhere and changes nothing that a program sees.
    unsafe { asm!("prfm pldl1keep, [{at}]", at = in(reg) at, options(readonly, nostack, preserves_flags)) }
}

/// The first `n <= 4` words, then zeros.
#[inline(always)]
unsafe fn first4(at: *const u32, n: usize) -> uint32x4_t {
    // SAFETY: the caller passes n readable words.
    unsafe {
        let zero = vdupq_n_u32(0);
        match n {
            0 => zero,
            1 => vld1q_lane_u32::<0>(at, zero),
            2 => vcombine_u32(vld1_u32(at), vdup_n_u32(0)),
            3 => vld1q_lane_u32::<2>(at.add(2), vcombine_u32(vld1_u32(at), vdup_n_u32(0))),
            _ => vld1q_u32(at),
        }
    }
}

/// Writes the first `n <= 4` lanes.
#[inline(always)]
unsafe fn store_first4(lanes: float32x4_t, at: *mut f32, n: usize) {
    // SAFETY: the caller passes n writable elements.
    unsafe {
        match n {
            0 => {}
            1 => vst1q_lane_f32::<0>(at, lanes),
            2 => vst1_f32(at, vget_low_f32(lanes)),
            3 => {
                vst1_f32(at, vget_low_f32(lanes));
                vst1q_lane_f32::<2>(at.add(2), lanes);
            }
            _ => vst1q_f32(at, lanes),
        }
    }
}

/// The bytes of `words` at each place of `index`, and 0 beyond them.
#[inline(always)]
unsafe fn bytes_at(words: Words, index: [uint8x16_t; 2]) -> Words {
    // SAFETY: every aarch64 has NEON.
    unsafe {
        let table = uint8x16x2_t(vreinterpretq_u8_u32(words.0), vreinterpretq_u8_u32(words.1));
        let [low, high] = index.map(|index| vreinterpretq_u32_u8(vqtbl2q_u8(table, index)));
        Words(low, high)
    }
}

/// Rows to columns.
#[inline(always)]
unsafe fn transpose4(rows: [float32x4_t; 4]) -> [float32x4_t; 4] {
    // SAFETY: every aarch64 has NEON.
    unsafe {
        let [a, b, c, d] = rows;
        let pairs = [vtrn1q_f32(a, b), vtrn2q_f32(a, b), vtrn1q_f32(c, d), vtrn2q_f32(c, d)];
        let [a, b, c, d] = pairs.map(|pair| vreinterpretq_f64_f32(pair));
        let columns = [vtrn1q_f64(a, c), vtrn1q_f64(b, d), vtrn2q_f64(a, c), vtrn2q_f64(b, d)];
        columns.map(|column| vreinterpretq_f32_f64(column))
    }
}

impl Pair {
    /// Of each half.
    #[inline(always)]
    fn each(self, of: impl Fn(float32x4_t) -> float32x4_t) -> Self {
        Self(of(self.0), of(self.1))
    }

    /// Of each half of this and another.
    #[inline(always)]
    fn with(self, x: Self, of: impl Fn(float32x4_t, float32x4_t) -> float32x4_t) -> Self {
        Self(of(self.0, x.0), of(self.1, x.1))
    }
}

impl Words {
    /// As floats, of each half.
    #[inline(always)]
    fn each(self, of: impl Fn(uint32x4_t) -> float32x4_t) -> Pair {
        Pair(of(self.0), of(self.1))
    }
}

// SAFETY in all of these: every aarch64 has NEON, and the trait's callers pass pointers to as many elements.
impl Lanes for Pair {
    const LEN: usize = 8;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: see above.
        unsafe { Self(vdupq_n_f32(x), vdupq_n_f32(x)) }
    }
    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { Self(vld1q_f32(at), vld1q_f32(at.add(4))) }
    }
    #[inline(always)]
    unsafe fn load_first(at: *const f32, n: usize) -> Self {
        // SAFETY: see above.
        unsafe { Self::words_first(at.cast(), n).each(|half| vreinterpretq_f32_u32(half)) }
    }
    #[inline(always)]
    unsafe fn load_f16(at: *const u16) -> Self {
        // SAFETY: see above; the instructions widen four lanes of their input each.
        unsafe {
            let (low, high): (float32x4_t, float32x4_t);
            asm!(
                "fcvtl {low:v}.4s, {halves:v}.4h",
                "fcvtl2 {high:v}.4s, {halves:v}.8h",
                low = out(vreg) low,
                high = lateout(vreg) high,
                halves = in(vreg) vld1q_u16(at),
                options(pure, nomem, nostack, preserves_flags)
            );
            Self(low, high)
        }
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
            let (zero, upper) = (vdupq_n_u16(0), vld1q_u16(at));
            let words = [vzip1q_u16(zero, upper), vzip2q_u16(zero, upper)];
            let [low, high] = words.map(|words| vreinterpretq_f32_u16(words));
            Self(low, high)
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
        unsafe {
            vst1q_f32(at, self.0);
            vst1q_f32(at.add(4), self.1);
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, at: *mut f32, n: usize) {
        // SAFETY: see above.
        unsafe {
            if n < 4 {
                return store_first4(self.0, at, n);
            }
            vst1q_f32(at, self.0);
            store_first4(self.1, at.add(4), n - 4);
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, x: Self, sum: Self) -> Self {
        // SAFETY: see above.
        unsafe { Self(vfmaq_f32(sum.0, self.0, x.0), vfmaq_f32(sum.1, self.1, x.1)) }
    }
    #[inline(always)]
    unsafe fn mul(self, x: Self) -> Self {
        // SAFETY: see above.
        self.with(x, |a, b| unsafe { vmulq_f32(a, b) })
    }
    #[inline(always)]
    unsafe fn div(self, x: Self) -> Self {
        // SAFETY: see above.
        self.with(x, |a, b| unsafe { vdivq_f32(a, b) })
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: see above.
        unsafe { vaddvq_f32(vaddq_f32(self.0, self.1)) }
    }

    #[inline(always)]
    unsafe fn max(self, x: Self) -> Self {
        // The instruction for it would pass on what is no number of either side.
        // SAFETY: see above.
        self.with(x, |a, b| unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) })
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        // SAFETY: see above.
        self.each(|half| unsafe { vrndnq_f32(half) })
    }
    #[inline(always)]
    unsafe fn times_power(self, n: Self) -> Self {
        // SAFETY: see above.
        self.with(n, |x, n| unsafe {
            let exponent = vshlq_n_s32::<23>(vcvtq_s32_f32(n));
            vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(x), exponent))
        })
    }

    type Words = Words;
    #[inline(always)]
    unsafe fn words(at: *const u32) -> Words {
        // SAFETY: see above.
        unsafe { Words(vld1q_u32(at), vld1q_u32(at.add(4))) }
    }
    #[inline(always)]
    unsafe fn words_first(at: *const u32, n: usize) -> Words {
        // SAFETY: see above.
        unsafe {
            match n < 4 {
                true => Words(first4(at, n), vdupq_n_u32(0)),
                false => Words(vld1q_u32(at), first4(at.add(4), n - 4)),
            }
        }
    }
    #[inline(always)]
    unsafe fn codes<const BITS: usize>(words: Words, shift: usize) -> Self {
        // SAFETY: see above.
        words.each(|half| unsafe {
            let shifted = vshlq_u32(half, vdupq_n_s32(-(shift as i32)));
            vcvtq_f32_u32(vandq_u32(shifted, vdupq_n_u32((1 << BITS) - 1)))
        })
    }
    #[inline(always)]
    unsafe fn float4(words: Words, shift: usize) -> Self {
        // The exponent comes out too small by a constant, also that of the one subnormal number.
        // SAFETY: see above.
        words.each(|half| unsafe {
            let top = vreinterpretq_s32_u32(vshlq_u32(half, vdupq_n_s32(28 - shift as i32)));
            let bits = vandq_u32(vreinterpretq_u32_s32(vshrq_n_s32::<6>(top)), vdupq_n_u32(FLOAT4_BITS));
            vmulq_f32(vreinterpretq_f32_u32(bits), vdupq_n_f32(FLOAT4))
        })
    }
    #[inline(always)]
    unsafe fn float8(words: Words, shift: usize) -> Self {
        // SAFETY: see above.
        words.each(|half| unsafe {
            let top = vreinterpretq_s32_u32(vshlq_u32(half, vdupq_n_s32(24 - shift as i32)));
            let bits = vandq_u32(vreinterpretq_u32_s32(vshrq_n_s32::<4>(top)), vdupq_n_u32(FLOAT8_BITS));
            let most = vdupq_n_u32(FLOAT8_SIZE);
            let nan = vceqq_u32(vandq_u32(bits, most), most);
            let numbers = vmulq_f32(vreinterpretq_f32_u32(bits), vdupq_n_f32(FLOAT8));
            vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(numbers), nan))
        })
    }
    #[inline(always)]
    unsafe fn spread<const BITS: usize>(words: Words) -> Words {
        // SAFETY: see above.
        unsafe {
            let table = if BITS == 5 { &TWO_AND_A_HALF } else { &THREE_BYTES };
            let spread = bytes_at(words, [vld1q_u8(table[0].as_ptr()), vld1q_u8(table[1].as_ptr())]);
            if BITS == 5 {
                // Every second lane starts in the middle of a byte.
                let right = vld1q_s32([0, -4, 0, -4].as_ptr());
                return Words(vshlq_u32(spread.0, right), vshlq_u32(spread.1, right));
            }
            spread
        }
    }
    #[inline(always)]
    unsafe fn pick(self, index: Words) -> Self {
        // SAFETY: see above.
        unsafe {
            // Word i is bytes 4 i to 4 i + 3.
            let (four, bytes) = (vdupq_n_u32(0x0404_0404), vdupq_n_u32(0x0302_0100));
            let index = [index.0, index.1].map(|index| vreinterpretq_u8_u32(vmlaq_u32(bytes, index, four)));
            let lanes = Words(vreinterpretq_u32_f32(self.0), vreinterpretq_u32_f32(self.1));
            bytes_at(lanes, index).each(|half| vreinterpretq_f32_u32(half))
        }
    }

    #[inline(always)]
    unsafe fn transpose(square: &mut [Self; 16]) {
        // SAFETY: see above.
        unsafe {
            let [a, b, c, d, e, f, g, h] = std::array::from_fn(|i| square[i]);
            let [top_left, top_right] = [transpose4([a.0, b.0, c.0, d.0]), transpose4([a.1, b.1, c.1, d.1])];
            let [low_left, low_right] = [transpose4([e.0, f.0, g.0, h.0]), transpose4([e.1, f.1, g.1, h.1])];
            for i in 0..4 {
                square[i] = Self(top_left[i], low_left[i]);
                square[4 + i] = Self(top_right[i], low_right[i]);
            }
        }
    }
}
