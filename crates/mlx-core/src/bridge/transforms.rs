//! C++ side of [`transforms`](crate::transforms), [`compile`](crate::compile) and [`export`](crate::export): shim/transforms.h.

use crate::closure::{Borrowed, Kept, call_borrowed, call_kept};

#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    /// Two lists of arrays.
    struct Pair {
        first: Vec<Array>,
        second: Vec<Array>,
    }

    /// What MLX asks of a kept closure.
    #[derive(Debug)]
    enum Role {
        /// The result for the arrays.
        Call,
        /// Gradients: primals, cotangents and outputs in a row; the numbers count the first two.
        Vjp,
        /// Tangents of the results: primals, then the tangents of those that the numbers name.
        Jvp,
        /// Results mapped over axis 0: inputs, whose mapped axes are the numbers, -1 for none.
        Vmap,
    }

    extern "Rust" {
        type Borrowed<'a>;
        unsafe fn call_borrowed<'a>(f: &Borrowed<'a>, inputs: &[Array]) -> Result<Vec<Array>>;
        type Kept;
        fn call_kept(f: &Kept, role: Role, arrays: &[Array], numbers: &[i32]) -> Result<Vec<Array>>;
    }

    unsafe extern "C++" {
        include!("mlx-core/shim/transforms.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;

        unsafe fn vjp<'a>(f: &Borrowed<'a>, primals: &[Array], cotangents: &[Array]) -> Result<Pair>;
        unsafe fn jvp<'a>(f: &Borrowed<'a>, primals: &[Array], tangents: &[Array]) -> Result<Pair>;
        unsafe fn value_and_grad<'a>(f: &Borrowed<'a>, inputs: &[Array], argnums: &[i32]) -> Result<Pair>;
        unsafe fn vmap_trace<'a>(f: &Borrowed<'a>, inputs: &[Array], axes: &[i32]) -> Result<Pair>;
        fn vmap_replace(inputs: &[Array], trace: &Pair, axes: &[i32], out_axes: &[i32]) -> Result<Vec<Array>>;

        type Function;
        fn call(self: &Function, inputs: &[Array]) -> Result<Vec<Array>>;
        fn custom_function(f: Box<Kept>, vjp: bool, jvp: bool, vmap: bool) -> Result<UniquePtr<Function>>;
        fn checkpoint(f: Box<Kept>) -> Result<UniquePtr<Function>>;

        type Trace;
        fn replay(self: &Trace, inputs: &[Array]) -> Result<Vec<Array>>;
        unsafe fn trace_function<'a>(f: &Borrowed<'a>, inputs: &[Array], shapeless: bool) -> Result<UniquePtr<Trace>>;
        fn any_tracer(inputs: &[Array]) -> Result<bool>;
        fn stream_key() -> Result<u64>;
        fn set_compile_mode(mode: u8) -> Result<()>;
        fn compile_disabled() -> bool;

        type Exporter;
        unsafe fn add<'a>(
            self: Pin<&mut Exporter>,
            f: &Borrowed<'a>,
            inputs: &[Array],
            names: &[String],
            named: &[Array],
        ) -> Result<()>;
        fn exporter(path: &str, shapeless: bool, metadata: &str) -> Result<UniquePtr<Exporter>>;

        type Imported;
        #[cxx_name = "call"]
        fn call_imported(self: &Imported, inputs: &[Array], names: &[String], named: &[Array]) -> Result<Vec<Array>>;
        fn metadata(self: &Imported) -> Result<String>;
        fn import_function(path: &str) -> Result<UniquePtr<Imported>>;

        fn export_to_dot(outputs: &[Array], names: &[String], named: &[Array]) -> Result<String>;
        fn print_graph(outputs: &[Array], names: &[String], named: &[Array]) -> Result<String>;
    }
}
