//! Normalisation of rows as one kernel; MLX's CPU backend builds it of eight ops or more.

use super::pool::{self, Shared};
use super::rows::Rows;
use super::simd::{self, Isa, Lanes};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, fast, ops};
use std::ffi::CStr;

/// Elements below which a second thread costs more than it saves.
const PARALLEL: usize = 256 * 1024;

/// `x / sqrt(mean(x^2) + eps) * weight` where this module has a kernel for it: f32, f16 or bf16 rows of one dtype on the CPU.
#[track_caller]
pub fn rms_norm(x: &Array, weight: Option<&Array>, eps: f32) -> Option<Result<Array>> {
    normalized(x, Norm { eps, centered: false, weight: weight.is_some(), bias: false }, [weight, None])
}

/// `(x - mean(x)) / sqrt(var(x) + eps) * weight + bias`, as [`rms_norm`].
#[track_caller]
pub fn layer_norm(x: &Array, weight: Option<&Array>, bias: Option<&Array>, eps: f32) -> Option<Result<Array>> {
    normalized(x, Norm { eps, centered: true, weight: weight.is_some(), bias: bias.is_some() }, [weight, bias])
}

#[track_caller]
fn normalized(x: &Array, norm: Norm, learned: [Option<&Array>; 2]) -> Option<Result<Array>> {
    let dtype = x.dtype();
    let width = x.shape().last().copied().filter(|&width| width > 0)?;
    let typed = [Dtype::F32, Dtype::F16, Dtype::Bf16].contains(&dtype);
    let fit = learned.iter().flatten().all(|row| row.dtype() == dtype && row.shape() == [width]);
    (typed && fit && super::is_current()).then(|| {
        let inputs = [Some(x), learned[0], learned[1]].into_iter().flatten();
        if dtype == Dtype::F32 {
            return super::one(norm, &inputs.cloned().collect::<Vec<_>>());
        }
        let wide: Vec<Array> = inputs.map(|array| ops::astype(array, Dtype::F32)).collect::<Result<_>>()?;
        ops::astype(&super::one(norm, &wide)?, dtype)
    })
}

#[derive(PartialEq)]
struct Norm {
    eps: f32,
    /// Whether the mean is taken away first.
    centered: bool,
    weight: bool,
    bias: bool,
}

impl Norm {
    /// The weight and the bias among the inputs.
    fn learned<'a, T>(&self, inputs: &'a [T]) -> [Option<&'a T>; 2] {
        let mut rest = inputs[1..].iter();
        [self.weight, self.bias].map(|given| if given { rest.next() } else { None })
    }
}

impl Kernel for Norm {
    fn name(&self) -> &'static CStr {
        if self.centered { c"LayerNorm" } else { c"RmsNorm" }
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(inputs[0].shape().to_vec(), Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let x = Rows::new(&inputs[0])?;
        let [weight, bias] = self.learned(inputs).map(|input| input.map(Input::values::<f32>).transpose());
        let (weight, bias) = (weight?, bias?);
        let (out, width) = (outputs[0].values::<f32>()?, x.width());
        // SAFETY: parts of the range of rows write disjoint rows.
        let to = unsafe { Shared::new(out.as_mut_ptr()) };
        pool::split(out.len() / width, 1, out.len() >= PARALLEL, |rows| {
            for row in rows {
                // SAFETY: the row lies in the output, and no other thread writes it.
                let out = unsafe { std::slice::from_raw_parts_mut(to.get().add(row * width), width) };
                let (weight, bias) = (weight.as_deref(), bias.as_deref());
                let row = Row { x: x.nth(row), weight, bias, eps: self.eps, centered: self.centered, out };
                // SAFETY: the instruction set is available; the slices have one length.
                unsafe { simd::run(Isa::best(), row) };
            }
        });
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let [weight, bias] = self.learned(inputs);
        Ok(vec![match self.centered {
            true => fast::layer_norm(&inputs[0], weight, bias, self.eps)?,
            false => fast::rms_norm(&inputs[0], weight, self.eps)?,
        }])
    }
}

/// One row.
pub struct Row<'a> {
    pub x: &'a [f32],
    pub weight: Option<&'a [f32]>,
    pub bias: Option<&'a [f32]>,
    pub eps: f32,
    /// Whether the mean is taken off first.
    pub centered: bool,
    pub out: &'a mut [f32],
}

impl<'a> Row<'a> {
    /// Root-mean-square normalisation.
    pub fn rms(x: &'a [f32], weight: &'a [f32], eps: f32, out: &'a mut [f32]) -> Self {
        Self { x, weight: Some(weight), bias: None, eps, centered: false, out }
    }
}

impl simd::Kernel for Row<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let (n, x, out) = (self.x.len(), self.x.as_ptr(), self.out.as_mut_ptr());
        let whole = n - n % V::LEN;
        // SAFETY: `at` stays within the slices, which have one length; sixteen elements are at least a vector.
        unsafe {
            let (one, rest) = (V::splat(1.0), n - whole);
            let last = V::load_first(x.add(whole), rest);
            let mut mean = 0.0;
            if self.centered {
                let mut sum = last;
                for at in (0..whole).step_by(V::LEN) {
                    sum = V::load(x.add(at)).mul_add(one, sum);
                }
                mean = sum.sum() / n as f32;
            }
            let less = V::splat(-mean);
            // Lanes beyond the row stay 0.
            let last = V::load_first([-mean; 16].as_ptr(), rest).mul_add(one, last);
            let mut sum = last.mul(last);
            for at in (0..whole).step_by(V::LEN) {
                let x = V::load(x.add(at)).mul_add(one, less);
                sum = x.mul_add(x, sum);
            }
            let scale = V::splat(1.0 / (sum.sum() / n as f32 + self.eps).sqrt());
            let (weight, bias) = (self.weight.map(<[f32]>::as_ptr), self.bias.map(<[f32]>::as_ptr));
            for at in (0..whole).step_by(V::LEN) {
                let mut y = V::load(x.add(at)).mul_add(one, less).mul(scale);
                if let Some(weight) = weight {
                    y = y.mul(V::load(weight.add(at)));
                }
                if let Some(bias) = bias {
                    y = y.mul_add(one, V::load(bias.add(at)));
                }
                y.store(out.add(at));
            }
            let mut y = last.mul(scale);
            if let Some(weight) = weight {
                y = y.mul(V::load_first(weight.add(whole), rest));
            }
            if let Some(bias) = bias {
                y = y.mul_add(one, V::load_first(bias.add(whole), rest));
            }
            y.store_first(out.add(whole), rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::noise;
    use super::*;

    #[track_caller]
    fn check(isa: Isa, n: usize, centered: bool, [weight, bias]: [bool; 2]) {
        let values = || noise(&[n as i32]).to_vec::<f32>().unwrap();
        // Far from 0, where a variance by squares alone would be lost.
        let x: Vec<f32> = values().iter().map(|x| x + 40.0).collect();
        let (w, b, mut out) = (values(), values(), vec![f32::NAN; n]);
        let (weight, bias) = (weight.then_some(&w[..]), bias.then_some(&b[..]));
        // SAFETY: the instruction set is available; the slices have one length.
        unsafe { simd::run(isa, Row { x: &x, weight, bias, eps: 1e-3, centered, out: &mut out }) };
        let mean = if centered { x.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64 } else { 0.0 };
        let square = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n as f64;
        for i in 0..n {
            let normal = (f64::from(x[i]) - mean) / (square + 1e-3).sqrt();
            let want = normal * weight.map_or(1.0, |w| f64::from(w[i])) + bias.map_or(0.0, |b| f64::from(b[i]));
            let error = (f64::from(out[i]) - want).abs();
            assert!(error < 2e-4, "{isa:?} {n} {centered}: element {i} is {}, not {want}", out[i]);
        }
    }

    #[test]
    fn agrees_with_f64() {
        for isa in Isa::available() {
            for n in [1, 5, 8, 16, 17, 33, 100, 576] {
                for learned in [[false, false], [true, false], [false, true], [true, true]] {
                    check(isa, n, true, learned);
                    check(isa, n, false, learned);
                }
            }
        }
    }
}
