//! C++ side of files: shim/io.h.

#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    /// A GGUF list of strings.
    struct TextList {
        items: Vec<String>,
    }

    /// What a tensor file holds, maps as parallel lists.
    struct TensorFile {
        names: Vec<String>,
        arrays: Vec<Array>,
        text_keys: Vec<String>,
        text_values: Vec<String>,
        value_keys: Vec<String>,
        values: Vec<Array>,
        list_keys: Vec<String>,
        lists: Vec<TextList>,
    }

    unsafe extern "C++" {
        include!("mlx-core/shim/io.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;

        fn load_safetensors(path: &str) -> Result<TensorFile>;
        fn save_safetensors(
            path: &str,
            names: &[String],
            arrays: &[Array],
            keys: &[String],
            values: &[String],
        ) -> Result<()>;
        fn load_safetensors_bytes(bytes: &[u8]) -> Result<TensorFile>;
        fn save_safetensors_bytes(
            names: &[String],
            arrays: &[Array],
            keys: &[String],
            values: &[String],
        ) -> Result<Vec<u8>>;
        fn load(path: &str) -> Result<Array>;
        fn load_bytes(bytes: &[u8]) -> Result<Array>;
        fn save(path: &str, a: &Array) -> Result<()>;
        fn save_bytes(a: &Array) -> Result<Vec<u8>>;
        fn load_gguf(path: &str) -> Result<TensorFile>;
        fn save_gguf(path: &str, file: &TensorFile) -> Result<()>;
    }
}
