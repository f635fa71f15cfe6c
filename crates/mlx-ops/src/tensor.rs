//! `Tensor`: the array type with operators and methods.

use mlx_core::{Array, Dtype, Element, Error, Result};
use std::fmt;

/// An n-dimensional array with lazy operations.
///
/// Cloning counts a reference. A tensor stays on the thread that made it.
///
/// ```
/// use mlx_ops::{Dtype, Tensor};
/// let x = Tensor::from_slice(&[1i32, 2, 3], [3])?.astype(Dtype::Bf16)?;
/// assert_eq!((&x * 0.5)?.dtype(), Dtype::Bf16);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[derive(Clone)]
#[repr(transparent)]
pub struct Tensor(pub(crate) Array);

impl Tensor {
    /// A tensor of shape `dims` with a copy of `data` in row-major order; an error where the counts differ.
    #[track_caller]
    pub fn from_slice<T: Element>(data: &[T], dims: impl AsRef<[i32]>) -> Result<Self> {
        Array::from_slice(data, dims.as_ref()).map(Self)
    }

    /// A scalar of the given dtype, shape `()`.
    #[track_caller]
    pub fn scalar(value: f64, dtype: Dtype) -> Result<Self> {
        Array::scalar(value, dtype).map(Self)
    }

    /// The size of each axis.
    pub fn shape(&self) -> &[i32] {
        self.0.shape()
    }

    /// The sizes of exactly `N` axes: `let [b, l, _] = x.dims()?`.
    #[track_caller]
    pub fn dims<const N: usize>(&self) -> Result<[i32; N]> {
        match self.shape().try_into() {
            Ok(dims) => Ok(dims),
            Err(_) => Err(Error::new(format!("[dims] expected {N} axes, found shape {:?}", self.shape()))),
        }
    }

    /// The size of one axis, counted from the end where negative.
    #[track_caller]
    pub fn dim(&self, axis: i32) -> Result<i32> {
        let ndim = self.ndim() as i32;
        let at = if axis < 0 { axis + ndim } else { axis };
        match usize::try_from(at).ok().and_then(|at| self.shape().get(at)) {
            Some(&size) => Ok(size),
            None => Err(Error::new(format!("[dim] axis {axis} is out of range for shape {:?}", self.shape()))),
        }
    }

    /// The number of axes.
    pub fn ndim(&self) -> usize {
        self.0.ndim()
    }

    /// The number of elements.
    pub fn size(&self) -> usize {
        self.0.size()
    }

    /// The bytes of all elements.
    pub fn nbytes(&self) -> usize {
        self.0.nbytes()
    }

    /// The element type.
    pub fn dtype(&self) -> Dtype {
        self.0.dtype()
    }

    /// All elements in row-major order; computes the tensor. `T` must be its dtype.
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        self.0.to_vec()
    }

    /// The only element; computes the tensor. `T` must be its dtype, and the size 1.
    #[track_caller]
    pub fn item<T: Element>(&self) -> Result<T> {
        self.0.item()
    }

    /// Computes the tensor now, and waits for it.
    #[track_caller]
    pub fn eval(&self) -> Result<()> {
        self.0.eval()
    }

    /// Whether the values are there, so that reading them would not wait.
    pub fn is_available(&self) -> bool {
        self.0.is_available()
    }

    /// The array of the layer below.
    pub fn as_array(&self) -> &Array {
        &self.0
    }
}

impl From<Array> for Tensor {
    fn from(array: Array) -> Self {
        Self(array)
    }
}

impl From<Tensor> for Array {
    fn from(tensor: Tensor) -> Self {
        tensor.0
    }
}

impl AsRef<Array> for Tensor {
    fn as_ref(&self) -> &Array {
        &self.0
    }
}

impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Dtype and shape, without computing anything.
impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({}, {:?})", self.dtype(), self.shape())
    }
}

/// Computes the tensors now, and waits for them.
#[track_caller]
pub fn eval<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Result<()> {
    mlx_core::eval(&handles(tensors))
}

/// Starts to compute the tensors and returns; reading one later waits for it.
#[track_caller]
pub fn async_eval<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Result<()> {
    mlx_core::async_eval(&handles(tensors))
}

fn handles<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<Array> {
    tensors.into_iter().map(|tensor| tensor.0.clone()).collect()
}

pub(crate) fn arrays(tensors: &[Tensor]) -> &[Array] {
    // SAFETY: Tensor is a transparent newtype over Array.
    unsafe { std::slice::from_raw_parts(tensors.as_ptr().cast(), tensors.len()) }
}

/// The two arrays of an operation that returns a pair.
#[track_caller]
pub(crate) fn pair(parts: Vec<Array>) -> Result<(Tensor, Tensor)> {
    match <[Array; 2]>::try_from(parts) {
        Ok([a, b]) => Ok((Tensor(a), Tensor(b))),
        Err(parts) => Err(Error::new(format!("MLX returned {} arrays where two belong", parts.len()))),
    }
}

pub(crate) fn tensors(parts: Vec<Array>) -> Vec<Tensor> {
    parts.into_iter().map(Tensor).collect()
}

pub(crate) fn optional(tensor: Option<&Tensor>) -> Option<&Array> {
    tensor.map(|tensor| &tensor.0)
}

/// Methods that forward to the function of the same name in `mlx_core::ops`.
macro_rules! methods {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $t:ty),* $(,)?);)*) => {
        impl $crate::Tensor { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, $($arg: $t),*) -> mlx_core::Result<$crate::Tensor> {
                mlx_core::ops::$name(&self.0, $($arg),*).map($crate::Tensor)
            }
        )* }
    };
}
pub(crate) use methods;
