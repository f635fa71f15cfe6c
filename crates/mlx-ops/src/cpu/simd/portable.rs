//! The portable vector: what the compiler makes of plain arrays.

use super::{FLOAT4, Lanes, float8, per_word};
use mlx_core::f16;

/// The portable vector: as wide as two NEON registers.
#[derive(Clone, Copy)]
pub struct Array([f32; 8]);

impl Lanes for Array {
    const LEN: usize = 8;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; 8])
    }
    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: the caller passes eight readable elements.
        Self(unsafe { at.cast::<[f32; 8]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_first(at: *const f32, n: usize) -> Self {
        let mut lanes = [0.0; 8];
        for (i, lane) in lanes.iter_mut().enumerate().take(n) {
            // SAFETY: the caller passes n readable elements.
            *lane = unsafe { *at.add(i) };
        }
        Self(lanes)
    }
    #[inline(always)]
    unsafe fn load_f16(at: *const u16) -> Self {
        // SAFETY: the caller passes eight readable elements.
        Self(unsafe { at.cast::<[u16; 8]>().read_unaligned() }.map(|x| f16::from_bits(x).to_f32()))
    }
    #[inline(always)]
    unsafe fn load_f16_first(at: *const u16, n: usize) -> Self {
        // SAFETY: the caller's; eight elements are at least n.
        unsafe { Self::load_f16(first(at, n).as_ptr()) }
    }
    #[inline(always)]
    unsafe fn load_bf16(at: *const u16) -> Self {
        // SAFETY: the caller passes eight readable elements.
        Self(unsafe { at.cast::<[u16; 8]>().read_unaligned() }.map(|x| f32::from_bits(u32::from(x) << 16)))
    }
    #[inline(always)]
    unsafe fn load_bf16_first(at: *const u16, n: usize) -> Self {
        // SAFETY: the caller's; eight elements are at least n.
        unsafe { Self::load_bf16(first(at, n).as_ptr()) }
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut f32) {
        // SAFETY: the caller passes eight writable elements.
        unsafe { at.cast::<[f32; 8]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn store_first(self, at: *mut f32, n: usize) {
        for (i, lane) in self.0.iter().enumerate().take(n) {
            // SAFETY: the caller passes n writable elements.
            unsafe { *at.add(i) = *lane };
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, x: Self, sum: Self) -> Self {
        Self(std::array::from_fn(|i| fused(self.0[i], x.0[i], sum.0[i])))
    }
    #[inline(always)]
    unsafe fn mul(self, x: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] * x.0[i]))
    }
    #[inline(always)]
    unsafe fn div(self, x: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] / x.0[i]))
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }

    #[inline(always)]
    unsafe fn max(self, x: Self) -> Self {
        Self(std::array::from_fn(|i| if self.0[i] > x.0[i] { self.0[i] } else { x.0[i] }))
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        // Beyond 2^23 a float has no fraction: the addition rounds. The library's function would not become vectors.
        const BIG: f32 = 12_582_912.0;
        Self(self.0.map(|x| (x + BIG) - BIG))
    }
    #[inline(always)]
    unsafe fn times_power(self, n: Self) -> Self {
        Self(std::array::from_fn(|i| {
            let exponent = (n.0[i] as i32) << 23;
            f32::from_bits(self.0[i].to_bits().wrapping_add(exponent as u32))
        }))
    }

    type Words = [u32; 8];
    #[inline(always)]
    unsafe fn words(at: *const u32) -> [u32; 8] {
        // SAFETY: the caller passes eight readable words.
        unsafe { at.cast::<[u32; 8]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn words_first(at: *const u32, n: usize) -> [u32; 8] {
        let mut words = [0; 8];
        for (i, word) in words.iter_mut().enumerate().take(n) {
            // SAFETY: the caller passes n readable words.
            *word = unsafe { *at.add(i) };
        }
        words
    }
    #[inline(always)]
    unsafe fn codes<const BITS: usize>(words: [u32; 8], shift: usize) -> Self {
        Self(words.map(|word| ((word >> shift) & ((1 << BITS) - 1)) as i32 as f32))
    }
    #[inline(always)]
    unsafe fn float4(words: [u32; 8], shift: usize) -> Self {
        Self(words.map(|word| FLOAT4[(word >> shift) as usize % 16]))
    }
    #[inline(always)]
    unsafe fn float8(words: [u32; 8], shift: usize) -> Self {
        Self(words.map(|word| float8((word >> shift) as u8)))
    }
    #[inline(always)]
    unsafe fn spread<const BITS: usize>(words: [u32; 8]) -> [u32; 8] {
        std::array::from_fn(|lane| {
            let bit = lane * per_word(BITS) * BITS;
            let pair = u64::from(words[bit / 32]) | u64::from(words[bit / 32 + 1]) << 32;
            (pair >> (bit % 32)) as u32
        })
    }
    #[inline(always)]
    unsafe fn pick(self, index: [u32; 8]) -> Self {
        Self(index.map(|i| self.0[i as usize % 8]))
    }

    #[inline(always)]
    unsafe fn transpose(square: &mut [Self; 16]) {
        let rows: [[f32; 8]; 8] = std::array::from_fn(|i| square[i].0);
        for (j, column) in square.iter_mut().enumerate().take(8) {
            *column = Self(std::array::from_fn(|i| rows[i][j]));
        }
    }
}

/// The first `n <= 8` elements, then zeros.
///
/// # Safety
/// `at` leads to as many.
#[inline(always)]
pub unsafe fn first(at: *const u16, n: usize) -> [u16; 8] {
    let mut lanes = [0; 8];
    for (i, lane) in lanes.iter_mut().enumerate().take(n) {
        // SAFETY: the caller passes n readable elements.
        *lane = unsafe { *at.add(i) };
    }
    lanes
}

/// Fused where the baseline instruction set has it: elsewhere `mul_add` would be a call of the C library.
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(target_arch = "aarch64") { a.mul_add(b, c) } else { a * b + c }
}
