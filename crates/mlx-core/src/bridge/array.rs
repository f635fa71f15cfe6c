//! C++ side of [`Array`](crate::Array): shim/array.h.

#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    unsafe extern "C++" {
        include!("mlx-core/shim/array.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;

        fn clone_array(a: &Array) -> Array;
        fn drop_array(a: &mut Array);
        fn shape_of(a: &Array) -> &[i32];
        fn dtype_of(a: &Array) -> u8;
        fn size_of(a: &Array) -> usize;
        fn from_bytes(bytes: &[u8], dims: &[i32], dtype: u8) -> Result<Array>;
        fn scalar_f64(value: f64, dtype: u8) -> Result<Array>;
        fn scalar_i64(value: i64, dtype: u8) -> Result<Array>;
        fn eval(arrays: &[Array]) -> Result<()>;
        fn async_eval(arrays: &[Array]) -> Result<()>;
        fn is_available(a: &Array) -> bool;
        fn bytes_of(a: &Array) -> Result<&[u8]>;
        fn is_row_contiguous(a: &Array) -> Result<bool>;
        fn add_chain(a: &Array, b: &Array, n: usize) -> Result<Array>;
    }

    impl Vec<Array> {}
}
