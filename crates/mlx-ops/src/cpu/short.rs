//! Floats of 16 bits in and out of kernels that compute in f32.

use super::simd::{self, Isa, Kernel, Lanes};
use mlx_core::kernel::{Input, Output};
use mlx_core::{Dtype, Element, Result, bf16, f16};
use std::borrow::Cow;

/// A float of 16 bits.
pub trait Short: Copy {
    const ZERO: Self;
    /// # Safety
    /// As [`Lanes`].
    unsafe fn load<V: Lanes>(at: *const Self) -> V;
}

impl Short for f16 {
    const ZERO: Self = f16::ZERO;
    #[inline(always)]
    unsafe fn load<V: Lanes>(at: *const Self) -> V {
        // SAFETY: the caller's.
        unsafe { V::load_f16(at.cast()) }
    }
}

impl Short for bf16 {
    const ZERO: Self = bf16::ZERO;
    #[inline(always)]
    unsafe fn load<V: Lanes>(at: *const Self) -> V {
        // SAFETY: the caller's.
        unsafe { V::load_bf16(at.cast()) }
    }
}

/// Widens to as many elements.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
pub unsafe fn widen<V: Lanes, T: Short>(from: &[T], to: &mut [f32]) {
    assert_eq!(from.len(), to.len());
    let whole = from.len() / V::LEN * V::LEN;
    // SAFETY: the caller has the instruction set; whole vectors lie in both slices, the rest in an array that is at least
    // a vector, and as many as are stored in `to`.
    unsafe {
        for at in (0..whole).step_by(V::LEN) {
            T::load::<V>(from.as_ptr().add(at)).store(to.as_mut_ptr().add(at));
        }
        let rest = &from[whole..];
        if !rest.is_empty() {
            let mut last = [T::ZERO; 16];
            last[..rest.len()].copy_from_slice(rest);
            T::load::<V>(last.as_ptr()).store_first(to.as_mut_ptr().add(whole), rest.len());
        }
    }
}

/// The elements of an input of 16 or 32 bits, as [`Input::values`].
pub fn read<'a>(input: &'a Input<'_>) -> Result<Cow<'a, [f32]>> {
    fn all<T: Element + Short>(input: &Input<'_>) -> Result<Cow<'static, [f32]>> {
        let from = input.values::<T>()?;
        let mut to = vec![0.0; from.len()];
        // SAFETY: this instruction set is available.
        unsafe { simd::run(Isa::best(), Widen(&from, &mut to)) };
        Ok(Cow::Owned(to))
    }
    match input.dtype() {
        Dtype::F16 => all::<f16>(input),
        Dtype::Bf16 => all::<bf16>(input),
        _ => input.values(),
    }
}

struct Widen<'a, 'b, T>(&'a [T], &'b mut [f32]);

impl<T: Short> Kernel for Widen<'_, '_, T> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller has the instruction set.
        unsafe { widen::<V, T>(self.0, self.1) }
    }
}

/// Computes an output of 16 or 32 bits, rounding once at the end.
pub fn write(output: &mut Output<'_>, compute: impl FnOnce(&mut [f32]) -> Result<()>) -> Result<()> {
    let mut wide = Vec::new();
    if output.dtype() != Dtype::F32 {
        wide.resize(output.shape().iter().map(|&dim| dim as usize).product(), 0.0);
    }
    match output.dtype() {
        Dtype::F16 => {
            compute(&mut wide)?;
            output.values::<f16>()?.iter_mut().zip(&wide).for_each(|(to, &x)| *to = f16::from_f32(x));
        }
        Dtype::Bf16 => {
            compute(&mut wide)?;
            output.values::<bf16>()?.iter_mut().zip(&wide).for_each(|(to, &x)| *to = bf16::from_f32(x));
        }
        _ => compute(output.values()?)?,
    }
    Ok(())
}
