//! What MLX does not check and would end the process by.
//!
//! MLX follows positions without looking at them, and on a CPU a wrong one reads or writes somewhere in the process; an
//! integer divided by zero is a trap there. So on a CPU positions and divisors pass a kernel that makes a wrong one an
//! error of the evaluation; where their values are there already, they are checked at once. GPUs take them as they are, as
//! in MLX.

mod copied;
mod divisor;
mod finite;

pub use copied::copied;
pub use divisor::divisor;
pub use finite::finite;

use crate::kernel::{self, Input, Kernel, Output};
use crate::{Array, Device, Dtype, Element, Error, Result};
use std::ffi::CStr;

/// Values that are looked at at once where they are there: beyond, waiting for the evaluation costs less.
const FEW: usize = 4096;

/// Which positions an axis of `length` has for slices of `size`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub length: i64,
    pub size: i64,
    /// Negative positions count from the end.
    pub wraps: bool,
}

impl Bounds {
    /// Single entries of an axis, also counted from its end.
    pub fn of_axis(length: usize) -> Self {
        Self { length: length as i64, size: 1, wraps: true }
    }

    fn contain(self, position: i64) -> bool {
        let from_start = if self.wraps && position < 0 { position + self.length } else { position };
        (0..=self.length - self.size).contains(&from_start)
    }
}

/// The positions, whose values take turns with the bounds; an error now or when they are computed where one is outside.
#[track_caller]
pub fn checked(name: &'static CStr, positions: &Array, bounds: Vec<Bounds>) -> Result<Array> {
    // Other types are MLX's to reject, and so are positions that do not fit the axes.
    if !is_integer(positions.dtype()) || positions.size() == 0 || bounds.is_empty() || Device::current()? != Device::Cpu
    {
        return Ok(positions.clone());
    }
    let kernel = Checked { name, bounds };
    if kernel.bounds.iter().any(|bounds| bounds.length < bounds.size) {
        let (length, size) = (kernel.bounds[0].length, kernel.bounds[0].size);
        return Err(Error::new(format!("{} nothing of size {size} lies in an axis of {length}", kernel.text())));
    }
    if positions.is_available() && positions.size() <= FEW {
        kernel.check_all(positions)?;
        return Ok(positions.clone());
    }
    Ok(kernel::apply(kernel, std::slice::from_ref(positions))?.remove(0))
}

/// An error where one of the arrays has no element, which a library below MLX would not survive.
#[track_caller]
pub fn filled(name: &str, arrays: &[&Array]) -> Result<()> {
    match arrays.iter().find(|array| array.size() == 0) {
        Some(empty) => Err(Error::new(format!("[{name}] shape {:?} has no elements", empty.shape()))),
        None => Ok(()),
    }
}

/// An error for more elements than MLX counts in its generator of random bits.
#[track_caller]
pub fn countable(name: &str, dims: &[i32]) -> Result<()> {
    // Negative sizes are MLX's to reject.
    let count = dims.iter().try_fold(1i32, |count, &dim| count.checked_mul(dim.max(0)));
    match count {
        Some(_) => Ok(()),
        None => Err(Error::new(format!("[{name}] shape {dims:?} has more than {} elements", i32::MAX))),
    }
}

fn is_integer(dtype: Dtype) -> bool {
    !dtype.is_float() && !matches!(dtype, Dtype::Bool | Dtype::Complex64)
}

#[derive(PartialEq)]
struct Checked {
    name: &'static CStr,
    bounds: Vec<Bounds>,
}

impl Checked {
    fn text(&self) -> String {
        format!("[{}]", self.name.to_string_lossy())
    }

    /// The first value outside its bounds.
    fn wrong<T: Copy + TryInto<i64>>(&self, values: &[T]) -> Option<Error> {
        let bounds = self.bounds.iter().cycle();
        // What does not fit 63 bits lies outside of every axis.
        let position = |value: T| value.try_into().unwrap_or(i64::MAX);
        let (value, bounds) = values.iter().zip(bounds).find(|&(&value, bounds)| !bounds.contain(position(value)))?;
        let (position, Bounds { length, size, .. }) = (position(*value), bounds);
        let slice = if *size == 1 { String::new() } else { format!(" for slices of {size}") };
        Some(Error::new(format!("{} position {position} is not in an axis of {length}{slice}", self.text())))
    }

    #[track_caller]
    fn check_all(&self, positions: &Array) -> Result<()> {
        fn of<T: Element + TryInto<i64>>(kernel: &Checked, positions: &Array) -> Result<Option<Error>> {
            Ok(kernel.wrong(&positions.to_vec::<T>()?))
        }
        let wrong = match positions.dtype() {
            Dtype::U8 => of::<u8>(self, positions),
            Dtype::U16 => of::<u16>(self, positions),
            Dtype::U32 => of::<u32>(self, positions),
            Dtype::U64 => of::<u64>(self, positions),
            Dtype::I8 => of::<i8>(self, positions),
            Dtype::I16 => of::<i16>(self, positions),
            Dtype::I32 => of::<i32>(self, positions),
            _ => of::<i64>(self, positions),
        };
        match wrong? {
            Some(error) => Err(Error::new(error.message())),
            None => Ok(()),
        }
    }
}

impl Kernel for Checked {
    fn name(&self) -> &'static CStr {
        c"Checked"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Ok(vec![(inputs[0].shape().to_vec(), inputs[0].dtype())])
    }

    fn updates(&self) -> Vec<(usize, usize)> {
        vec![(0, 0)]
    }

    fn run(&self, _: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        fn of<T: Element + Default + TryInto<i64>>(kernel: &Checked, output: &mut Output<'_>) -> Result<()> {
            let values = output.values::<T>()?;
            match kernel.wrong(values) {
                // What follows runs all the same, so it is led to a place that is there.
                Some(error) => {
                    values.fill(T::default());
                    Err(error)
                }
                None => Ok(()),
            }
        }
        let output = &mut outputs[0];
        match output.dtype() {
            Dtype::U8 => of::<u8>(self, output),
            Dtype::U16 => of::<u16>(self, output),
            Dtype::U32 => of::<u32>(self, output),
            Dtype::U64 => of::<u64>(self, output),
            Dtype::I8 => of::<i8>(self, output),
            Dtype::I16 => of::<i16>(self, output),
            Dtype::I32 => of::<i32>(self, output),
            _ => of::<i64>(self, output),
        }
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        Ok(inputs.to_vec())
    }
}
