//! Indexing: `x.i((.., -1, 2.., New))`, gathers, and writes to a slice.

use crate::tensor::methods;
use crate::{Axis, Tensor};
use mlx_core::{Error, Result, ops};
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo};

/// A new axis of size 1.
#[derive(Clone, Copy, Debug)]
pub struct New;

/// All axes that the other indices leave, whole (Python's `...`).
#[derive(Clone, Copy, Debug)]
pub struct Rest;

/// One entry of an index. Negative positions count from the end.
#[derive(Clone, Copy, Debug)]
pub enum Index {
    /// One position; the axis disappears.
    At(i32),
    /// Positions `start..stop`, clipped to the axis.
    Span(Option<i32>, Option<i32>),
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
    RangeTo<i32>, range => Self::Span(None, Some(range.end));
    RangeInclusive<i32>, range => Self::Span(Some(*range.start()), if *range.end() == -1 { None } else { Some(*range.end() + 1) });
    New, _new => Self::New;
    Rest, _rest => Self::Rest;
}

/// What [`Tensor::i`] takes: one index or a tuple of up to six.
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

/// A resolved index: the slice per axis, then the axes to drop and to add.
#[derive(Default)]
struct Plan {
    start: Vec<i32>,
    stop: Vec<i32>,
    dropped: Vec<i32>,
    added: Vec<i32>,
}

impl Plan {
    fn keep(&mut self, start: i32, stop: i32) {
        self.start.push(start);
        self.stop.push(stop);
    }

    fn new(shape: &[i32], indices: &[Index]) -> Result<Self, String> {
        let used = indices.iter().filter(|index| matches!(index, Index::At(_) | Index::Span(..))).count();
        if used > shape.len() {
            return Err(format!("[i] {used} indices for shape {shape:?}"));
        }
        let mut left = shape.len() - used;
        let (mut plan, mut out) = (Self::default(), 0);
        for index in indices {
            let axis = plan.start.len();
            match *index {
                Index::New => {
                    plan.added.push(out);
                    out += 1;
                }
                Index::Rest => {
                    shape[axis..axis + left].iter().for_each(|&size| plan.keep(0, size));
                    out += std::mem::take(&mut left) as i32;
                }
                Index::Span(start, stop) => {
                    let bound = |v: i32| if v < 0 { v + shape[axis] } else { v }.clamp(0, shape[axis]);
                    let start = start.map_or(0, bound);
                    plan.keep(start, stop.map_or(shape[axis], bound).max(start));
                    out += 1;
                }
                Index::At(at) => {
                    let position = if at < 0 { at + shape[axis] } else { at };
                    if !(0..shape[axis]).contains(&position) {
                        return Err(format!("[i] index {at} is out of range for axis {axis} of shape {shape:?}"));
                    }
                    plan.dropped.push(axis as i32);
                    plan.keep(position, position + 1);
                }
            }
        }
        shape[plan.start.len()..].iter().for_each(|&size| plan.keep(0, size));
        Ok(plan)
    }
}

impl Tensor {
    /// The part of the tensor named by positions, ranges, new axes ([`New`]) and [`Rest`]; axes not named stay whole.
    ///
    /// ```
    /// use mlx_ops::{Dtype, New, Rest, arange};
    /// let x = arange(0.0, 24.0, 1.0, Dtype::I32)?.reshape([2, 3, 4])?;
    /// assert_eq!(x.i((.., -1, 2.., New))?.shape(), [2, 2, 1]);
    /// assert_eq!(x.i((1, Rest, 0))?.to_vec::<i32>()?, [12, 16, 20]);
    /// assert!(x.i(2).is_err());
    /// # Ok::<(), mlx_ops::Error>(())
    /// ```
    #[track_caller]
    pub fn i(&self, indices: impl Indices) -> Result<Tensor> {
        let plan = match indices.with(|indices| Plan::new(self.shape(), indices)) {
            Ok(plan) => plan,
            Err(message) => return Err(Error::new(message)),
        };
        let whole = plan.start.iter().all(|&start| start == 0) && plan.stop == self.shape();
        let mut x = self.0.clone();
        if !whole {
            x = ops::slice(&x, &plan.start, &plan.stop, &vec![1; plan.start.len()])?;
        }
        if !plan.dropped.is_empty() {
            x = ops::squeeze(&x, &plan.dropped)?;
        }
        if !plan.added.is_empty() {
            x = ops::expand_dims(&x, &plan.added)?;
        }
        Ok(Tensor(x))
    }

    /// The tensor with the part that `start..stop` (one bound per axis) names replaced by `update`.
    ///
    /// The memory is reused where nothing else holds this tensor: `cache = cache.slice_update(..)?`.
    #[track_caller]
    pub fn slice_update(&self, update: &Tensor, start: &[i32], stop: &[i32]) -> Result<Tensor> {
        ops::slice_update(&self.0, &update.0, start, stop, &vec![1; start.len()]).map(Tensor)
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
