//! Reductions.

use crate::tensor::pair;
use crate::{Axes, Tensor, cpu};
use mlx_core::{Dtype, Result, ops};

macro_rules! reductions {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        impl Tensor { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, axes: impl Axes, keepdims: bool) -> Result<Tensor> {
                axes.with(self.ndim(), |axes| ops::$name(&self.0, axes, keepdims)).map(Tensor)
            }
        )* }
    };
}

reductions! {
    /// The sum over `axes`.
    sum;
    /// The mean over `axes`.
    mean;
    /// The product over `axes`.
    prod;
    /// The largest element over `axes`.
    max;
    /// The smallest element over `axes`.
    min;
    /// Whether all elements over `axes` are true.
    all;
    /// Whether any element over `axes` is true.
    any;
    /// `log(sum(exp(x)))` over `axes`, without overflow.
    logsumexp;
    /// The median over `axes`; the mean of the middle two where the count is even.
    median;
    /// The number of elements over `axes` that are not zero, `i32`.
    count_nonzero;
}

impl Tensor {
    /// The softmax over `axes`, accumulated in f32.
    #[track_caller]
    pub fn softmax(&self, axes: impl Axes) -> Result<Tensor> {
        let last = self.ndim() as i32 - 1;
        axes.with(self.ndim(), |axes| {
            match axes {
                &[axis] if axis == -1 || axis == last => cpu::softmax(&self.0),
                _ => None,
            }
            .unwrap_or_else(|| ops::softmax(&self.0, axes, true))
        })
        .map(Tensor)
    }

    /// The variance over `axes` with divisor `n - ddof`.
    #[track_caller]
    pub fn var(&self, axes: impl Axes, keepdims: bool, ddof: i32) -> Result<Tensor> {
        axes.with(self.ndim(), |axes| ops::var(&self.0, axes, keepdims, ddof)).map(Tensor)
    }

    /// The standard deviation over `axes` with divisor `n - ddof`.
    #[track_caller]
    pub fn std(&self, axes: impl Axes, keepdims: bool, ddof: i32) -> Result<Tensor> {
        axes.with(self.ndim(), |axes| ops::std(&self.0, axes, keepdims, ddof)).map(Tensor)
    }

    /// The smallest and the largest element over `axes`.
    #[track_caller]
    pub fn minmax(&self, axes: impl Axes, keepdims: bool) -> Result<(Tensor, Tensor)> {
        axes.with(self.ndim(), |axes| ops::minmax(&self.0, axes, keepdims)).and_then(pair)
    }

    /// The sum along the diagonal `offset` of two axes, which disappear.
    #[track_caller]
    pub fn trace(&self, offset: i32, axis1: i32, axis2: i32) -> Result<Tensor> {
        ops::trace(&self.0, offset, axis1, axis2, None).map(Tensor)
    }

    /// The number of elements along `axes`, or 1 over it where `inverted`: a scalar that shapeless compilation computes.
    #[track_caller]
    pub fn number_of_elements(&self, axes: impl Axes, inverted: bool, dtype: Dtype) -> Result<Tensor> {
        axes.with(self.ndim(), |axes| ops::number_of_elements(&self.0, axes, inverted, dtype)).map(Tensor)
    }
}
