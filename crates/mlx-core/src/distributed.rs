//! Processes that compute together, as `mlx.core.distributed`.
//!
//! How processes find each other is the backend's matter, in environment variables as for Python. A ring of two on one
//! machine: a file `[["127.0.0.1:5001"], ["127.0.0.1:5002"]]`, whose path is `MLX_HOSTFILE`, and `MLX_RANK` 0 or 1. Every
//! process of a group has to call the same operations in the same order. Where one of them ends, evaluation in the others
//! gives an error.
//!
//! ```
//! use mlx_core::{Array, distributed::{self, Backend}};
//! // Without the variables: a group of this process alone, in which a sum is what it was.
//! let group = distributed::init(false, Backend::Ring)?;
//! assert_eq!((group.rank(), group.size()), (0, 1));
//! let x = Array::from_slice(&[1f32, 2.0], &[2])?;
//! assert_eq!(distributed::all_sum(&x, &group)?.to_vec::<f32>()?, [1.0, 2.0]);
//! # Ok::<(), mlx_core::Error>(())
//! ```

use crate::bridge::distributed::ffi;
use crate::call::{Argument, call, functions};
use crate::{Array, Dtype, Result};
use std::fmt;

/// How processes talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The first that is there and finds its variables.
    Any,
    /// TCP in a ring.
    Ring,
    /// A message-passing library, found when the program runs.
    Mpi,
    /// NVIDIA's library, for GPUs.
    Nccl,
    /// Thunderbolt on Macs.
    Jaccl,
}

impl Backend {
    fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Ring => "ring",
            Self::Mpi => "mpi",
            Self::Nccl => "nccl",
            Self::Jaccl => "jaccl",
        }
    }

    /// Whether the MLX in use has the backend, and the library that it needs is there.
    #[track_caller]
    pub fn is_available(self) -> Result<bool> {
        call!(ffi::available(self.name()))
    }
}

/// Processes that can talk to each other.
pub struct Group {
    group: cxx::UniquePtr<ffi::Group>,
    rank: i32,
    size: i32,
}

impl Group {
    #[track_caller]
    fn new(group: cxx::UniquePtr<ffi::Group>) -> Result<Self> {
        let (rank, size) = (call!(ffi::rank_of(&group))?, call!(ffi::size_of_group(&group))?);
        Ok(Self { group, rank, size })
    }

    /// This process's number in the group, from 0.
    pub fn rank(&self) -> i32 {
        self.rank
    }

    /// How many processes there are.
    pub fn size(&self) -> i32 {
        self.size
    }

    /// The group of the processes that gave the same `color`, in the order of their keys; without one, of their ranks. An
    /// error where the backend cannot split, as the ring cannot.
    #[track_caller]
    pub fn split(&self, color: i32, key: Option<i32>) -> Result<Self> {
        Self::new(call!(ffi::split_group(&self.group, color, key.unwrap_or(-1)))?)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group(rank {} of {})", self.rank, self.size)
    }
}

impl<'a> Argument for &'a Group {
    type Ffi = &'a ffi::Group;
    fn ffi(self) -> Self::Ffi {
        &self.group
    }
}

/// Meets the other processes. Where the backend is not set up, an error if `strict`, else a group of this process alone.
#[track_caller]
pub fn init(strict: bool, backend: Backend) -> Result<Group> {
    Group::new(call!(ffi::init(strict, backend.name()))?)
}

functions! { ffi;
    /// Forgets the groups that [`init`] made, so that the next call meets anew.
    fn clear_backends() -> ();
    /// The sum over the group of `x`, which has one shape and dtype in all processes.
    fn all_sum(x: &Array, group: &Group) -> Array;
    /// The maximum over the group, element by element.
    fn all_max(x: &Array, group: &Group) -> Array;
    /// The minimum over the group, element by element.
    fn all_min(x: &Array, group: &Group) -> Array;
    /// Every process's `x`, one after the other along the first axis.
    fn all_gather(x: &Array, group: &Group) -> Array;
    /// This process's part of the sum over the group, split along the first axis; not every backend has it.
    fn sum_scatter(x: &Array, group: &Group) -> Array;
    /// Sends `x` to the process `to`; the result is `x`, and evaluating it sends. In a ring, neighbours alone can be reached.
    fn send(x: &Array, to: i32, group: &Group) -> Array;
    /// An array of this shape and dtype that the process `from` sends.
    fn recv(dims: &[i32], dtype: Dtype, from: i32, group: &Group) -> Array;
    /// As [`recv`], of the shape and dtype of `x`.
    fn recv_like(x: &Array, from: i32, group: &Group) -> Array;
}
