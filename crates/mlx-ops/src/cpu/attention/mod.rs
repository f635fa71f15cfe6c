//! Attention as one kernel: scores of a block stay in cache, and what a mask hides from a whole block is not computed.

mod dots;
mod plan;
mod problem;
#[cfg(test)]
mod tests;
mod tile;

use super::rows::Rows;
use super::simd::Isa;
use crate::Tensor;
use crate::attention::{self as graph, Attention, Mask};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, ops};
use std::borrow::Cow;
use std::ffi::CStr;

pub use problem::{Heads, Masking, Problem};

/// Attention where this module has a kernel for it: f32, f16 or bf16 on the CPU, shapes and dtypes as MLX wants them.
///
/// Sixteen-bit arrays are widened and the result narrowed.
#[track_caller]
pub fn attention(q: &Array, k: &Array, v: &Array, how: &Attention<'_>) -> Option<Result<Array>> {
    let (&[b, h, l, d], &[bk, kv, s, dk], &[bv, kv_v, sv, _]) = (q.shape(), k.shape(), v.shape()) else { return None };
    let dtype = q.dtype();
    let typed = [Dtype::F32, Dtype::F16, Dtype::Bf16].contains(&dtype) && k.dtype() == dtype && v.dtype() == dtype;
    let same = (b, d) == (bk, dk) && (b, kv, s) == (bv, kv_v, sv);
    let ordered = matches!(how.mask, Mask::Causal) || how.window.is_some();
    let shaped = kv > 0 && h % kv == 0 && s > 0 && (!ordered || l <= s);
    // MLX rejects masks and sinks that do not become the dtype of the rest.
    let becomes = |other: Dtype| other == dtype || dtype == Dtype::F32 && other.is_float() && other.size() <= 4;
    let mask = if let Mask::Tensor(mask) = how.mask { Some(mask.as_array()) } else { None };
    let masked = mask.is_none_or(|mask| {
        let fits = mask.shape().iter().rev().zip([s, l, h, b]).all(|(&size, to)| size == 1 || size == to);
        mask.ndim() <= 4 && fits && (mask.dtype() == Dtype::Bool || becomes(mask.dtype()))
    });
    let sinks = how.sinks.map(Tensor::as_array);
    let sunk = sinks.is_none_or(|sinks| sinks.shape() == [h] && becomes(sinks.dtype()));
    let fits = typed && same && shaped && masked && sunk && super::is_current();
    let Attention { scale, window, softcap, .. } = *how;
    let causal = matches!(how.mask, Mask::Causal);
    let kernel = Fused { scale, causal, window, softcap, mask: mask.is_some(), sinks: sinks.is_some() };
    let widen = |array: &Array| match array.dtype() {
        Dtype::F32 | Dtype::Bool => Ok(array.clone()),
        _ => ops::astype(array, Dtype::F32),
    };
    fits.then(|| {
        let inputs = [Some(q), Some(k), Some(v), mask, sinks];
        let inputs: Vec<Array> = inputs.into_iter().flatten().map(widen).collect::<Result<_>>()?;
        let out = super::one(kernel, &inputs)?;
        if dtype == Dtype::F32 { Ok(out) } else { ops::astype(&out, dtype) }
    })
}

#[derive(PartialEq)]
struct Fused {
    scale: f32,
    causal: bool,
    window: Option<i32>,
    softcap: Option<f32>,
    /// Whether the input after the values is a mask.
    mask: bool,
    /// Whether the last input is that of the sinks.
    sinks: bool,
}

impl Kernel for Fused {
    fn name(&self) -> &'static CStr {
        c"Attention"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let mut shape = inputs[0].shape().to_vec();
        if let (Some(to), Some(&from)) = (shape.last_mut(), inputs[2].shape().last()) {
            *to = from;
        }
        Ok(vec![(shape, Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let (&[b, h, l, d], &[_, kv, s, dv]) = (inputs[0].shape(), inputs[2].shape()) else { return Ok(()) };
        let [b, h, l, d, kv, s, dv] = [b, h, l, d, kv, s, dv].map(|dim| dim as usize);
        let rows = [Rows::new(&inputs[0])?, Rows::new(&inputs[1])?, Rows::new(&inputs[2])?];
        let [q, k, v] =
            rows.each_ref().map(|rows| Heads { at: rows.at(&[]), strides: [0, 1, 2].map(|i| rows.stride(i)) });
        let held = if self.mask { Some(HeldMask::new(&inputs[3])?) } else { None };
        let mask = match &held {
            Some(held) => held.masking,
            None if self.causal => Masking::Causal,
            None => Masking::None,
        };
        let sinks = if self.sinks { Some(inputs[inputs.len() - 1].values::<f32>()?) } else { None };
        let out = outputs[0].values::<f32>()?.as_mut_ptr();
        let problem = Problem {
            b,
            h,
            kv,
            l,
            s,
            d,
            dv,
            q,
            k,
            v,
            out,
            out_strides: [h * l * dv, l * dv, dv],
            scale: self.scale,
            softcap: self.softcap,
            mask,
            window: self.window.map(|window| window as usize),
            sinks: sinks.as_deref(),
        };
        // SAFETY: the arrays have these sizes and strides, as `attention` checked; the output is the kernel's alone.
        unsafe { problem.compute(Isa::best()) };
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let inputs: Vec<Tensor> = inputs.iter().cloned().map(Tensor::from).collect();
        let mask = match self.causal {
            true => Mask::Causal,
            false if self.mask => Mask::Tensor(&inputs[3]),
            false => Mask::None,
        };
        let Self { scale, window, softcap, .. } = *self;
        let how = Attention { scale, mask, window, softcap, sinks: inputs.last().filter(|_| self.sinks) };
        Ok(vec![graph::by_ops(&inputs[0], &inputs[1], &inputs[2], &how)?.into()])
    }
}

/// A mask in place, or a copy of one that does not lie forward.
struct HeldMask<'a> {
    masking: Masking,
    // Keeps a copy that the mask leads to.
    _copy: (Cow<'a, [bool]>, Cow<'a, [f32]>),
}

impl<'a> HeldMask<'a> {
    fn new(input: &'a Input<'_>) -> Result<Self> {
        let boolean = input.dtype() == Dtype::Bool;
        let forward = input.strides().iter().all(|&stride| stride >= 0);
        let in_place = forward && (boolean || input.as_ptr::<f32>()?.is_aligned());
        let (shape, mut strides, mut next) = (input.shape(), [0; 4], 1);
        for (axis, to) in (0..shape.len()).rev().zip(strides.iter_mut().rev()) {
            // A single element serves all.
            if shape[axis] != 1 {
                *to = if in_place { input.strides()[axis] as usize } else { next };
            }
            next *= shape[axis] as usize;
        }
        let mut copy: (Cow<[bool]>, Cow<[f32]>) = (Cow::Borrowed(&[]), Cow::Borrowed(&[]));
        let masking = match (boolean, in_place) {
            (true, true) => Masking::Bool { at: input.as_ptr::<bool>()?.cast(), strides },
            (false, true) => Masking::Add { at: input.as_ptr()?, strides },
            (true, false) => {
                copy.0 = input.values()?;
                Masking::Bool { at: copy.0.as_ptr().cast(), strides }
            }
            (false, false) => {
                copy.1 = input.values()?;
                Masking::Add { at: copy.1.as_ptr(), strides }
            }
        };
        Ok(Self { masking, _copy: copy })
    }
}
