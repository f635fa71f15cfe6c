//! Floats of 16 bits in and out of kernels that compute in f32.

use super::simd::{self, Isa, Kernel, Lanes};
use super::source::Float;
use mlx_core::kernel::{Input, Output};
use mlx_core::{Dtype, Result, bf16, f16};
use std::borrow::Cow;

/// Widens to as many elements.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
pub unsafe fn widen<V: Lanes, T: Float>(from: &[T], to: &mut [f32]) {
    assert_eq!(from.len(), to.len());
    let whole = from.len() / V::LEN * V::LEN;
    // SAFETY: the caller has the instruction set; whole vectors and the rest lie in both slices.
    unsafe {
        for at in (0..whole).step_by(V::LEN) {
            T::load::<V>(from.as_ptr().add(at)).store(to.as_mut_ptr().add(at));
        }
        let rest = from.len() - whole;
        if rest > 0 {
            T::load_first::<V>(from.as_ptr().add(whole), rest).store_first(to.as_mut_ptr().add(whole), rest);
        }
    }
}

/// The elements of an input of 16 or 32 bits, as [`Input::values`].
pub fn read<'a>(input: &'a Input<'_>) -> Result<Cow<'a, [f32]>> {
    fn all<T: Float>(input: &Input<'_>) -> Result<Cow<'static, [f32]>> {
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

impl<T: Float> Kernel for Widen<'_, '_, T> {
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
