//! Indexing: `x.i((.., -1, 2.., New))`, gathers, and writes to what an index names.

mod at;
mod plan;

pub use at::At;

use crate::tensor::methods;
use crate::{Axis, Tensor};
use mlx_core::{Error, Result, ops};
use plan::Plan;
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// A new axis of size 1.
#[derive(Clone, Copy, Debug)]
pub struct New;

/// All axes that the other indices leave, whole (Python's `...`).
#[derive(Clone, Copy, Debug)]
pub struct Rest;

/// One entry of an index. Negative positions count from the end.
#[derive(Clone, Debug)]
pub enum Index {
    /// One position; the axis disappears.
    At(i32),
    /// Positions `start..stop`, clipped to the axis.
    Span(Option<i32>, Option<i32>),
    /// Every so many positions from the first to before the second, backwards where the step is negative; see [`step`].
    Step(Option<i32>, Option<i32>, i32),
    /// The positions that an integer tensor names, whose shape replaces the axis. They are not checked.
    Take(Tensor),
    /// A new axis of size 1.
    New,
    /// All axes that the other indices leave.
    Rest,
}

macro_rules! into_index {
    ($($t:ty, $value:ident => $e:expr;)*) => { $(impl From<$t> for Index {
        fn from($value: $t) -> Self { $e }
    })* };
}
into_index! {
    i32, at => Self::At(at);
    RangeFull, _all => Self::Span(None, None);
    Range<i32>, range => Self::Span(Some(range.start), Some(range.end));
    RangeFrom<i32>, range => Self::Span(Some(range.start), None);
    &Tensor, positions => Self::Take(positions.clone());
    Tensor, positions => Self::Take(positions);
    RangeToInclusive<i32>, range => Self::Span(None, if range.end == -1 { None } else { Some(range.end + 1) });
    RangeTo<i32>, range => Self::Span(None, Some(range.end));
    RangeInclusive<i32>, range => Self::Span(Some(*range.start()), if *range.end() == -1 { None } else { Some(*range.end() + 1) });
    New, _new => Self::New;
    Rest, _rest => Self::Rest;
}

/// Every `by`-th position of a range, Python's `start:stop:by`: backwards where `by` is negative, so `step(.., -1)` reverses.
///
/// Rust's ranges ascend; two bounds that descend are written as [`Index::Step`].
///
/// ```
/// use mlx_ops::{Dtype, Index, arange, step};
/// let x = arange(0, 6, 1, Dtype::I32)?;
/// assert_eq!(x.i(step(1.., 2))?.to_vec::<i32>()?, [1, 3, 5]);
/// assert_eq!(x.i(Index::Step(Some(4), Some(1), -2))?.to_vec::<i32>()?, [4, 2]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
pub fn step(range: impl Into<Index>, by: i32) -> Index {
    match range.into() {
        Index::Span(start, stop) => Index::Step(start, stop, by),
        other => other,
    }
}

/// What [`Tensor::i`] takes: one index, a tuple of up to six, or a slice of [`Index`].
pub trait Indices {
    /// Calls `f` with the indices in order.
    #[doc(hidden)]
    #[track_caller]
    fn with<T>(self, f: impl FnOnce(&[Index]) -> T) -> T;
}

impl<A: Into<Index>> Indices for A {
    #[track_caller]
    fn with<T>(self, f: impl FnOnce(&[Index]) -> T) -> T {
        f(&[self.into()])
    }
}

impl Indices for &[Index] {
    #[track_caller]
    fn with<T>(self, f: impl FnOnce(&[Index]) -> T) -> T {
        f(self)
    }
}

macro_rules! tuples {
    ($(($($t:ident),+))*) => { $(impl<$($t: Into<Index>),+> Indices for ($($t,)+) {
        #[track_caller]
        #[allow(non_snake_case)]
        fn with<T>(self, f: impl FnOnce(&[Index]) -> T) -> T {
            let ($($t,)+) = self;
            f(&[$($t.into()),+])
        }
    })* };
}
tuples! { (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) }

impl Tensor {
    /// The part of the tensor that an index names: positions, ranges, ranges with a [`step`], integer tensors, new axes
    /// ([`New`]) and [`Rest`]; axes not named stay whole.
    ///
    /// Several integer tensors broadcast to one shape, which stands where the first of them does, or in front where
    /// something else stands between them, as in NumPy. Their values are not checked.
    ///
    /// ```
    /// use mlx_ops::{Dtype, New, Rest, Tensor, arange};
    /// let x = arange(0, 24, 1, Dtype::I32)?.reshape([2, 3, 4])?;
    /// assert_eq!(x.i((.., -1, 2.., New))?.shape(), [2, 2, 1]);
    /// assert_eq!(x.i((1, Rest, 0))?.to_vec::<i32>()?, [12, 16, 20]);
    /// let rows = Tensor::from_slice(&[2, 0], [2])?;
    /// assert_eq!(x.i((1, &rows, 3))?.to_vec::<i32>()?, [23, 15]);
    /// assert!(x.i(2).is_err());
    /// # Ok::<(), mlx_ops::Error>(())
    /// ```
    #[track_caller]
    pub fn i(&self, indices: impl Indices) -> Result<Tensor> {
        match indices.with(|indices| Plan::new(self.shape(), indices)) {
            Ok(plan) => plan.read(&self.0).map(Tensor),
            Err(message) => Err(Error::new(message)),
        }
    }

    /// The tensor with the part that `start..stop` (one bound per axis) names replaced by `update`.
    ///
    /// The memory is reused where nothing else holds this tensor: `cache = cache.slice_update(..)?`.
    #[track_caller]
    pub fn slice_update(&self, update: &Tensor, start: &[i32], stop: &[i32]) -> Result<Tensor> {
        ops::slice_update(&self.0, &update.0, start, stop, &vec![1; start.len()]).map(Tensor)
    }

    /// [`Tensor::slice_update`] where an integer tensor gives the start on each of `axes`; the part has the shape of `update`.
    /// The start is not checked.
    #[track_caller]
    pub fn slice_update_dynamic(&self, update: &Tensor, start: &Tensor, axes: &[i32]) -> Result<Tensor> {
        ops::slice_update_dynamic(&self.0, &update.0, &start.0, axes).map(Tensor)
    }

    /// The part of shape `sizes` that begins, on each of `axes`, where an integer tensor says. The start is not checked.
    #[track_caller]
    pub fn slice_dynamic(&self, start: &Tensor, axes: &[i32], sizes: impl AsRef<[i32]>) -> Result<Tensor> {
        ops::slice_dynamic(&self.0, &start.0, axes, sizes.as_ref()).map(Tensor)
    }

    /// The entries of `axis` named by `indices`, whose shape replaces that axis; or of the flattened tensor (`..`). Indices
    /// are not checked.
    #[track_caller]
    pub fn take(&self, indices: &Tensor, axis: impl Axis) -> Result<Tensor> {
        ops::take(&self.0, &indices.0, axis.one()).map(Tensor)
    }

    /// Elements of `axis` named by `indices`, which has the rank of the tensor. Indices are not checked.
    #[track_caller]
    pub fn take_along_axis(&self, indices: &Tensor, axis: i32) -> Result<Tensor> {
        ops::take_along_axis(&self.0, &indices.0, axis).map(Tensor)
    }

    /// The tensor with the elements named by `indices` replaced by `values`. Indices are not checked.
    #[track_caller]
    pub fn put_along_axis(&self, indices: &Tensor, values: &Tensor, axis: i32) -> Result<Tensor> {
        ops::put_along_axis(&self.0, &indices.0, &values.0, axis).map(Tensor)
    }

    /// The tensor with `values` added to the elements named by `indices`. Indices are not checked.
    #[track_caller]
    pub fn scatter_add_axis(&self, indices: &Tensor, values: &Tensor, axis: i32) -> Result<Tensor> {
        ops::scatter_add_axis(&self.0, &indices.0, &values.0, axis).map(Tensor)
    }
}

methods! {
    /// The diagonal of two axes, as the last axis.
    fn diagonal(offset: i32, axis1: i32, axis2: i32);
}
