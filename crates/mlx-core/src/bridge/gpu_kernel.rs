//! C++ side of [`gpu_kernel`](crate::gpu_kernel): shim/gpu_kernel.h and shim/gpu_kernel.cc.

#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    /// A kernel's name, the names of its arrays, its body and what stands before it.
    struct Source {
        name: String,
        inputs: Vec<String>,
        outputs: Vec<String>,
        body: String,
        header: String,
        row_contiguous: bool,
    }

    struct OutputSpec {
        dims: Vec<i32>,
        dtype: u8,
    }

    /// A template argument or a scalar: `kind` says which field counts.
    struct Parameter {
        name: String,
        kind: u8,
        integer: i32,
        real: f32,
    }

    struct Launch {
        outputs: Vec<OutputSpec>,
        grid: [i32; 3],
        threadgroup: [i32; 3],
        parameters: Vec<Parameter>,
        init: f32,
        verbose: bool,
    }

    unsafe extern "C++" {
        include!("mlx-core/shim/gpu_kernel.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;
        type GpuKernel;

        fn metal_kernel(source: &Source, atomic_outputs: bool, math: i32) -> Result<UniquePtr<GpuKernel>>;
        fn cuda_kernel(source: &Source, shared_memory: i32) -> Result<UniquePtr<GpuKernel>>;
        fn launch(kernel: &GpuKernel, inputs: &[Array], launch: &Launch) -> Result<Vec<Array>>;
        fn precompiled_cuda_kernel(
            name: &str,
            compiled: &[u8],
            inputs: &[Array],
            launch: &Launch,
            shared_memory: i32,
            row_contiguous: bool,
        ) -> Result<Vec<Array>>;
    }
}
