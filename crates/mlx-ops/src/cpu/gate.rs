//! Activations: the gated one as a kernel, and the one of each element as others use it.

use super::pool::{self, Shared};
use super::simd::{self, Isa, Lanes};
use crate::{Activation, Tensor};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result};
use std::ffi::CStr;

/// Elements below which a second thread costs more than it saves.
const PARALLEL: usize = 64 * 1024;

/// `activation(gate) * x` where this module has a kernel for it: f32 of one shape on the CPU.
pub fn gated(activation: Activation, gate: &Array, x: &Array) -> Option<Result<Array>> {
    let typed = gate.dtype() == Dtype::F32 && x.dtype() == Dtype::F32;
    let fits = typed && gate.shape() == x.shape() && super::is_current();
    fits.then(|| super::one(Gate(activation), &[gate.clone(), x.clone()]))
}

#[derive(PartialEq)]
struct Gate(Activation);

impl Kernel for Gate {
    fn name(&self) -> &'static CStr {
        c"Gate"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(inputs[0].shape().to_vec(), Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let (gate, x) = (inputs[0].values::<f32>()?, inputs[1].values::<f32>()?);
        let out = outputs[0].values::<f32>()?;
        // SAFETY: parts of the range write disjoint elements.
        let to = unsafe { Shared::new(out.as_mut_ptr()) };
        pool::split(out.len(), 1024, out.len() >= PARALLEL, |range| {
            // SAFETY: the range lies in the output, and no other thread writes it.
            let out = unsafe { std::slice::from_raw_parts_mut(to.get().add(range.start), range.len()) };
            let part = Gated { activation: self.0, of: &gate[range.clone()], x: &x[range], out };
            // SAFETY: the instruction set is available; the slices have one length.
            unsafe { simd::run(Isa::best(), part) };
        });
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let [gate, x] = [0, 1].map(|i| Tensor(inputs[i].clone()));
        Ok(vec![(self.0.forward(&gate)? * x)?.0])
    }
}

/// `gate(of) * x` of each element.
pub struct Gated<'a> {
    pub activation: Activation,
    pub of: &'a [f32],
    pub x: &'a [f32],
    pub out: &'a mut [f32],
}

impl simd::Kernel for Gated<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller's.
        unsafe {
            match self.activation {
                Activation::Silu => self.each::<V, Silu>(),
                Activation::GeluTanh => self.each::<V, GeluTanh>(),
                Activation::Gelu => self.each::<V, Gelu>(),
                Activation::Relu => self.each::<V, Relu>(),
            }
        }
    }
}

impl Gated<'_> {
    /// # Safety
    /// As [`Lanes`].
    #[inline(always)]
    unsafe fn each<V: Lanes, A: Function>(self) {
        let (of, x, out) = (self.of.as_ptr(), self.x.as_ptr(), self.out.as_mut_ptr());
        let (n, whole) = (self.x.len(), self.x.len() - self.x.len() % V::LEN);
        // SAFETY: `at` stays within the slices, which have one length.
        unsafe {
            for at in (0..whole).step_by(V::LEN) {
                A::of(V::load(of.add(at))).mul(V::load(x.add(at))).store(out.add(at));
            }
            let rest = n - whole;
            let last = A::of(V::load_first(of.add(whole), rest)).mul(V::load_first(x.add(whole), rest));
            last.store_first(out.add(whole), rest);
        }
    }
}

/// `activation(x)` of each element, in place.
pub struct Activated<'a> {
    pub activation: Activation,
    pub x: &'a mut [f32],
}

impl simd::Kernel for Activated<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller's.
        unsafe {
            match self.activation {
                Activation::Silu => self.each::<V, Silu>(),
                Activation::GeluTanh => self.each::<V, GeluTanh>(),
                Activation::Gelu => self.each::<V, Gelu>(),
                Activation::Relu => self.each::<V, Relu>(),
            }
        }
    }
}

impl Activated<'_> {
    /// # Safety
    /// As [`Lanes`].
    #[inline(always)]
    unsafe fn each<V: Lanes, A: Function>(self) {
        let (x, n) = (self.x.as_mut_ptr(), self.x.len());
        let whole = n - n % V::LEN;
        // SAFETY: `at` stays within the slice.
        unsafe {
            for at in (0..whole).step_by(V::LEN) {
                A::of(V::load(x.add(at))).store(x.add(at));
            }
            A::of(V::load_first(x.add(whole), n - whole)).store_first(x.add(whole), n - whole);
        }
    }
}

/// A function of each lane.
trait Function {
    /// # Safety
    /// As [`Lanes`].
    unsafe fn of<V: Lanes>(x: V) -> V;
}

struct Silu;

impl Function for Silu {
    #[inline(always)]
    unsafe fn of<V: Lanes>(x: V) -> V {
        // SAFETY: the caller's.
        unsafe {
            let one = V::splat(1.0);
            let inverse = simd::exp(x.mul(V::splat(-1.0))).mul_add(one, one);
            // Far below zero the quotient would not vanish, since `exp` ends at 88.
            V::splat(-200.0).max(x).div(inverse)
        }
    }
}

/// `x / 2 * (1 + tanh(u))` with `u = sqrt(2 / pi) * (x + 0.044715 x^3)`, which is `x / (1 + exp(-2u))`.
struct GeluTanh;

impl Function for GeluTanh {
    #[inline(always)]
    unsafe fn of<V: Lanes>(x: V) -> V {
        const TWICE: f32 = 2.0 * 0.797_884_6;
        // SAFETY: the caller's.
        unsafe {
            let one = V::splat(1.0);
            // Below -20 the result is zero in f32, and the cube of what lies far below is not finite.
            let x = V::splat(-20.0).max(x);
            let slope = x.mul(x).mul_add(V::splat(-0.044715 * TWICE), V::splat(-TWICE));
            x.div(simd::exp(x.mul(slope)).mul_add(one, one))
        }
    }
}

/// `x * P(x)`, `P` the normal distribution's probability, as `max(x, 0) - |x| * P(-|x|)`.
///
/// The tail `P(-|x|)` is `exp(-x^2 / 2)` times a polynomial in `1 / (1 + p |x|)` (Abramowitz and Stegun 7.1.26), off by
/// less than 1e-7.
struct Gelu;

impl Function for Gelu {
    #[inline(always)]
    unsafe fn of<V: Lanes>(x: V) -> V {
        const P: f32 = 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2;
        // SAFETY: the caller's.
        unsafe {
            let (minus, one) = (V::splat(-1.0), V::splat(1.0));
            let size = x.mul(minus).max(x);
            // Beyond 20 the tail is zero in f32; infinity times zero would not be.
            let size = V::splat(-20.0).max(size.mul(minus)).mul(minus);
            let t = one.div(size.mul_add(V::splat(P), one));
            let mut sum = V::splat(0.5 * 1.061_405_4);
            for term in [-1.453_152, 1.421_413_8, -0.284_496_72, 0.254_829_6] {
                sum = sum.mul_add(t, V::splat(0.5 * term));
            }
            let tail = sum.mul(t).mul(simd::exp(size.mul(size).mul(V::splat(-0.5))));
            size.mul(minus).mul_add(tail, V::splat(0.0).max(x))
        }
    }
}

struct Relu;

impl Function for Relu {
    #[inline(always)]
    unsafe fn of<V: Lanes>(x: V) -> V {
        // SAFETY: the caller's.
        unsafe { V::splat(0.0).max(x) }
    }
}
