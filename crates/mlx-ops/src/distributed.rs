//! Processes that compute together, as `mlx.core.distributed`: see [`mlx_core::distributed`] for how they meet.
//!
//! ```
//! use mlx_ops::distributed::{self, Backend};
//! use mlx_ops::Tensor;
//! let group = distributed::init(false, Backend::Any)?;
//! let x = Tensor::from_slice(&[1f32, 2.0], [2])?;
//! let mean = (distributed::all_sum(&x, &group)? / group.size())?;
//! # if group.size() == 1 { assert_eq!(mean.to_vec::<f32>()?, [1.0, 2.0]); }
//! # Ok::<(), mlx_ops::Error>(())
//! ```

use crate::Tensor;
use mlx_core::distributed as core;
use mlx_core::{Dtype, Result};

pub use mlx_core::distributed::{Backend, Group, clear_backends, init};

macro_rules! collective {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(x: &Tensor, group: &Group) -> Result<Tensor> {
            core::$name(&x.0, group).map(Tensor)
        }
    )* };
}

collective! {
    /// The sum over the group of `x`, which has one shape and dtype in all processes.
    all_sum;
    /// The maximum over the group, element by element.
    all_max;
    /// The minimum over the group, element by element.
    all_min;
    /// Every process's `x`, one after the other along the first axis.
    all_gather;
    /// This process's part of the sum over the group, split along the first axis; not every backend has it.
    sum_scatter;
}

/// Sends `x` to the process `to`; the result is `x`, and evaluating it sends. In a ring, neighbours alone can be reached.
#[track_caller]
pub fn send(x: &Tensor, to: i32, group: &Group) -> Result<Tensor> {
    core::send(&x.0, to, group).map(Tensor)
}

/// A tensor of this shape and dtype that the process `from` sends.
#[track_caller]
pub fn recv(dims: impl AsRef<[i32]>, dtype: Dtype, from: i32, group: &Group) -> Result<Tensor> {
    core::recv(dims.as_ref(), dtype, from, group).map(Tensor)
}

/// As [`recv`], of the shape and dtype of `x`.
#[track_caller]
pub fn recv_like(x: &Tensor, from: i32, group: &Group) -> Result<Tensor> {
    core::recv_like(&x.0, from, group).map(Tensor)
}
