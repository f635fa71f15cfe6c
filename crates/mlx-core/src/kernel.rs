//! CPU kernels in Rust as nodes of MLX's lazy graph.
//!
//! A [`Kernel`] says three things: the shape it gives, how to compute it, and the same result by MLX's own ops. The last is
//! what gradients, `vmap` and GPUs use, so that a kernel is never less than the ops it replaces, only faster.

use crate::bridge::kernel::ffi;
use crate::call::call;
use crate::{Array, Device, Dtype, Element, Error, Result};
use std::any::Any;
use std::borrow::Cow;
use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An operation that Rust computes on the CPU.
///
/// It runs on the thread of its stream, so it is `Send + Sync`; dropping it must not panic. A panic in [`Kernel::run`] is an
/// error of the evaluation.
///
/// ```
/// use mlx_core::kernel::{self, Input, Kernel, Output};
/// use mlx_core::{Array, Dtype, Result, ops};
///
/// #[derive(PartialEq)]
/// struct Square;
///
/// impl Kernel for Square {
///     fn name(&self) -> &'static std::ffi::CStr {
///         c"Square"
///     }
///     fn output(&self, inputs: &[Array]) -> Result<(Vec<i32>, Dtype)> {
///         Ok((inputs[0].shape().to_vec(), Dtype::F32))
///     }
///     fn run(&self, inputs: &[Input<'_>], mut output: Output<'_>) -> Result<()> {
///         let x = inputs[0].values::<f32>()?;
///         output.values::<f32>()?.iter_mut().zip(x.iter()).for_each(|(y, x)| *y = x * x);
///         Ok(())
///     }
///     fn fallback(&self, inputs: &[Array]) -> Result<Array> {
///         ops::multiply(&inputs[0], &inputs[0])
///     }
/// }
///
/// let x = Array::from_slice(&[1f32, 2.0, 3.0], &[3])?;
/// let y = ops::add(&kernel::apply(Square, &[x.clone()])?, &x)?;
/// assert_eq!(y.to_vec::<f32>()?, [2.0, 6.0, 12.0]);
/// # Ok::<(), mlx_core::Error>(())
/// ```
pub trait Kernel: Send + Sync + PartialEq + 'static {
    /// What MLX calls it in errors and graphs.
    fn name(&self) -> &'static CStr;

    /// The shape and dtype of the result; an error where the inputs do not fit.
    fn output(&self, inputs: &[Array]) -> Result<(Vec<i32>, Dtype)>;

    /// Computes every element of `output`, whose memory holds anything before.
    fn run(&self, inputs: &[Input<'_>], output: Output<'_>) -> Result<()>;

    /// The same result by ops of this crate.
    fn fallback(&self, inputs: &[Array]) -> Result<Array>;
}

/// A lazy array that `kernel` computes from `inputs`; on a GPU stream, the kernel's fallback.
///
/// Two equal kernels on the same inputs may be computed once.
#[track_caller]
pub fn apply<K: Kernel>(kernel: K, inputs: &[Array]) -> Result<Array> {
    if Device::current()? != Device::Cpu {
        return kernel.fallback(inputs);
    }
    let (shape, dtype) = kernel.output(inputs)?;
    call!(ffi::custom_kernel(Box::new(KernelHandle(Box::new(kernel))), inputs, &shape, dtype as u8))
}

/// The values of an input, valid while the kernel runs.
pub struct Input<'a>(ffi::View<'a>);

// SAFETY: nobody writes an input while the kernel runs.
unsafe impl Send for Input<'_> {}
// SAFETY: as above.
unsafe impl Sync for Input<'_> {}

impl Input<'_> {
    /// The size of each axis.
    pub fn shape(&self) -> &[i32] {
        self.0.shape
    }

    /// The distance of neighbours along each axis, in elements.
    pub fn strides(&self) -> &[i64] {
        self.0.strides
    }

    /// The number of elements.
    pub fn size(&self) -> usize {
        size(self.0.shape)
    }

    /// The element type.
    pub fn dtype(&self) -> Dtype {
        Dtype::from_code(self.0.dtype)
    }

    /// The first element, for kernels that follow [`Input::strides`] themselves; null where there is no element.
    pub fn as_ptr<T: Element>(&self) -> Result<*const T> {
        expect::<T>(self.0.dtype)?;
        Ok(self.0.data.cast())
    }

    /// All elements in row-major order: in place where they lie so, else a copy. `T` must be the dtype.
    pub fn values<T: Element>(&self) -> Result<Cow<'_, [T]>> {
        expect::<T>(self.0.dtype)?;
        let (n, from) = (self.size(), self.0.data.cast::<T>());
        if n == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        if self.0.row_contiguous && from.is_aligned() {
            // SAFETY: MLX evaluated n elements of T's dtype there, and keeps them while the kernel runs.
            return Ok(Cow::Borrowed(unsafe { std::slice::from_raw_parts(from, n) }));
        }
        Ok(Cow::Owned(self.gathered(from, n)))
    }

    fn gathered<T: Element>(&self, from: *const T, n: usize) -> Vec<T> {
        let (shape, strides) = (self.0.shape, self.0.strides);
        let mut at = vec![0; shape.len()];
        let mut offset = 0;
        let mut out = Vec::with_capacity(n);
        for _ in 0..n {
            // SAFETY: the index stays within the shape, so the element is one of the array's; it may lie unaligned.
            out.push(unsafe { from.offset(offset as isize).read_unaligned() });
            for axis in (0..shape.len()).rev() {
                at[axis] += 1;
                offset += strides[axis];
                if at[axis] < shape[axis] {
                    break;
                }
                offset -= strides[axis] * i64::from(shape[axis]);
                at[axis] = 0;
            }
        }
        out
    }
}

/// The memory of the result, in row-major order.
pub struct Output<'a>(ffi::View<'a>, PhantomData<&'a mut [u8]>);

// SAFETY: the kernel alone has it.
unsafe impl Send for Output<'_> {}

impl Output<'_> {
    /// The size of each axis.
    pub fn shape(&self) -> &[i32] {
        self.0.shape
    }

    /// All elements, to be written. `T` must be the dtype.
    pub fn values<T: Element>(&mut self) -> Result<&mut [T]> {
        expect::<T>(self.0.dtype)?;
        match size(self.0.shape) {
            0 => Ok(&mut []),
            // SAFETY: MLX allocated n elements of T's dtype, aligned as any allocation, for this output alone; any bits are a T.
            n => Ok(unsafe { std::slice::from_raw_parts_mut(self.0.data.cast(), n) }),
        }
    }
}

fn size(shape: &[i32]) -> usize {
    shape.iter().map(|&dim| dim as usize).product()
}

fn expect<T: Element>(code: u8) -> Result<()> {
    match Dtype::from_code(code) == T::DTYPE {
        true => Ok(()),
        false => Err(Error::new(format!("[kernel] the array holds {}, not {}", Dtype::from_code(code), T::DTYPE))),
    }
}

/// What C++ holds of a kernel, behind one pointer.
pub(crate) struct KernelHandle(Box<dyn Erased>);

/// [`Kernel`] as a trait object, which `PartialEq` alone keeps it from being.
trait Erased: Send + Sync {
    fn name(&self) -> &'static CStr;
    fn output(&self, inputs: &[Array]) -> Result<(Vec<i32>, Dtype)>;
    fn run(&self, inputs: &[Input<'_>], output: Output<'_>) -> Result<()>;
    fn fallback(&self, inputs: &[Array]) -> Result<Array>;
    fn equals(&self, other: &dyn Any) -> bool;
    fn as_any(&self) -> &dyn Any;
}

impl<K: Kernel> Erased for K {
    fn name(&self) -> &'static CStr {
        Kernel::name(self)
    }
    fn output(&self, inputs: &[Array]) -> Result<(Vec<i32>, Dtype)> {
        Kernel::output(self, inputs)
    }
    fn run(&self, inputs: &[Input<'_>], output: Output<'_>) -> Result<()> {
        Kernel::run(self, inputs, output)
    }
    fn fallback(&self, inputs: &[Array]) -> Result<Array> {
        Kernel::fallback(self, inputs)
    }
    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<K>().is_some_and(|other| self == other)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Runs what a kernel brought; cxx would end the process on a panic.
fn guarded<T>(name: &CStr, f: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<&str>().copied();
        let what = what.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        Err(Error::new(format!("[{}] the kernel panicked: {what}", name.to_string_lossy())))
    })
}

pub(crate) fn kernel_name(kernel: &KernelHandle) -> *const c_char {
    kernel.0.name().as_ptr()
}

pub(crate) fn same_kernel(a: &KernelHandle, b: &KernelHandle) -> bool {
    guarded(c"kernel", || Ok(a.0.equals(b.0.as_any()))).unwrap_or(false)
}

pub(crate) fn run_kernel(kernel: &KernelHandle, inputs: &[ffi::View<'_>], output: ffi::View<'_>) -> Result<()> {
    guarded(kernel.0.name(), || {
        let inputs: Vec<Input<'_>> = inputs.iter().map(|&view| Input(view)).collect();
        kernel.0.run(&inputs, Output(output, PhantomData))
    })
}

pub(crate) fn kernel_fallback(kernel: &KernelHandle, inputs: &[Array]) -> Result<Array> {
    guarded(kernel.0.name(), || kernel.0.fallback(inputs))
}

pub(crate) fn kernel_output_shape(kernel: &KernelHandle, inputs: &[Array]) -> Result<Vec<i32>> {
    guarded(kernel.0.name(), || Ok(kernel.0.output(inputs)?.0))
}

/// A function of one array, for [`vector_jacobian`].
pub(crate) struct Function<'a>(&'a dyn Fn(&Array) -> Result<Array>);

pub(crate) fn call_function(f: &Function<'_>, x: &Array) -> Result<Array> {
    guarded(c"vector_jacobian", || (f.0)(x))
}

/// The product of `cotangent` with the Jacobian of `f` at `x`; the tests of kernels compare it with that of the fallback.
#[doc(hidden)]
#[track_caller]
pub fn vector_jacobian(f: impl Fn(&Array) -> Result<Array>, x: &Array, cotangent: &Array) -> Result<Array> {
    // SAFETY: the closure outlives the call, which keeps no reference.
    call!(unsafe { ffi::vector_jacobian(&Function(&f), x, cotangent) })
}

#[cfg(test)]
mod tests;
