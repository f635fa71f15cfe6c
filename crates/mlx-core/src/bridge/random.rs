//! C++ side of `random`: shim/random.h.

#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    unsafe extern "C++" {
        include!("mlx-core/shim/random.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;

        fn key(seed: usize) -> Result<Array>;
        fn split_key(key: &Array, num: i32) -> Result<Array>;
        fn bits(dims: &[i32], width: i32, key: &[Array]) -> Result<Array>;
        fn uniform(low: &Array, high: &Array, dims: &[i32], dtype: u8, key: &[Array]) -> Result<Array>;
        fn normal(dims: &[i32], dtype: u8, key: &[Array]) -> Result<Array>;
        fn randint(low: &Array, high: &Array, dims: &[i32], dtype: u8, key: &[Array]) -> Result<Array>;
        fn bernoulli(p: &Array, dims: &[i32], key: &[Array]) -> Result<Array>;
        fn gumbel(dims: &[i32], dtype: u8, key: &[Array]) -> Result<Array>;
        fn categorical(logits: &Array, axis: i32, key: &[Array]) -> Result<Array>;
    }
}
