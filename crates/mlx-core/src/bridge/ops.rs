//! C++ side of `ops`: shim/ops.h.

#[allow(clippy::too_many_arguments)]
#[cxx::bridge(namespace = "mlx_shim")]
pub(crate) mod ffi {
    unsafe extern "C++" {
        include!("mlx-core/shim/ops.h");
        #[namespace = "mlx::core"]
        #[cxx_name = "array"]
        type Array = crate::array::Array;

        fn arange(start: f64, stop: f64, step: f64, dtype: u8) -> Result<Array>;
        fn linspace(start: f64, stop: f64, num: i32, dtype: u8) -> Result<Array>;
        fn full(dims: &[i32], value: &Array, dtype: u8) -> Result<Array>;
        fn zeros(dims: &[i32], dtype: u8) -> Result<Array>;
        fn ones(dims: &[i32], dtype: u8) -> Result<Array>;
        fn eye(n: i32, m: i32, k: i32, dtype: u8) -> Result<Array>;
        fn tri(n: i32, m: i32, k: i32, dtype: u8) -> Result<Array>;
        fn tril(a: &Array, k: i32) -> Result<Array>;
        fn triu(a: &Array, k: i32) -> Result<Array>;
        fn astype(a: &Array, dtype: u8) -> Result<Array>;
        fn view(a: &Array, dtype: u8) -> Result<Array>;
        fn contiguous(a: &Array) -> Result<Array>;
        fn copy(a: &Array) -> Result<Array>;
        fn stop_gradient(a: &Array) -> Result<Array>;
        fn reshape(a: &Array, dims: &[i32]) -> Result<Array>;
        fn flatten(a: &Array, start: i32, end: i32) -> Result<Array>;
        fn unflatten(a: &Array, axis: i32, dims: &[i32]) -> Result<Array>;
        fn squeeze(a: &Array, axes: &[i32]) -> Result<Array>;
        fn expand_dims(a: &Array, axes: &[i32]) -> Result<Array>;
        fn transpose(a: &Array, axes: &[i32]) -> Result<Array>;
        fn reverse_axes(a: &Array) -> Result<Array>;
        fn swapaxes(a: &Array, axis1: i32, axis2: i32) -> Result<Array>;
        fn moveaxis(a: &Array, source: i32, destination: i32) -> Result<Array>;
        fn broadcast_to(a: &Array, dims: &[i32]) -> Result<Array>;
        fn flip(a: &Array, axes: &[i32]) -> Result<Array>;
        fn roll(a: &Array, shift: i32, axis: i32) -> Result<Array>;
        fn slice(a: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Result<Array>;
        fn slice_update(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Result<Array>;
        fn split(a: &Array, indices: &[i32], axis: i32) -> Result<Vec<Array>>;
        fn split_equal(a: &Array, parts: i32, axis: i32) -> Result<Vec<Array>>;
        fn concatenate(arrays: &[Array], axis: i32) -> Result<Array>;
        fn stack(arrays: &[Array], axis: i32) -> Result<Array>;
        fn repeat(a: &Array, repeats: i32, axis: i32) -> Result<Array>;
        fn tile(a: &Array, reps: &[i32]) -> Result<Array>;
        fn pad(a: &Array, axes: &[i32], low: &[i32], high: &[i32], value: &Array) -> Result<Array>;
        fn diagonal(a: &Array, offset: i32, axis1: i32, axis2: i32) -> Result<Array>;
        fn diag(a: &Array, k: i32) -> Result<Array>;
        fn equal(a: &Array, b: &Array) -> Result<Array>;
        fn not_equal(a: &Array, b: &Array) -> Result<Array>;
        fn greater(a: &Array, b: &Array) -> Result<Array>;
        fn greater_equal(a: &Array, b: &Array) -> Result<Array>;
        fn less(a: &Array, b: &Array) -> Result<Array>;
        fn less_equal(a: &Array, b: &Array) -> Result<Array>;
        fn array_equal(a: &Array, b: &Array, equal_nan: bool) -> Result<Array>;
        fn allclose(a: &Array, b: &Array, rtol: f64, atol: f64, equal_nan: bool) -> Result<Array>;
        fn isclose(a: &Array, b: &Array, rtol: f64, atol: f64, equal_nan: bool) -> Result<Array>;
        fn isnan(a: &Array) -> Result<Array>;
        fn isinf(a: &Array) -> Result<Array>;
        fn isfinite(a: &Array) -> Result<Array>;
        fn logical_not(a: &Array) -> Result<Array>;
        fn logical_and(a: &Array, b: &Array) -> Result<Array>;
        fn logical_or(a: &Array, b: &Array) -> Result<Array>;
        fn select(condition: &Array, x: &Array, y: &Array) -> Result<Array>;
        fn sum(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn mean(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn var(a: &Array, axes: &[i32], keepdims: bool, ddof: i32) -> Result<Array>;
        fn std(a: &Array, axes: &[i32], keepdims: bool, ddof: i32) -> Result<Array>;
        fn prod(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn max(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn min(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn all(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn any(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn logsumexp(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn softmax(a: &Array, axes: &[i32], precise: bool) -> Result<Array>;
        fn argmax(a: &Array, axis: i32, keepdims: bool) -> Result<Array>;
        fn argmin(a: &Array, axis: i32, keepdims: bool) -> Result<Array>;
        fn cumsum(a: &Array, axis: i32, reverse: bool, inclusive: bool) -> Result<Array>;
        fn cumprod(a: &Array, axis: i32, reverse: bool, inclusive: bool) -> Result<Array>;
        fn sort(a: &Array, axis: i32) -> Result<Array>;
        fn argsort(a: &Array, axis: i32) -> Result<Array>;
        fn partition(a: &Array, kth: i32, axis: i32) -> Result<Array>;
        fn argpartition(a: &Array, kth: i32, axis: i32) -> Result<Array>;
        fn topk(a: &Array, k: i32, axis: i32) -> Result<Array>;
        fn abs(a: &Array) -> Result<Array>;
        fn negative(a: &Array) -> Result<Array>;
        fn sign(a: &Array) -> Result<Array>;
        fn reciprocal(a: &Array) -> Result<Array>;
        fn floor(a: &Array) -> Result<Array>;
        fn ceil(a: &Array) -> Result<Array>;
        fn round(a: &Array, decimals: i32) -> Result<Array>;
        fn square(a: &Array) -> Result<Array>;
        fn sqrt(a: &Array) -> Result<Array>;
        fn rsqrt(a: &Array) -> Result<Array>;
        fn exp(a: &Array) -> Result<Array>;
        fn expm1(a: &Array) -> Result<Array>;
        fn log(a: &Array) -> Result<Array>;
        fn log2(a: &Array) -> Result<Array>;
        fn log10(a: &Array) -> Result<Array>;
        fn log1p(a: &Array) -> Result<Array>;
        fn sin(a: &Array) -> Result<Array>;
        fn cos(a: &Array) -> Result<Array>;
        fn tan(a: &Array) -> Result<Array>;
        fn arcsin(a: &Array) -> Result<Array>;
        fn arccos(a: &Array) -> Result<Array>;
        fn arctan(a: &Array) -> Result<Array>;
        fn sinh(a: &Array) -> Result<Array>;
        fn cosh(a: &Array) -> Result<Array>;
        fn tanh(a: &Array) -> Result<Array>;
        fn erf(a: &Array) -> Result<Array>;
        fn erfinv(a: &Array) -> Result<Array>;
        fn sigmoid(a: &Array) -> Result<Array>;
        fn nan_to_num(a: &Array, nan: f32, posinf: f32, neginf: f32) -> Result<Array>;
        fn add(a: &Array, b: &Array) -> Result<Array>;
        fn subtract(a: &Array, b: &Array) -> Result<Array>;
        fn multiply(a: &Array, b: &Array) -> Result<Array>;
        fn divide(a: &Array, b: &Array) -> Result<Array>;
        fn floor_divide(a: &Array, b: &Array) -> Result<Array>;
        fn remainder(a: &Array, b: &Array) -> Result<Array>;
        fn power(a: &Array, b: &Array) -> Result<Array>;
        fn maximum(a: &Array, b: &Array) -> Result<Array>;
        fn minimum(a: &Array, b: &Array) -> Result<Array>;
        fn logaddexp(a: &Array, b: &Array) -> Result<Array>;
        fn arctan2(a: &Array, b: &Array) -> Result<Array>;
        fn bitwise_and(a: &Array, b: &Array) -> Result<Array>;
        fn bitwise_or(a: &Array, b: &Array) -> Result<Array>;
        fn bitwise_xor(a: &Array, b: &Array) -> Result<Array>;
        fn left_shift(a: &Array, b: &Array) -> Result<Array>;
        fn right_shift(a: &Array, b: &Array) -> Result<Array>;
        fn clip(a: &Array, min: &[Array], max: &[Array]) -> Result<Array>;
        fn matmul(a: &Array, b: &Array) -> Result<Array>;
        fn addmm(c: &Array, a: &Array, b: &Array, alpha: f32, beta: f32) -> Result<Array>;
        fn outer(a: &Array, b: &Array) -> Result<Array>;
        fn inner(a: &Array, b: &Array) -> Result<Array>;
        fn tensordot(a: &Array, b: &Array, axes_a: &[i32], axes_b: &[i32]) -> Result<Array>;
        fn quantize(w: &Array, group_size: i32, bits: i32, mode: &str) -> Result<Vec<Array>>;
        fn dequantize(
            w: &Array,
            scales: &Array,
            biases: &[Array],
            group_size: i32,
            bits: i32,
            mode: &str,
        ) -> Result<Array>;
        fn quantized_matmul(
            x: &Array,
            w: &Array,
            scales: &Array,
            biases: &[Array],
            transpose: bool,
            group_size: i32,
            bits: i32,
            mode: &str,
        ) -> Result<Array>;
        fn gather_mm(a: &Array, b: &Array, lhs: &[Array], rhs: &[Array], sorted: bool) -> Result<Array>;
        fn gather_qmm(
            x: &Array,
            w: &Array,
            scales: &Array,
            biases: &[Array],
            lhs: &[Array],
            rhs: &[Array],
            transpose: bool,
            group_size: i32,
            bits: i32,
            mode: &str,
            sorted: bool,
        ) -> Result<Array>;
        fn take(a: &Array, indices: &Array, axis: i32) -> Result<Array>;
        fn take_along_axis(a: &Array, indices: &Array, axis: i32) -> Result<Array>;
        fn put_along_axis(a: &Array, indices: &Array, values: &Array, axis: i32) -> Result<Array>;
        fn scatter_add_axis(a: &Array, indices: &Array, values: &Array, axis: i32) -> Result<Array>;
    }
}
