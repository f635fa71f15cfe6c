//! `Array`: a node of MLX's lazy graph, held by value.

use crate::bridge::array::ffi;
use crate::call::call;
use crate::{Dtype, Element, Error, Result, ops};
use std::ffi::c_void;
use std::fmt;
use std::ptr::NonNull;

/// An n-dimensional array, computed when its values are first needed.
///
/// Two words, exactly `mlx::core::array` (one `shared_ptr`): cloning is a reference count, and `Result<Array>` is 16 bytes.
/// MLX writes a node's status without locks, so an array stays on the thread that made it.
///
/// ```
/// use mlx_core::{Array, ops};
/// let x = Array::from_slice(&[1f32, 2.0, 3.0, 4.0], &[2, 2])?;
/// let y = ops::matmul(&x, &x)?;
/// assert_eq!(y.shape(), [2, 2]);
/// assert_eq!(y.to_vec::<f32>()?, [7.0, 10.0, 15.0, 22.0]);
/// # Ok::<(), mlx_core::Error>(())
/// ```
#[repr(C)]
pub struct Array {
    desc: NonNull<c_void>,
    ctrl: *mut c_void,
}

// SAFETY: shim/base.h asserts the size and alignment, and a shared_ptr moves by copying its bits.
unsafe impl cxx::ExternType for Array {
    type Id = cxx::type_id!("mlx::core::array");
    type Kind = cxx::kind::Trivial;
}

impl Drop for Array {
    fn drop(&mut self) {
        ffi::drop_array(self)
    }
}

impl Clone for Array {
    fn clone(&self) -> Self {
        ffi::clone_array(self)
    }
}

impl Array {
    /// An array of shape `dims` with a copy of `data` in row-major order; an error where the counts differ.
    #[track_caller]
    pub fn from_slice<T: Element>(data: &[T], dims: &[i32]) -> Result<Self> {
        // SAFETY: an element type has no padding, and any byte of it may be read.
        let bytes = unsafe { std::slice::from_raw_parts(data.as_ptr().cast::<u8>(), size_of_val(data)) };
        call!(ffi::from_bytes(bytes, dims, T::DTYPE as u8))
    }

    /// A scalar of the given dtype, shape `()`.
    #[track_caller]
    pub fn scalar(value: f64, dtype: Dtype) -> Result<Self> {
        call!(ffi::scalar_f64(value, dtype as u8))
    }

    /// An integer scalar of the given dtype, shape `()`; exact where [`Array::scalar`] would round.
    #[track_caller]
    pub fn scalar_int(value: i64, dtype: Dtype) -> Result<Self> {
        call!(ffi::scalar_i64(value, dtype as u8))
    }

    /// The size of each axis.
    pub fn shape(&self) -> &[i32] {
        ffi::shape_of(self)
    }

    /// The number of axes.
    pub fn ndim(&self) -> usize {
        self.shape().len()
    }

    /// The number of elements.
    pub fn size(&self) -> usize {
        ffi::size_of(self)
    }

    /// The element type.
    pub fn dtype(&self) -> Dtype {
        Dtype::from_code(ffi::dtype_of(self))
    }

    /// The bytes of all elements.
    pub fn nbytes(&self) -> usize {
        self.size() * self.dtype().size()
    }

    /// Computes the array now, and waits for it.
    #[track_caller]
    pub fn eval(&self) -> Result<()> {
        call!(ffi::eval(std::slice::from_ref(self)))
    }

    /// Whether the values are there, so that reading them would not wait.
    pub fn is_available(&self) -> bool {
        ffi::is_available(self)
    }

    /// All elements in row-major order, whatever the strides; computes the array. `T` must be its dtype.
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        self.expect_dtype::<T>()?;
        let dense = match call!(ffi::is_row_contiguous(self))? {
            true => self.clone(),
            false => ops::contiguous(self)?,
        };
        let bytes = call!(ffi::bytes_of(&dense))?;
        let mut out = Vec::<T>::with_capacity(self.size());
        // SAFETY: the bytes are `size` elements of T's dtype, copied into a buffer of that capacity; `valid` of them are a T.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), out.as_mut_ptr().cast::<u8>(), bytes.len());
            valid(T::DTYPE, std::slice::from_raw_parts_mut(out.as_mut_ptr().cast::<u8>(), bytes.len()));
            out.set_len(self.size());
        }
        Ok(out)
    }

    /// The only element; computes the array. `T` must be its dtype, and the size 1.
    #[track_caller]
    pub fn item<T: Element>(&self) -> Result<T> {
        self.expect_dtype::<T>()?;
        if self.size() != 1 {
            return Err(Error::new(format!("[item] an array of shape {:?} has not exactly one element", self.shape())));
        }
        let bytes = call!(ffi::bytes_of(self))?;
        let mut one = [0; 8];
        one[..bytes.len()].copy_from_slice(bytes);
        valid(T::DTYPE, &mut one);
        // SAFETY: the bytes of one element of T's dtype, which takes eight at most.
        Ok(unsafe { one.as_ptr().cast::<T>().read_unaligned() })
    }

    #[track_caller]
    fn expect_dtype<T: Element>(&self) -> Result<()> {
        match self.dtype() == T::DTYPE {
            true => Ok(()),
            false => Err(Error::new(format!("[to_vec] the array holds {}, not {}", self.dtype(), T::DTYPE))),
        }
    }

    /// The C++ baseline of the `lazy_add` bench: `n` additions of `b` to `a` without leaving C++.
    #[doc(hidden)]
    pub fn cxx_add_chain(a: &Self, b: &Self, n: usize) -> Result<Self> {
        call!(ffi::add_chain(a, b, n))
    }
}

/// Computes all arrays now, and waits for them.
#[track_caller]
pub fn eval(arrays: &[Array]) -> Result<()> {
    call!(ffi::eval(arrays))
}

/// Starts to compute the arrays and returns; reading one later waits for it.
#[track_caller]
pub fn async_eval(arrays: &[Array]) -> Result<()> {
    call!(ffi::async_eval(arrays))
}

/// Dtype and shape, without computing anything.
impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Array({}, {:?})", self.dtype(), self.shape())
    }
}

/// Makes bytes elements: every bit pattern is a number, but a boolean is 0 or 1, whatever a GPU's kernel left there.
pub(crate) fn valid(dtype: Dtype, bytes: &mut [u8]) {
    if dtype == Dtype::Bool {
        bytes.iter_mut().for_each(|byte| *byte = u8::from(*byte != 0));
    }
}
