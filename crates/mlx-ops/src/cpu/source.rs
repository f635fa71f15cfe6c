//! Where a product finds its matrix: floats of 32 bits, or of 16 that widen in registers.

use super::simd::{self, Lanes};

/// Bytes of a cache line.
const LINE: usize = 64;

/// The elements of a matrix, read as vectors of `f32`.
pub trait Source: Copy {
    /// The elements from the `n`-th on.
    fn skip(self, n: usize) -> Self;

    /// Asks for the first `n` elements in the second-level cache.
    fn prefetch(self, n: usize);

    /// `V::LEN` elements.
    ///
    /// # Safety
    /// As many can be read, and the processor has the instruction set of `V`.
    unsafe fn load<V: Lanes>(self) -> V;

    /// The first `n <= V::LEN` elements, then zeros.
    ///
    /// # Safety
    /// As [`Source::load`], for `n` elements.
    unsafe fn load_first<V: Lanes>(self, n: usize) -> V;
}

impl Source for *const f32 {
    #[inline(always)]
    fn skip(self, n: usize) -> Self {
        self.wrapping_add(n)
    }
    #[inline(always)]
    fn prefetch(self, n: usize) {
        (0..n).step_by(LINE / 4).for_each(|at| simd::prefetch(self.wrapping_add(at)));
    }
    #[inline(always)]
    unsafe fn load<V: Lanes>(self) -> V {
        // SAFETY: the caller's.
        unsafe { V::load(self) }
    }
    #[inline(always)]
    unsafe fn load_first<V: Lanes>(self, n: usize) -> V {
        // SAFETY: the caller's.
        unsafe { V::load_first(self, n) }
    }
}

/// The bits of IEEE half precision.
#[derive(Clone, Copy)]
pub struct F16(pub *const u16);

impl Source for F16 {
    #[inline(always)]
    fn skip(self, n: usize) -> Self {
        Self(self.0.wrapping_add(n))
    }
    #[inline(always)]
    fn prefetch(self, n: usize) {
        (0..n).step_by(LINE / 2).for_each(|at| simd::prefetch(self.0.wrapping_add(at)));
    }
    #[inline(always)]
    unsafe fn load<V: Lanes>(self) -> V {
        // SAFETY: the caller's.
        unsafe { V::load_f16(self.0) }
    }
    #[inline(always)]
    unsafe fn load_first<V: Lanes>(self, n: usize) -> V {
        // SAFETY: the caller's.
        unsafe { V::load_f16_first(self.0, n) }
    }
}

/// The bits of bfloat16.
#[derive(Clone, Copy)]
pub struct Bf16(pub *const u16);

impl Source for Bf16 {
    #[inline(always)]
    fn skip(self, n: usize) -> Self {
        Self(self.0.wrapping_add(n))
    }
    #[inline(always)]
    fn prefetch(self, n: usize) {
        (0..n).step_by(LINE / 2).for_each(|at| simd::prefetch(self.0.wrapping_add(at)));
    }
    #[inline(always)]
    unsafe fn load<V: Lanes>(self) -> V {
        // SAFETY: the caller's.
        unsafe { V::load_bf16(self.0) }
    }
    #[inline(always)]
    unsafe fn load_first<V: Lanes>(self, n: usize) -> V {
        // SAFETY: the caller's.
        unsafe { V::load_bf16_first(self.0, n) }
    }
}
