//! C++ side of `fast`: shim/fast.h.

#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    unsafe extern "C++" {
        include!("mlx-core/shim/fast.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;

        fn rms_norm(x: &Array, weight: &[Array], eps: f32) -> Result<Array>;
        fn layer_norm(x: &Array, weight: &[Array], bias: &[Array], eps: f32) -> Result<Array>;
        fn rope(
            x: &Array,
            dims: i32,
            traditional: bool,
            base: f32,
            scale: f32,
            offset: i32,
            freqs: &[Array],
        ) -> Result<Array>;
        fn rope_at(
            x: &Array,
            dims: i32,
            traditional: bool,
            base: f32,
            scale: f32,
            offset: &Array,
            freqs: &[Array],
        ) -> Result<Array>;
        fn scaled_dot_product_attention(
            q: &Array,
            k: &Array,
            v: &Array,
            scale: f32,
            mask_mode: &str,
            mask: &[Array],
            sinks: &[Array],
        ) -> Result<Array>;
        fn cross_entropy(logits: &Array, targets: &Array) -> Result<Array>;
        fn gated_delta_update(
            q: &Array,
            k: &Array,
            v: &Array,
            gates: &Array,
            beta: &Array,
            state: &[Array],
            mask: &[Array],
        ) -> Result<Vec<Array>>;
    }
}
