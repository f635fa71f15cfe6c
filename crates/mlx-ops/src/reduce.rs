//! Reductions, scans and sorting.

use crate::tensor::methods;
use crate::{Tensor, cpu};
use mlx_core::{Result, ops};
use std::ops::RangeFull;

/// The axes of a reduction: one (`-1`), several (`[0, 2]`), or all (`..`). Negative axes count from the end.
pub trait Axes {
    /// Calls `f` with the axes of a tensor of `ndim` axes.
    #[doc(hidden)]
    #[track_caller]
    fn with<T>(self, ndim: usize, f: impl FnOnce(&[i32]) -> T) -> T;
}

impl Axes for i32 {
    #[track_caller]
    fn with<T>(self, _: usize, f: impl FnOnce(&[i32]) -> T) -> T {
        f(&[self])
    }
}

impl<const N: usize> Axes for [i32; N] {
    #[track_caller]
    fn with<T>(self, _: usize, f: impl FnOnce(&[i32]) -> T) -> T {
        f(&self)
    }
}

impl Axes for &[i32] {
    #[track_caller]
    fn with<T>(self, _: usize, f: impl FnOnce(&[i32]) -> T) -> T {
        f(self)
    }
}

impl Axes for RangeFull {
    #[track_caller]
    fn with<T>(self, ndim: usize, f: impl FnOnce(&[i32]) -> T) -> T {
        let all: Vec<i32> = (0..ndim as i32).collect();
        f(&all)
    }
}

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
}

methods! {
    /// The index (`u32`) of the smallest element of `axis`.
    fn argmin(axis: i32, keepdims: bool);
    /// Running sums along `axis`; exclusive of the element itself unless `inclusive`.
    fn cumsum(axis: i32, reverse: bool, inclusive: bool);
    /// Running products along `axis`; exclusive of the element itself unless `inclusive`.
    fn cumprod(axis: i32, reverse: bool, inclusive: bool);
    /// Sorted in ascending order along `axis`.
    fn sort(axis: i32);
    /// The indices (`u32`) that sort `axis`.
    fn argsort(axis: i32);
    /// Reordered so that element `kth` of `axis` is in its sorted place.
    fn partition(kth: i32, axis: i32);
    /// The indices (`u32`) that partition `axis` at `kth`.
    fn argpartition(kth: i32, axis: i32);
    /// The `k` largest elements of `axis`, in no given order.
    fn topk(k: i32, axis: i32);
}

impl Tensor {
    /// The index (`u32`) of the largest element of `axis`, the first where several are.
    #[track_caller]
    pub fn argmax(&self, axis: i32, keepdims: bool) -> Result<Tensor> {
        cpu::argmax(&self.0, axis, keepdims).unwrap_or_else(|| ops::argmax(&self.0, axis, keepdims)).map(Tensor)
    }

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
}
