//! C++ side of `linalg`, `fft` and `einsum`: shim/numeric.h.

#[allow(clippy::too_many_arguments)]
#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    unsafe extern "C++" {
        include!("mlx-core/shim/numeric.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;

        fn einsum_path(subscripts: &str, operands: &[Array]) -> Result<Vec<String>>;
        fn norm_ord(a: &Array, ord: f64, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn norm_named(a: &Array, ord: &str, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn norm(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn qr(a: &Array) -> Result<Vec<Array>>;
        fn svd(a: &Array, compute_uv: bool) -> Result<Vec<Array>>;
        fn inv(a: &Array) -> Result<Array>;
        fn tri_inv(a: &Array, upper: bool) -> Result<Array>;
        fn cholesky(a: &Array, upper: bool) -> Result<Array>;
        fn pinv(a: &Array) -> Result<Array>;
        fn cholesky_inv(a: &Array, upper: bool) -> Result<Array>;
        fn lu(a: &Array) -> Result<Vec<Array>>;
        fn lu_factor(a: &Array) -> Result<Vec<Array>>;
        fn solve(a: &Array, b: &Array) -> Result<Array>;
        fn solve_triangular(a: &Array, b: &Array, upper: bool) -> Result<Array>;
        fn cross(a: &Array, b: &Array, axis: i32) -> Result<Array>;
        fn eig(a: &Array) -> Result<Vec<Array>>;
        fn eigvals(a: &Array) -> Result<Array>;
        fn eigvalsh(a: &Array, uplo: &str) -> Result<Array>;
        fn eigh(a: &Array, uplo: &str) -> Result<Vec<Array>>;
        fn det(a: &Array) -> Result<Array>;
        fn slogdet(a: &Array) -> Result<Vec<Array>>;
        fn fftn(a: &Array, n: &[i32], axes: &[i32], norm: u8) -> Result<Array>;
        fn ifftn(a: &Array, n: &[i32], axes: &[i32], norm: u8) -> Result<Array>;
        fn rfftn(a: &Array, n: &[i32], axes: &[i32], norm: u8) -> Result<Array>;
        fn irfftn(a: &Array, n: &[i32], axes: &[i32], norm: u8) -> Result<Array>;
        fn fftfreq(n: i32, d: f64) -> Result<Array>;
        fn rfftfreq(n: i32, d: f64) -> Result<Array>;
        fn fftshift(a: &Array, axes: &[i32]) -> Result<Array>;
        fn ifftshift(a: &Array, axes: &[i32]) -> Result<Array>;
        fn stft(
            x: &Array,
            n_fft: i32,
            hop: i32,
            win_length: i32,
            window: &[Array],
            center: bool,
            pad_mode: &str,
            norm: u8,
            onesided: i8,
        ) -> Result<Array>;
        fn istft(
            x: &Array,
            n_fft: i32,
            hop: i32,
            win_length: i32,
            window: &[Array],
            center: bool,
            norm: u8,
            onesided: i8,
            length: i32,
        ) -> Result<Array>;
        fn einsum(subscripts: &str, operands: &[Array]) -> Result<Array>;
    }
}
