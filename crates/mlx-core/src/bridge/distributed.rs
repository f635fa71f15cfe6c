//! C++ side of `distributed`: shim/distributed.h.

#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    unsafe extern "C++" {
        include!("mlx-core/shim/distributed.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;
        type Group;

        fn available(backend: &str) -> Result<bool>;
        fn init(strict: bool, backend: &str) -> Result<UniquePtr<Group>>;
        fn clear_backends() -> Result<()>;
        fn rank_of(group: &Group) -> Result<i32>;
        fn size_of_group(group: &Group) -> Result<i32>;
        fn split_group(group: &Group, color: i32, key: i32) -> Result<UniquePtr<Group>>;
        fn all_sum(x: &Array, group: &Group) -> Result<Array>;
        fn all_max(x: &Array, group: &Group) -> Result<Array>;
        fn all_min(x: &Array, group: &Group) -> Result<Array>;
        fn all_gather(x: &Array, group: &Group) -> Result<Array>;
        fn sum_scatter(x: &Array, group: &Group) -> Result<Array>;
        fn send(x: &Array, to: i32, group: &Group) -> Result<Array>;
        fn recv(dims: &[i32], dtype: u8, from: i32, group: &Group) -> Result<Array>;
        fn recv_like(x: &Array, from: i32, group: &Group) -> Result<Array>;
    }
}
