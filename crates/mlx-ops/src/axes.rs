//! How axes are named.

use std::ops::RangeFull;

/// The axes of a reduction: one (`-1`), several (`[0, 2]`), or all (`..`). Negative axes count from the end; none (`[]`)
/// reduces nothing.
///
/// ```
/// use mlx_ops::{Dtype, ones};
/// let x = ones([2, 3, 4], Dtype::F32)?;
/// assert_eq!(x.sum(-1, false)?.shape(), [2, 3]);
/// assert_eq!(x.sum([0, 2], true)?.shape(), [1, 3, 1]);
/// assert_eq!(x.sum(.., false)?.item::<f32>()?, 24.0);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
pub trait Axes {
    /// Whether these are all axes because none is named.
    #[doc(hidden)]
    fn are_all(&self) -> bool {
        false
    }

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

impl<const N: usize> Axes for &[i32; N] {
    #[track_caller]
    fn with<T>(self, _: usize, f: impl FnOnce(&[i32]) -> T) -> T {
        f(self)
    }
}

impl Axes for &Vec<i32> {
    #[track_caller]
    fn with<T>(self, _: usize, f: impl FnOnce(&[i32]) -> T) -> T {
        f(self)
    }
}

impl Axes for &[i32] {
    #[track_caller]
    fn with<T>(self, _: usize, f: impl FnOnce(&[i32]) -> T) -> T {
        f(self)
    }
}

impl Axes for RangeFull {
    fn are_all(&self) -> bool {
        true
    }

    #[track_caller]
    fn with<T>(self, ndim: usize, f: impl FnOnce(&[i32]) -> T) -> T {
        let all: Vec<i32> = (0..ndim as i32).collect();
        f(&all)
    }
}

/// The axis of a scan, sort or search: one (`-1`), or all of them flattened (`..`).
pub trait Axis {
    /// The axis, unless all are flattened.
    #[doc(hidden)]
    fn one(self) -> Option<i32>;
}

impl Axis for i32 {
    fn one(self) -> Option<i32> {
        Some(self)
    }
}

impl Axis for RangeFull {
    fn one(self) -> Option<i32> {
        None
    }
}
