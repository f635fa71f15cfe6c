//! Scales and biases as they lie in memory, and their widening.

use crate::cpu::short::widen;
use crate::cpu::simd::{Isa, Kernel, Lanes, float8, run};
use mlx_core::{bf16, f16};
use std::ops::Range;

/// A number for each group of a packed matrix.
#[derive(Clone, Copy)]
pub enum Scales<'a> {
    F32(&'a [f32]),
    F16(&'a [f16]),
    Bf16(&'a [bf16]),
    /// Powers of two, of modes `mxfp4` and `mxfp8`.
    E8m0(&'a [u8]),
    /// Small floats, of mode `nvfp4`.
    E4m3(&'a [u8]),
}

impl<'a> Scales<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        match self {
            Self::F32(all) => all.len(),
            Self::F16(all) => all.len(),
            Self::Bf16(all) => all.len(),
            Self::E8m0(all) | Self::E4m3(all) => all.len(),
        }
    }

    /// Where they are, and their bytes.
    pub fn bytes(self) -> (*const u8, usize) {
        match self {
            Self::F32(all) => (all.as_ptr().cast(), size_of_val(all)),
            Self::F16(all) => (all.as_ptr().cast(), size_of_val(all)),
            Self::Bf16(all) => (all.as_ptr().cast(), size_of_val(all)),
            Self::E8m0(all) | Self::E4m3(all) => (all.as_ptr(), all.len()),
        }
    }

    /// Those of some groups.
    pub fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::F32(all) => Self::F32(&all[range]),
            Self::F16(all) => Self::F16(&all[range]),
            Self::Bf16(all) => Self::Bf16(&all[range]),
            Self::E8m0(all) => Self::E8m0(&all[range]),
            Self::E4m3(all) => Self::E4m3(&all[range]),
        }
    }

    /// All of them as f32: in place where they are, else in `buffer`, which keeps its memory from call to call.
    ///
    /// # Safety
    /// As [`Lanes`].
    #[inline(always)]
    pub unsafe fn widened<'b, V: Lanes>(self, buffer: &'b mut Vec<f32>) -> &'b [f32]
    where
        'a: 'b,
    {
        if let Self::F32(all) = self {
            return all;
        }
        buffer.resize(self.len(), 0.0);
        // SAFETY: the caller's.
        unsafe { self.widen::<V>(buffer) };
        buffer
    }

    /// # Safety
    /// As [`Lanes`].
    #[inline(always)]
    unsafe fn widen<V: Lanes>(self, to: &mut [f32]) {
        /// A power of two by its exponent; MLX reads the least as a subnormal number.
        #[inline(always)]
        fn power(exponent: u8) -> f32 {
            f32::from_bits((u32::from(exponent) << 23).max(1 << 22))
        }
        // SAFETY: the caller has the instruction set.
        unsafe {
            match self {
                Self::F32(all) => to.copy_from_slice(all),
                Self::F16(all) => widen::<V, f16>(all, to),
                Self::Bf16(all) => widen::<V, bf16>(all, to),
                Self::E8m0(all) => to.iter_mut().zip(all).for_each(|(to, &code)| *to = power(code)),
                Self::E4m3(all) => to.iter_mut().zip(all).for_each(|(to, &code)| *to = float8(code)),
            }
        }
    }
}

/// Writes them as f32 in place of what `to` held.
pub fn widen_all(isa: Isa, scales: Scales<'_>, to: &mut Vec<f32>) {
    struct Widen<'a, 'b>(Scales<'a>, &'b mut [f32]);
    impl Kernel for Widen<'_, '_> {
        #[inline(always)]
        unsafe fn run<V: Lanes>(self) {
            // SAFETY: the caller has the instruction set.
            unsafe { self.0.widen::<V>(self.1) }
        }
    }
    to.resize(scales.len(), 0.0);
    // SAFETY: kernels are asked for with an instruction set that is available.
    unsafe { run(isa, Widen(scales, to)) };
}
