//! What the codes of a packed matrix mean, and how they come out of its words.

use crate::cpu::simd::{Lanes, per_word};

/// One kind of code.
pub trait Format {
    /// Bits of a code. Those of 2, 4 and 8 bits fill words; those of 3, 5 and 6 bits run across them.
    const BITS: usize;
    /// Whether an element is `scale * number + bias`, else `scale * number`.
    const BIASED: bool;
    /// Codes that a lane holds.
    const PER_WORD: usize = per_word(Self::BITS);

    /// The numbers that the codes from bit `shift` on stand for.
    ///
    /// # Safety
    /// As [`Lanes`].
    unsafe fn numbers<V: Lanes>(words: V::Words, shift: usize) -> V;

    /// The words that hold the codes of the first `lanes` lanes.
    ///
    /// # Safety
    /// As [`Lanes`], and the words that hold them can be read.
    #[inline(always)]
    unsafe fn words<V: Lanes>(at: *const u32, lanes: usize) -> V::Words {
        // SAFETY: the caller's.
        unsafe {
            match (Self::BITS, lanes == V::LEN) {
                (3, _) => V::spread::<3>(V::words_first(at, Self::filled(lanes))),
                (5, _) => V::spread::<5>(V::words_first(at, Self::filled(lanes))),
                (6, _) => V::spread::<6>(V::words_first(at, Self::filled(lanes))),
                (_, true) => V::words(at),
                (_, false) => V::words_first(at, lanes),
            }
        }
    }

    /// Words that so many lanes' codes fill in memory.
    #[inline(always)]
    fn filled(lanes: usize) -> usize {
        lanes * Self::PER_WORD * Self::BITS / 32
    }
}

/// Whole numbers of mode `affine`.
pub struct Whole<const BITS: usize>;

impl<const BITS: usize> Format for Whole<BITS> {
    const BITS: usize = BITS;
    const BIASED: bool = true;
    #[inline(always)]
    unsafe fn numbers<V: Lanes>(words: V::Words, shift: usize) -> V {
        // SAFETY: the caller's.
        unsafe { V::codes::<BITS>(words, shift) }
    }
}

/// Floats of modes `mxfp4` and `nvfp4`.
pub struct Float4;

impl Format for Float4 {
    const BITS: usize = 4;
    const BIASED: bool = false;
    #[inline(always)]
    unsafe fn numbers<V: Lanes>(words: V::Words, shift: usize) -> V {
        // SAFETY: the caller's.
        unsafe { V::float4(words, shift) }
    }
}

/// Floats of mode `mxfp8`.
pub struct Float8;

impl Format for Float8 {
    const BITS: usize = 8;
    const BIASED: bool = false;
    #[inline(always)]
    unsafe fn numbers<V: Lanes>(words: V::Words, shift: usize) -> V {
        // SAFETY: the caller's.
        unsafe { V::float8(words, shift) }
    }
}
