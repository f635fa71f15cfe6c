//! CPU kernels in Rust as nodes of MLX's lazy graph.
//!
//! A [`Kernel`] says three things: the shape it gives, how to compute it, and the same result by MLX's own ops. The last is
//! what gradients, `vmap` and GPUs use, so that a kernel is never less than the ops it replaces, only faster.

use crate::bridge::kernel::ffi;
use crate::call::call;
use crate::{Array, Device, Dtype, Element, Error, Result, closure, export, transforms};
use std::any::Any;
use std::borrow::Cow;
use std::ffi::{CStr, c_char};
use std::marker::PhantomData;

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
///     fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
///         Ok(vec![(inputs[0].shape().to_vec(), Dtype::F32)])
///     }
///     fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
///         let x = inputs[0].values::<f32>()?;
///         outputs[0].values::<f32>()?.iter_mut().zip(x.iter()).for_each(|(y, x)| *y = x * x);
///         Ok(())
///     }
///     fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
///         Ok(vec![ops::multiply(&inputs[0], &inputs[0])?])
///     }
/// }
///
/// let x = Array::from_slice(&[1f32, 2.0, 3.0], &[3])?;
/// let y = ops::add(&kernel::apply(Square, &[x.clone()])?[0], &x)?;
/// assert_eq!(y.to_vec::<f32>()?, [2.0, 6.0, 12.0]);
/// # Ok::<(), mlx_core::Error>(())
/// ```
pub trait Kernel: Send + Sync + PartialEq + 'static {
    /// What MLX calls it in errors and graphs.
    fn name(&self) -> &'static CStr;

    /// The shape and dtype of each result; an error where the inputs do not fit.
    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>>;

    /// The results that start as a copy of an input and are changed from there, as `(output, input)`.
    ///
    /// The copy is free where nobody else holds the input: the result then takes over its memory.
    fn updates(&self) -> Vec<(usize, usize)> {
        Vec::new()
    }

    /// Computes every element of the outputs, whose memory holds anything before unless [`Kernel::updates`] names them.
    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()>;

    /// The same results by ops of this crate.
    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>>;
}

/// The lazy results that `kernel` computes from `inputs`; on a GPU stream and in exported functions, the kernel's fallback.
///
/// Two equal kernels on the same inputs may be computed once.
#[track_caller]
pub fn apply<K: Kernel>(kernel: K, inputs: &[Array]) -> Result<Vec<Array>> {
    if Device::current()? != Device::Cpu || export::exporting() {
        return kernel.fallback(inputs);
    }
    let outputs = kernel.outputs(inputs)?;
    let specs = outputs.into_iter().map(|(dims, dtype)| ffi::Spec { dims, dtype: dtype as u8, update: -1 });
    let mut specs: Vec<ffi::Spec> = specs.collect();
    for (output, input) in kernel.updates() {
        let (Some(spec), Some(from)) = (specs.get_mut(output), inputs.get(input)) else {
            return Err(Error::new(format!("[kernel] no output {output} or no input {input} to update")));
        };
        if spec.dims != from.shape() || spec.dtype != from.dtype() as u8 {
            return Err(Error::new(format!("[kernel] output {output} differs in shape or dtype from input {input}")));
        }
        spec.update = input as i32;
    }
    call!(ffi::custom_kernel(Box::new(KernelHandle(Box::new(kernel))), inputs, &specs))
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
        if self.0.row_contiguous && from.is_aligned() && T::DTYPE != Dtype::Bool {
            // SAFETY: MLX evaluated n elements of T's dtype there, of which all bits are a T, and keeps them while the kernel runs.
            return Ok(Cow::Borrowed(unsafe { std::slice::from_raw_parts(from, n) }));
        }
        let mut out = Vec::new();
        if out.try_reserve_exact(n).is_err() {
            return Err(Error::new(format!("[kernel] no memory for {n} elements of {}", T::DTYPE)));
        }
        // SAFETY: every offset leads to one of the array's elements.
        self.each_offset(|offset| out.push(unsafe { element(from.offset(offset)) }));
        Ok(Cow::Owned(out))
    }

    /// Calls `f` with the place of each element, in row-major order.
    fn each_offset(&self, mut f: impl FnMut(isize)) {
        let (shape, strides) = (self.0.shape, self.0.strides);
        let mut at = vec![0; shape.len()];
        let mut offset = 0;
        for _ in 0..self.size() {
            f(offset as isize);
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
    }

    /// Copies all elements in row-major order to `to`, which has room for them.
    unsafe fn copy_to(&self, to: *mut u8) {
        let size = self.dtype().size();
        // SAFETY: the caller's; every offset leads to one of the array's elements, of this size.
        unsafe {
            if self.0.row_contiguous {
                return std::ptr::copy_nonoverlapping(self.0.data, to, self.size() * size);
            }
            let mut to = to;
            self.each_offset(|offset| {
                std::ptr::copy_nonoverlapping(self.0.data.offset(offset * size as isize), to, size);
                to = to.add(size);
            });
        }
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

    /// The element type.
    pub fn dtype(&self) -> Dtype {
        Dtype::from_code(self.0.dtype)
    }

    /// All elements, to be written. `T` must be the dtype.
    pub fn values<T: Element>(&mut self) -> Result<&mut [T]> {
        expect::<T>(self.0.dtype)?;
        match size(self.0.shape) {
            0 => Ok(&mut []),
            // SAFETY: MLX allocated n elements of T's dtype, aligned as any allocation, for this output alone; any bits are a T,
            // or all are 0.
            n => Ok(unsafe {
                if T::DTYPE == Dtype::Bool {
                    self.0.data.write_bytes(0, n);
                }
                std::slice::from_raw_parts_mut(self.0.data.cast(), n)
            }),
        }
    }
}

/// The element at a place that may lie unaligned; of a boolean, any byte but 0 is true.
unsafe fn element<T: Element>(at: *const T) -> T {
    if T::DTYPE == Dtype::Bool {
        // SAFETY: the caller's, and T is a boolean.
        return unsafe { std::mem::transmute_copy(&(at.cast::<u8>().read() != 0)) };
    }
    // SAFETY: the caller's; all bits are a T.
    unsafe { at.read_unaligned() }
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
    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>>;
    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()>;
    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>>;
    fn equals(&self, other: &dyn Any) -> bool;
    fn as_any(&self) -> &dyn Any;
}

impl<K: Kernel> Erased for K {
    fn name(&self) -> &'static CStr {
        Kernel::name(self)
    }
    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        Kernel::outputs(self, inputs)
    }
    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        Kernel::run(self, inputs, outputs)
    }
    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        Kernel::fallback(self, inputs)
    }
    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<K>().is_some_and(|other| self == other)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Runs what a kernel brought.
fn guarded<T>(name: &CStr, f: impl FnOnce() -> Result<T>) -> Result<T> {
    closure::guarded(f, |what| Error::new(format!("[{}] the kernel panicked: {what}", name.to_string_lossy())))
}

pub(crate) fn kernel_name(kernel: &KernelHandle) -> *const c_char {
    kernel.0.name().as_ptr()
}

pub(crate) fn same_kernel(a: &KernelHandle, b: &KernelHandle) -> bool {
    guarded(c"kernel", || Ok(a.0.equals(b.0.as_any()))).unwrap_or(false)
}

pub(crate) fn run_kernel(kernel: &KernelHandle, inputs: &[ffi::View<'_>], outputs: &[ffi::View<'_>]) -> Result<()> {
    guarded(kernel.0.name(), || {
        let inputs: Vec<Input<'_>> = inputs.iter().map(|&view| Input(view)).collect();
        for output in outputs.iter().filter(|output| output.start >= 0 && size(output.shape) > 0) {
            // SAFETY: MLX allocated the output for the shape and dtype of this input, as `apply` checked.
            unsafe { inputs[output.start as usize].copy_to(output.data) };
        }
        let mut outputs: Vec<Output<'_>> = outputs.iter().map(|&view| Output(view, PhantomData)).collect();
        kernel.0.run(&inputs, &mut outputs)
    })
}

pub(crate) fn kernel_fallback(kernel: &KernelHandle, inputs: &[Array]) -> Result<Vec<Array>, String> {
    closure::leave(guarded(kernel.0.name(), || kernel.0.fallback(inputs)))
}

pub(crate) fn kernel_outputs(kernel: &KernelHandle, inputs: &[Array]) -> Result<Vec<ffi::Spec>> {
    let spec = |(dims, dtype)| ffi::Spec { dims, dtype: dtype as u8, update: -1 };
    guarded(kernel.0.name(), || Ok(kernel.0.outputs(inputs)?.into_iter().map(spec).collect()))
}

/// The product of `cotangent` with the Jacobian of `f` at `x`; the tests of kernels compare it with that of the fallback.
#[doc(hidden)]
#[track_caller]
pub fn vector_jacobian(f: impl Fn(&Array) -> Result<Array>, x: &Array, cotangent: &Array) -> Result<Array> {
    let outputs = transforms::vjp(|x| Ok(vec![f(&x[0])?]), std::slice::from_ref(x), std::slice::from_ref(cotangent))?;
    Ok(outputs.1[0].clone())
}

#[cfg(test)]
mod tests;
