//! C++ side of `random`: shim/random.h.

#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    unsafe extern "C++" {
        include!("mlx-core/shim/random.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;

        fn key(seed: u64) -> Result<Array>;
        fn split_key(key: &Array, num: i32) -> Result<Array>;
        fn bits(dims: &[i32], width: i32, key: &[Array]) -> Result<Array>;
        fn uniform(low: &Array, high: &Array, dims: &[i32], dtype: u8, key: &[Array]) -> Result<Array>;
        fn normal(dims: &[i32], dtype: u8, loc: &[Array], scale: &[Array], key: &[Array]) -> Result<Array>;
        fn randint(low: &Array, high: &Array, dims: &[i32], dtype: u8, key: &[Array]) -> Result<Array>;
        fn bernoulli(p: &Array, dims: &[i32], key: &[Array]) -> Result<Array>;
        fn gumbel(dims: &[i32], dtype: u8, key: &[Array]) -> Result<Array>;
        fn categorical(logits: &Array, axis: i32, key: &[Array]) -> Result<Array>;
        fn multivariate_normal(mean: &Array, cov: &Array, dims: &[i32], dtype: u8, key: &[Array]) -> Result<Array>;
        fn truncated_normal(lower: &Array, upper: &Array, dims: &[i32], dtype: u8, key: &[Array]) -> Result<Array>;
        fn laplace(dims: &[i32], dtype: u8, loc: f32, scale: f32, key: &[Array]) -> Result<Array>;
        fn categorical_num(logits: &Array, axis: i32, num_samples: i32, key: &[Array]) -> Result<Array>;
        fn categorical_shape(logits: &Array, axis: i32, dims: &[i32], key: &[Array]) -> Result<Array>;
        fn permutation(x: &Array, axis: i32, key: &[Array]) -> Result<Array>;
        fn permutation_of(n: i32, key: &[Array]) -> Result<Array>;
    }
}
