//! What LAPACK takes.

use super::filled;
use crate::kernel::{self, Input, Kernel, Output};
use crate::{Array, Device, Dtype, Element, Error, Result};
use std::ffi::CStr;

/// `a`, or an error now where it has no elements, or when it is computed where one is NaN or infinite.
#[track_caller]
pub fn finite(name: &'static CStr, a: &Array) -> Result<Array> {
    filled(&name.to_string_lossy(), &[a])?;
    if !matches!(a.dtype(), Dtype::F32 | Dtype::F64 | Dtype::Complex64) || Device::current()? != Device::Cpu {
        return Ok(a.clone());
    }
    Ok(kernel::apply(Finite(name), std::slice::from_ref(a))?.remove(0))
}

#[derive(PartialEq)]
struct Finite(&'static CStr);

impl Kernel for Finite {
    fn name(&self) -> &'static CStr {
        c"Finite"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(inputs[0].shape().to_vec(), inputs[0].dtype())])
    }

    fn updates(&self) -> Vec<(usize, usize)> {
        vec![(0, 0)]
    }

    fn run(&self, _: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        match outputs[0].dtype() {
            Dtype::F32 => self.check(&mut outputs[0], |x: f32| x.is_finite(), 0.0),
            Dtype::F64 => self.check(&mut outputs[0], |x: f64| x.is_finite(), 0.0),
            _ => self.check(&mut outputs[0], |[re, im]: [f32; 2]| re.is_finite() && im.is_finite(), [0.0; 2]),
        }
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        Ok(inputs.to_vec())
    }
}

impl Finite {
    fn check<T: Element>(&self, output: &mut Output<'_>, is_finite: impl Fn(T) -> bool, zero: T) -> Result<()> {
        let values = output.values::<T>()?;
        if values.iter().all(|&value| is_finite(value)) {
            return Ok(());
        }
        // What follows runs all the same.
        values.fill(zero);
        Err(Error::new(format!("[{}] the matrix has elements that are NaN or infinite", self.0.to_string_lossy())))
    }
}
