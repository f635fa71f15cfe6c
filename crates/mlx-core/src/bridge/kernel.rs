//! C++ side of [`kernel`](crate::kernel): shim/kernel.h and shim/kernel.cc.

use crate::kernel::{KernelHandle, kernel_fallback, kernel_name, kernel_outputs, run_kernel, same_kernel};

#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    /// Where the values of an evaluated array are; strides count elements. An output starts as a copy of input `start` unless
    /// that is -1.
    #[derive(Clone, Copy)]
    struct View<'a> {
        data: *mut u8,
        shape: &'a [i32],
        strides: &'a [i64],
        dtype: u8,
        row_contiguous: bool,
        start: i32,
    }

    /// A result: its shape and dtype, and the input that it starts as, or -1.
    struct Spec {
        dims: Vec<i32>,
        dtype: u8,
        update: i32,
    }

    extern "Rust" {
        type KernelHandle;
        fn kernel_name(kernel: &KernelHandle) -> *const c_char;
        fn same_kernel(a: &KernelHandle, b: &KernelHandle) -> bool;
        unsafe fn run_kernel<'a>(kernel: &KernelHandle, inputs: &[View<'a>], outputs: &[View<'a>]) -> Result<()>;
        fn kernel_fallback(kernel: &KernelHandle, inputs: &[Array]) -> Result<Vec<Array>>;
        fn kernel_outputs(kernel: &KernelHandle, inputs: &[Array]) -> Result<Vec<Spec>>;
    }

    unsafe extern "C++" {
        include!("mlx-core/shim/kernel.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;

        fn custom_kernel(kernel: Box<KernelHandle>, inputs: &[Array], outputs: &[Spec]) -> Result<Vec<Array>>;
    }
}
