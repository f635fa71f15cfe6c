//! Divisors of integers.

use super::FEW;
use crate::kernel::{self, Input, Kernel, Output};
use crate::{Array, Device, Dtype, Element, Error, Result, ops};
use std::ffi::CStr;

/// `b`, or an error now or when it is computed where it holds a zero, or -1 under the least number, and both are integers.
#[track_caller]
pub fn divisor(name: &'static CStr, a: &Array, b: &Array) -> Result<Array> {
    let dtype = a.dtype().promote(b.dtype());
    let divides = !dtype.is_float() && dtype != Dtype::Complex64;
    if !divides || a.size() == 0 || b.size() == 0 || Device::current()? != Device::Cpu {
        return Ok(b.clone());
    }
    // The kernel knows no booleans.
    let integer = if dtype == Dtype::Bool { Dtype::U8 } else { dtype };
    if b.is_available() && b.size() <= FEW {
        let values = ops::astype(b, Dtype::I64)?.to_vec::<i64>()?;
        if values.contains(&0) {
            return Err(Error::new(by_zero(name)));
        }
        if !values.contains(&-1) {
            return Ok(b.clone());
        }
    }
    let pair = ops::broadcast_arrays(&[ops::astype(b, integer)?, ops::astype(a, integer)?]);
    // Shapes that do not broadcast are MLX's to reject.
    let Ok(pair) = pair else { return Ok(b.clone()) };
    ops::astype(&kernel::apply(Divisor(name), &pair)?.remove(0), dtype)
}

fn by_zero(name: &CStr) -> String {
    format!("[{}] an integer is divided by zero", name.to_string_lossy())
}

/// The first input, whose second one it divides.
#[derive(PartialEq)]
struct Divisor(&'static CStr);

impl Kernel for Divisor {
    fn name(&self) -> &'static CStr {
        c"Divisor"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(inputs[0].shape().to_vec(), inputs[0].dtype())])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        match inputs[0].dtype() {
            Dtype::U8 => self.check(inputs, &mut outputs[0], 0u8, 1, None),
            Dtype::U16 => self.check(inputs, &mut outputs[0], 0u16, 1, None),
            Dtype::U32 => self.check(inputs, &mut outputs[0], 0u32, 1, None),
            Dtype::U64 => self.check(inputs, &mut outputs[0], 0u64, 1, None),
            Dtype::I8 => self.check(inputs, &mut outputs[0], 0i8, 1, Some((-1, i8::MIN))),
            Dtype::I16 => self.check(inputs, &mut outputs[0], 0i16, 1, Some((-1, i16::MIN))),
            Dtype::I32 => self.check(inputs, &mut outputs[0], 0i32, 1, Some((-1, i32::MIN))),
            _ => self.check(inputs, &mut outputs[0], 0i64, 1, Some((-1, i64::MIN))),
        }
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].clone()])
    }
}

impl Divisor {
    /// Copies the divisors; `overflow` is -1 and the number that it must not divide.
    fn check<T: Element + PartialEq>(
        &self,
        inputs: &[Input<'_>],
        output: &mut Output<'_>,
        zero: T,
        one: T,
        overflow: Option<(T, T)>,
    ) -> Result<()> {
        let (divisors, numbers) = (inputs[0].values::<T>()?, inputs[1].values::<T>()?);
        let to = output.values::<T>()?;
        to.copy_from_slice(&divisors);
        let pairs = || divisors.iter().zip(numbers.iter());
        let error = if pairs().any(|(&by, _)| by == zero) {
            by_zero(self.0)
        } else if overflow.is_some_and(|(minus_one, least)| pairs().any(|(&by, &n)| by == minus_one && n == least)) {
            format!("[{}] the least integer divided by -1 is no integer of its type", self.0.to_string_lossy())
        } else {
            return Ok(());
        };
        // What follows runs all the same, so it divides by something that it can.
        to.fill(one);
        Err(Error::new(error))
    }
}
