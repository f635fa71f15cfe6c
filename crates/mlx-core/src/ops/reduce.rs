//! Reductions, scans and sorting.

use crate::Array;
use crate::bridge::ops::ffi;

crate::call::functions! { ffi;
    /// The sum over `axes`.
    fn sum(a: &Array, axes: &[i32], keepdims: bool) -> Array;
    /// The mean over `axes`.
    fn mean(a: &Array, axes: &[i32], keepdims: bool) -> Array;
    /// The variance over `axes` with divisor `n - ddof`.
    fn var(a: &Array, axes: &[i32], keepdims: bool, ddof: i32) -> Array;
    /// The standard deviation over `axes` with divisor `n - ddof`.
    fn std(a: &Array, axes: &[i32], keepdims: bool, ddof: i32) -> Array;
    /// The product over `axes`.
    fn prod(a: &Array, axes: &[i32], keepdims: bool) -> Array;
    /// The largest element over `axes`.
    fn max(a: &Array, axes: &[i32], keepdims: bool) -> Array;
    /// The smallest element over `axes`.
    fn min(a: &Array, axes: &[i32], keepdims: bool) -> Array;
    /// Whether all elements over `axes` are true.
    fn all(a: &Array, axes: &[i32], keepdims: bool) -> Array;
    /// Whether any element over `axes` is true.
    fn any(a: &Array, axes: &[i32], keepdims: bool) -> Array;
    /// `log(sum(exp(a)))` over `axes`, without overflow.
    fn logsumexp(a: &Array, axes: &[i32], keepdims: bool) -> Array;
    /// The softmax over `axes`; `precise` accumulates in f32.
    fn softmax(a: &Array, axes: &[i32], precise: bool) -> Array;
    /// The index (`u32`) of the largest element of `axis`.
    fn argmax(a: &Array, axis: i32, keepdims: bool) -> Array;
    /// The index (`u32`) of the smallest element of `axis`.
    fn argmin(a: &Array, axis: i32, keepdims: bool) -> Array;
    /// Running sums along `axis`.
    fn cumsum(a: &Array, axis: i32, reverse: bool, inclusive: bool) -> Array;
    /// Running products along `axis`.
    fn cumprod(a: &Array, axis: i32, reverse: bool, inclusive: bool) -> Array;
    /// Sorted in ascending order along `axis`.
    fn sort(a: &Array, axis: i32) -> Array;
    /// The indices (`u32`) that sort `axis`.
    fn argsort(a: &Array, axis: i32) -> Array;
    /// Reordered so that element `kth` of `axis` is in its sorted place.
    fn partition(a: &Array, kth: i32, axis: i32) -> Array;
    /// The indices (`u32`) that partition `axis` at `kth`.
    fn argpartition(a: &Array, kth: i32, axis: i32) -> Array;
    /// The `k` largest elements of `axis`, in no given order.
    fn topk(a: &Array, k: i32, axis: i32) -> Array;
}
