//! Kernels in Metal's or CUDA's language as nodes of the lazy graph, as `mlx.core.fast.metal_kernel` and `cuda_kernel`.
//!
//! MLX writes the kernel's signature from the names of its arrays and compiles it when it first runs. There is no gradient
//! but by a custom function around it, and no CPU version: `kernel` is for those.

use crate::bridge::gpu_kernel::ffi;
use crate::call::call;
use crate::{Array, Dtype, Result};

/// A kernel's source.
///
/// The body sees each input by its name, with `<name>_shape`, `<name>_strides` and `<name>_ndim` where it mentions them, and
/// writes to each output by its name.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What MLX calls it; kernels of one name have one source.
    pub name: &'a str,
    /// The names of the inputs, in order.
    pub inputs: &'a [&'a str],
    /// The names of the outputs, in order.
    pub outputs: &'a [&'a str],
    /// The function's body.
    pub body: &'a str,
    /// What stands before the function: includes and functions of its own.
    pub header: &'a str,
    /// Whether inputs are copied into row-major order where they lie otherwise.
    pub row_contiguous: bool,
}

/// How Metal compiles floating-point arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MathMode {
    /// As written.
    Safe,
    /// Reordered, with infinities and NaN kept.
    Relaxed,
    /// Reordered, as if there were no infinity and no NaN.
    Fast,
}

/// A value that a kernel is given when it is launched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument {
    /// An integer.
    Int(i32),
    /// A boolean.
    Bool(bool),
    /// A type, for templates alone.
    Dtype(Dtype),
    /// A float, for scalars of precompiled kernels alone.
    Float(f32),
}

impl Argument {
    /// Kind, integer, float; shim/gpu_kernel.cc knows the kinds in this order.
    fn parts(self) -> (u8, i32, f32) {
        match self {
            Self::Int(v) => (0, v, 0.0),
            Self::Bool(v) => (1, v.into(), 0.0),
            Self::Dtype(v) => (2, v as i32, 0.0),
            Self::Float(v) => (3, 0, v),
        }
    }
}

/// What one launch needs beside the inputs.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// Shape and dtype of each output.
    pub outputs: &'a [(&'a [i32], Dtype)],
    /// Threads in all, by axis.
    pub grid: [i32; 3],
    /// Threads of a group, by axis.
    pub threadgroup: [i32; 3],
    /// Template arguments by name; scalars in order where the kernel is precompiled.
    pub arguments: &'a [(&'a str, Argument)],
    /// What outputs hold before the kernel runs; without it, anything.
    pub init: Option<f32>,
    /// Whether to print the generated source.
    pub verbose: bool,
}

impl Launch<'_> {
    fn ffi(&self) -> ffi::Launch {
        let output = |&(dims, dtype): &(&[i32], Dtype)| ffi::OutputSpec { dims: dims.to_vec(), dtype: dtype as u8 };
        let parameter = |&(name, argument): &(&str, Argument)| {
            let (kind, integer, real) = argument.parts();
            ffi::Parameter { name: name.to_owned(), kind, integer, real }
        };
        ffi::Launch {
            outputs: self.outputs.iter().map(output).collect(),
            grid: self.grid,
            threadgroup: self.threadgroup,
            parameters: self.arguments.iter().map(parameter).collect(),
            init: self.init.unwrap_or(f32::NAN),
            verbose: self.verbose,
        }
    }
}

impl Source<'_> {
    fn ffi(&self) -> ffi::Source {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        ffi::Source {
            name: self.name.to_owned(),
            inputs: owned(self.inputs),
            outputs: owned(self.outputs),
            body: self.body.to_owned(),
            header: self.header.to_owned(),
            row_contiguous: self.row_contiguous,
        }
    }
}

/// A kernel for a GPU.
///
/// ```
/// use mlx_core::gpu_kernel::{Argument, GpuKernel, Launch, Source};
/// use mlx_core::{Array, Device, Dtype};
/// let double = Source {
///     name: "double_it",
///     inputs: &["x"],
///     outputs: &["y"],
///     body: "auto i = cooperative_groups::this_grid().thread_rank(); y[i] = T(2) * x[i];",
///     header: "",
///     row_contiguous: true,
/// };
/// let x = Array::from_slice(&[1f32, 2.0], &[2])?;
/// match GpuKernel::cuda(&double, 0) {
///     Ok(kernel) if Device::current()? != Device::Cpu => {
///         let launch = Launch {
///             outputs: &[(&[2], Dtype::F32)],
///             grid: [2, 1, 1],
///             threadgroup: [2, 1, 1],
///             arguments: &[("T", Argument::Dtype(Dtype::F32))],
///             init: None,
///             verbose: false,
///         };
///         assert_eq!(kernel.launch(&[x], &launch)?[0].to_vec::<f32>()?, [2.0, 4.0]);
///     }
///     // An MLX without CUDA says so.
///     Ok(_) => {}
///     Err(e) => assert!(e.message().starts_with("[cuda_kernel]")),
/// }
/// # Ok::<(), mlx_core::Error>(())
/// ```
pub struct GpuKernel(cxx::UniquePtr<ffi::GpuKernel>);

impl GpuKernel {
    /// A Metal kernel; `atomic_outputs` makes the outputs' elements atomic. Where MLX is built without Metal, an error now or at launch.
    #[track_caller]
    pub fn metal(source: &Source<'_>, atomic_outputs: bool, math: MathMode) -> Result<Self> {
        call!(ffi::metal_kernel(&source.ffi(), atomic_outputs, math as i32)).map(Self)
    }

    /// A CUDA kernel with so many bytes of shared memory. An error where MLX is built without CUDA.
    #[track_caller]
    pub fn cuda(source: &Source<'_>, shared_memory: i32) -> Result<Self> {
        call!(ffi::cuda_kernel(&source.ffi(), shared_memory)).map(Self)
    }

    /// The lazy outputs; an error where the inputs are not as many as the source names.
    #[track_caller]
    pub fn launch(&self, inputs: &[Array], launch: &Launch<'_>) -> Result<Vec<Array>> {
        call!(ffi::launch(&self.0, inputs, &launch.ffi()))
    }
}

/// The lazy outputs of a CUDA kernel that was compiled before: PTX or a cubin, with its function's name.
#[track_caller]
pub fn precompiled_cuda_kernel(
    name: &str,
    compiled: &[u8],
    inputs: &[Array],
    launch: &Launch<'_>,
    shared_memory: i32,
    row_contiguous: bool,
) -> Result<Vec<Array>> {
    call!(ffi::precompiled_cuda_kernel(name, compiled, inputs, &launch.ffi(), shared_memory, row_contiguous))
}
