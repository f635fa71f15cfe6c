//! Reductions, scans and sorting.

use super::{equal, full, isnan, select, stop_gradient};
use crate::bridge::ops::ffi;
use crate::bridge::transforms::ffi as transforms;
use crate::call::{Argument, call};
use crate::{Array, Dtype, Result};

/// A reduction of `a`, or what it is where there are no elements: MLX's loop over those may never end on a CPU.
#[track_caller]
pub(crate) fn over_nothing(a: &Array, reduced: Array, nothing: f64) -> Result<Array> {
    match a.size() {
        0 => full(reduced.shape(), &Array::scalar(nothing, reduced.dtype())?, reduced.dtype()),
        _ => Ok(reduced),
    }
}

/// The `n`-th differences of neighbours along `axis`, which shrinks by `n`, to nothing at last.
#[track_caller]
pub fn diff(a: &Array, n: i32, axis: i32) -> Result<Array> {
    // MLX builds a node for each difference, also behind those that leave nothing.
    let longest = a.shape().iter().copied().max().unwrap_or(0).max(1);
    call!(ffi::diff(a, n.min(longest), axis))
}

/// Running extremes of floats, of which the first is `start`, for a function that is differentiated: MLX's gradient looks
/// for where each of them stands, and writes before the array for those that are NaN.
#[track_caller]
fn without_nan(a: &Array, start: f64, extremes: impl Fn(&Array) -> Result<Array>) -> Result<Array> {
    if !a.dtype().is_float() || !call!(transforms::any_tracer(std::slice::from_ref(a)))? {
        return extremes(a);
    }
    let nan = isnan(&stop_gradient(a)?)?;
    // Of integers, the extremes are those of 0 and 1 or of 0 and -1, and stand for what was seen.
    let mark = Array::scalar_int(if start < 0.0 { 1 } else { -1 }, Dtype::I32)?;
    let seen = extremes(&select(&nan, &mark, &Array::scalar_int(0, Dtype::I32)?)?)?;
    let extremes = extremes(&select(&nan, &Array::scalar(start, a.dtype())?, a)?)?;
    select(&equal(&seen, &mark)?, &Array::scalar(f64::NAN, a.dtype())?, &extremes)
}

/// Running maxima along `axis`, or of the flattened array. No gradient passes where they are NaN.
#[track_caller]
pub fn cummax(a: &Array, axis: Option<i32>, reverse: bool, inclusive: bool) -> Result<Array> {
    without_nan(a, f64::NEG_INFINITY, |a| call!(ffi::cummax(a, axis.ffi(), reverse, inclusive)))
}

/// Running minima along `axis`, or of the flattened array. No gradient passes where they are NaN.
#[track_caller]
pub fn cummin(a: &Array, axis: Option<i32>, reverse: bool, inclusive: bool) -> Result<Array> {
    without_nan(a, f64::INFINITY, |a| call!(ffi::cummin(a, axis.ffi(), reverse, inclusive)))
}

crate::call::functions! { ffi;
    /// The largest element over `axes`.
    fn max(a: &Array, axes: &[i32], keepdims: bool) -> Array;
    /// The smallest element over `axes`.
    fn min(a: &Array, axes: &[i32], keepdims: bool) -> Array;
    /// The softmax over `axes`; `precise` accumulates in f32.
    fn softmax(a: &Array, axes: &[i32], precise: bool) -> Array;
    /// The index (`u32`) of the largest element of `axis`, or of the flattened array.
    fn argmax(a: &Array, axis: Option<i32>, keepdims: bool) -> Array;
    /// The index (`u32`) of the smallest element of `axis`, or of the flattened array.
    fn argmin(a: &Array, axis: Option<i32>, keepdims: bool) -> Array;
    /// Running sums along `axis`, or of the flattened array; `None` keeps the dtype of a sum.
    fn cumsum(a: &Array, axis: Option<i32>, reverse: bool, inclusive: bool, dtype: Option<Dtype>) -> Array;
    /// Running products along `axis`, or of the flattened array; `None` keeps the dtype of a product.
    fn cumprod(a: &Array, axis: Option<i32>, reverse: bool, inclusive: bool, dtype: Option<Dtype>) -> Array;
    /// Sorted in ascending order along `axis`, or the flattened array.
    fn sort(a: &Array, axis: Option<i32>) -> Array;
    /// The indices (`u32`) that sort `axis`, or the flattened array.
    fn argsort(a: &Array, axis: Option<i32>) -> Array;
    /// Reordered so that element `kth` of `axis`, or of the flattened array, is in its sorted place.
    fn partition(a: &Array, kth: i32, axis: Option<i32>) -> Array;
    /// The indices (`u32`) that partition `axis`, or the flattened array, at `kth`.
    fn argpartition(a: &Array, kth: i32, axis: Option<i32>) -> Array;
    /// The `k` largest elements of `axis`, or of the flattened array, in no given order.
    fn topk(a: &Array, k: i32, axis: Option<i32>) -> Array;
    /// `[min, max]` over `axes`.
    fn minmax(a: &Array, axes: &[i32], keepdims: bool) -> Vec<Array>;
    /// Running `log(sum(exp(a)))` along `axis`, or of the flattened array.
    fn logcumsumexp(a: &Array, axis: Option<i32>, reverse: bool, inclusive: bool) -> Array;
    /// Where `values` go into the ascending vector `sorted` (`u32`): before equal elements for side `left`, behind them for `right`.
    fn searchsorted(sorted: &Array, values: &Array, side: &str) -> Array;
    /// The `size` smallest distinct values in ascending order, filled up with `fill` (`None`: the smallest); then, as asked for,
    /// the index of the first of each, the place of every element among them, and how many there are of
    /// each (`u32`, `u32`, `i32`).
    fn unique(a: &Array, size: i32, index: bool, inverse: bool, counts: bool, fill: Option<&Array>) -> Vec<Array>;
    /// The number of elements along `axes`, or its inverse, as a scalar that shapeless compilation does not freeze.
    fn number_of_elements(a: &Array, axes: &[i32], inverted: bool, dtype: Dtype) -> Array;
}

/// Reductions of one signature, with what they give over no elements.
macro_rules! reductions {
    ($($(#[$doc:meta])* fn $name:ident($($more:ident: $t:ty)?) over nothing $nothing:expr;)*) => { $(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(a: &Array, axes: &[i32], keepdims: bool $(, $more: $t)?) -> Result<Array> {
            over_nothing(a, call!(ffi::$name(a, axes, keepdims $(, $more)?))?, $nothing)
        }
    )* };
}

reductions! {
    /// The sum over `axes`.
    fn sum() over nothing 0.0;
    /// The mean over `axes`.
    fn mean() over nothing f64::NAN;
    /// The product over `axes`.
    fn prod() over nothing 1.0;
    /// Whether all elements over `axes` are true.
    fn all() over nothing 1.0;
    /// Whether any element over `axes` is true.
    fn any() over nothing 0.0;
    /// `log(sum(exp(a)))` over `axes`, without overflow.
    fn logsumexp() over nothing f64::NEG_INFINITY;
    /// The number of elements over `axes` that are not zero.
    fn count_nonzero() over nothing 0.0;
    /// The median over `axes`; the mean of the middle two where the count is even.
    fn median() over nothing f64::NAN;
    /// The variance over `axes` with divisor `n - ddof`.
    fn var(ddof: i32) over nothing f64::NAN;
    /// The standard deviation over `axes` with divisor `n - ddof`.
    fn std(ddof: i32) over nothing f64::NAN;
}
