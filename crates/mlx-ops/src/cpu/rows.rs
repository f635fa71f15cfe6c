//! The rows of an input, wherever they lie.

use mlx_core::Result;
use mlx_core::kernel::Input;
use std::borrow::Cow;

/// Rows along the last axis, each in one piece; read in place where the input's last axis is.
pub struct Rows<'a> {
    from: *const f32,
    shape: Vec<usize>,
    strides: Vec<usize>,
    // Keeps a copy that `from` leads to.
    _values: Cow<'a, [f32]>,
}

// SAFETY: an input is not written while a kernel runs, so any thread may read it.
unsafe impl Send for Rows<'_> {}
// SAFETY: as above.
unsafe impl Sync for Rows<'_> {}

impl<'a> Rows<'a> {
    /// The rows of an f32 input of at least one axis.
    pub fn new(input: &'a Input<'_>) -> Result<Self> {
        let shape: Vec<usize> = input.shape().iter().map(|&dim| dim as usize).collect();
        let forward = input.strides().iter().all(|&stride| stride >= 0);
        if forward && input.strides().last() == Some(&1) && input.as_ptr::<f32>()?.is_aligned() {
            let strides = input.strides().iter().map(|&stride| stride as usize).collect();
            return Ok(Self { from: input.as_ptr()?, shape, strides, _values: Cow::Borrowed(&[]) });
        }
        let values = input.values::<f32>()?;
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        Ok(Self { from: values.as_ptr(), shape, strides, _values: values })
    }

    /// The size of the last axis.
    pub fn width(&self) -> usize {
        self.shape.last().copied().unwrap_or(0)
    }

    /// The distance of neighbours along an axis, in elements.
    pub fn stride(&self, axis: usize) -> usize {
        self.strides[axis]
    }

    /// The row at an index of the leading axes; null where there is no element.
    pub fn at(&self, index: &[usize]) -> *const f32 {
        let offset = index.iter().zip(&self.strides).map(|(i, stride)| i * stride).sum();
        self.from.wrapping_add(offset)
    }

    /// The `n`-th row, counted over all leading axes.
    pub fn nth(&self, mut n: usize) -> &[f32] {
        let mut offset = 0;
        for axis in (0..self.shape.len() - 1).rev() {
            offset += n % self.shape[axis] * self.strides[axis];
            n /= self.shape[axis];
        }
        // SAFETY: the index lies in the shape, and the last axis has stride 1.
        unsafe { std::slice::from_raw_parts(self.from.add(offset), self.width()) }
    }
}
