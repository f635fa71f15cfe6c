//! C++ side of devices, streams and memory: shim/runtime.h.

#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    unsafe extern "C++" {
        include!("mlx-core/shim/runtime.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;

        fn version() -> &'static str;
        fn promote_types(a: u8, b: u8) -> u8;
        fn seed(seed: u64) -> Result<()>;
        fn default_device_is_gpu() -> Result<bool>;
        fn default_device_index() -> Result<i32>;
        fn set_default_device(gpu: bool, index: i32) -> Result<()>;
        fn device_available(gpu: bool, index: i32) -> Result<bool>;
        fn device_count(gpu: bool) -> Result<i32>;
        fn device_info(gpu: bool, index: i32) -> Result<Vec<String>>;

        fn new_stream(gpu: bool, device: i32) -> Result<i32>;
        fn new_thread_unsafe_stream(gpu: bool, device: i32) -> Result<i32>;
        fn new_thread_local_stream(gpu: bool, device: i32) -> Result<i32>;
        fn stream_from_thread_local_stream(gpu: bool, device: i32, index: i32) -> Result<i32>;
        fn synchronize_thread_local(gpu: bool, device: i32, index: i32) -> Result<()>;
        fn synchronize_default() -> Result<()>;
        fn peek_default_stream(gpu: bool, device: i32) -> Result<i32>;
        fn set_default_stream(gpu: bool, device: i32, index: i32) -> Result<()>;
        fn get_streams() -> Result<Vec<i32>>;
        fn clear_streams() -> Result<()>;
        fn default_stream(gpu: bool, device: i32) -> Result<i32>;
        fn synchronize(gpu: bool, device: i32, index: i32) -> Result<()>;
        fn scope_stream(gpu: bool, device: i32, index: i32) -> bool;
        fn unscope_stream();
        fn has_scoped_stream() -> bool;
        fn scoped_stream_is_gpu() -> bool;
        fn scoped_stream_device() -> i32;
        fn scoped_stream_index() -> i32;

        fn active_memory() -> Result<usize>;
        fn peak_memory() -> Result<usize>;
        fn reset_peak_memory() -> Result<()>;
        fn cache_memory() -> Result<usize>;
        fn memory_limit() -> Result<usize>;
        fn set_memory_limit(bytes: usize) -> Result<usize>;
        fn set_cache_limit(bytes: usize) -> Result<usize>;
        fn set_wired_limit(bytes: usize) -> Result<usize>;
        fn clear_cache() -> Result<()>;
        fn trim() -> Result<()>;
        fn buffer_size(arrays: &[Array]) -> Result<usize>;
    }
}
