//! Where kernels find numbers: floats of 32 bits, or of 16 that widen in registers.

use super::simd::{self, Lanes};
use mlx_core::{Element, bf16, f16};

/// Bytes of a cache line.
const LINE: usize = 64;

/// A float that is read as `f32`.
pub trait Float: Element + Sync {
    /// `V::LEN` elements.
    ///
    /// # Safety
    /// As many can be read, and the processor has the instruction set of `V`.
    unsafe fn load<V: Lanes>(at: *const Self) -> V;

    /// The first `n <= V::LEN` elements, then zeros.
    ///
    /// # Safety
    /// As [`Float::load`], for `n` elements.
    unsafe fn load_first<V: Lanes>(at: *const Self, n: usize) -> V;
}

macro_rules! float {
    ($type:ty, $load:ident, $load_first:ident) => {
        impl Float for $type {
            #[inline(always)]
            unsafe fn load<V: Lanes>(at: *const Self) -> V {
                // SAFETY: the caller's.
                unsafe { V::$load(at.cast()) }
            }
            #[inline(always)]
            unsafe fn load_first<V: Lanes>(at: *const Self, n: usize) -> V {
                // SAFETY: the caller's.
                unsafe { V::$load_first(at.cast(), n) }
            }
        }
    };
}
float!(f32, load, load_first);
float!(f16, load_f16, load_f16_first);
float!(bf16, load_bf16, load_bf16_first);

/// Asks for the first `n` elements in the second-level cache.
#[inline(always)]
pub fn ask<T>(at: *const T, n: usize) {
    (0..n).step_by(LINE / size_of::<T>()).for_each(|i| simd::prefetch(at.wrapping_add(i)));
}
