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
        fn linspace(start: f64, stop: f64, num: i32, endpoint: bool, dtype: u8) -> Result<Array>;
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
        fn roll(a: &Array, shifts: &[i32], axes: &[i32]) -> Result<Array>;
        fn slice(a: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Result<Array>;
        fn slice_update(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Result<Array>;
        fn split(a: &Array, indices: &[i32], axis: i32) -> Result<Vec<Array>>;
        fn split_equal(a: &Array, parts: i32, axis: i32) -> Result<Vec<Array>>;
        fn concatenate(arrays: &[Array], axis: i32) -> Result<Array>;
        fn stack(arrays: &[Array], axis: i32) -> Result<Array>;
        fn repeat(a: &Array, repeats: i32, axis: i32) -> Result<Array>;
        fn tile(a: &Array, reps: &[i32]) -> Result<Array>;
        fn pad(a: &Array, axes: &[i32], low: &[i32], high: &[i32], value: &Array, mode: &str) -> Result<Array>;
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
        fn cumsum(a: &Array, axis: i32, reverse: bool, inclusive: bool, dtype: u8) -> Result<Array>;
        fn cumprod(a: &Array, axis: i32, reverse: bool, inclusive: bool, dtype: u8) -> Result<Array>;
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
        fn quantize(w: &Array, group_size: i32, bits: i32, mode: &str, global_scale: &[Array]) -> Result<Vec<Array>>;
        fn dequantize(
            w: &Array,
            scales: &Array,
            biases: &[Array],
            group_size: i32,
            bits: i32,
            mode: &str,
            global_scale: &[Array],
            dtype: u8,
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
            global_scale: &[Array],
            sorted: bool,
        ) -> Result<Array>;
        fn take(a: &Array, indices: &Array, axis: i32) -> Result<Array>;
        fn take_along_axis(a: &Array, indices: &Array, axis: i32) -> Result<Array>;
        fn put_along_axis(a: &Array, indices: &Array, values: &Array, axis: i32) -> Result<Array>;
        fn scatter_add_axis(a: &Array, indices: &Array, values: &Array, axis: i32) -> Result<Array>;
        fn full_like(a: &Array, value: &Array, dtype: u8) -> Result<Array>;
        fn zeros_like(a: &Array, dtype: u8) -> Result<Array>;
        fn ones_like(a: &Array, dtype: u8) -> Result<Array>;
        fn identity(n: i32, dtype: u8) -> Result<Array>;
        fn hanning(m: i32) -> Result<Array>;
        fn hamming(m: i32) -> Result<Array>;
        fn bartlett(m: i32) -> Result<Array>;
        fn blackman(m: i32) -> Result<Array>;
        fn meshgrid(arrays: &[Array], sparse: bool, indexing: &str) -> Result<Vec<Array>>;
        fn positive(a: &Array) -> Result<Array>;
        fn trunc(a: &Array) -> Result<Array>;
        fn degrees(a: &Array) -> Result<Array>;
        fn radians(a: &Array) -> Result<Array>;
        fn arcsinh(a: &Array) -> Result<Array>;
        fn arccosh(a: &Array) -> Result<Array>;
        fn arctanh(a: &Array) -> Result<Array>;
        fn conjugate(a: &Array) -> Result<Array>;
        fn real(a: &Array) -> Result<Array>;
        fn imag(a: &Array) -> Result<Array>;
        fn bitwise_invert(a: &Array) -> Result<Array>;
        fn hadamard_transform(a: &Array, scale: f32) -> Result<Array>;
        fn to_fp8(a: &Array) -> Result<Array>;
        fn from_fp8(a: &Array, dtype: u8) -> Result<Array>;
        fn divmod(a: &Array, b: &Array) -> Result<Vec<Array>>;
        fn isposinf(a: &Array) -> Result<Array>;
        fn isneginf(a: &Array) -> Result<Array>;
        fn logical_xor(a: &Array, b: &Array) -> Result<Array>;
        fn count_nonzero(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn median(a: &Array, axes: &[i32], keepdims: bool) -> Result<Array>;
        fn minmax(a: &Array, axes: &[i32], keepdims: bool) -> Result<Vec<Array>>;
        fn cummax(a: &Array, axis: i32, reverse: bool, inclusive: bool) -> Result<Array>;
        fn cummin(a: &Array, axis: i32, reverse: bool, inclusive: bool) -> Result<Array>;
        fn logcumsumexp(a: &Array, axis: i32, reverse: bool, inclusive: bool) -> Result<Array>;
        fn diff(a: &Array, n: i32, axis: i32) -> Result<Array>;
        fn searchsorted(sorted: &Array, values: &Array, side: &str) -> Result<Array>;
        fn unique(a: &Array, size: i32, index: bool, inverse: bool, counts: bool, fill: &[Array])
        -> Result<Vec<Array>>;
        fn number_of_elements(a: &Array, axes: &[i32], inverted: bool, dtype: u8) -> Result<Array>;
        fn as_strided(a: &Array, dims: &[i32], strides: &[i64], offset: usize) -> Result<Array>;
        fn squeeze_all(a: &Array) -> Result<Array>;
        fn matrix_transpose(a: &Array) -> Result<Array>;
        fn unstack(a: &Array, axis: i32) -> Result<Vec<Array>>;
        fn broadcast_arrays(arrays: &[Array]) -> Result<Vec<Array>>;
        fn atleast_1d(a: &Array) -> Result<Array>;
        fn atleast_2d(a: &Array) -> Result<Array>;
        fn atleast_3d(a: &Array) -> Result<Array>;
        fn trace(a: &Array, offset: i32, axis1: i32, axis2: i32, dtype: u8) -> Result<Array>;
        fn depends(arrays: &[Array], dependencies: &[Array]) -> Result<Vec<Array>>;
        fn slice_dynamic(a: &Array, start: &Array, axes: &[i32], sizes: &[i32]) -> Result<Array>;
        fn slice_update_dynamic(a: &Array, update: &Array, start: &Array, axes: &[i32]) -> Result<Array>;
        fn slice_update_add(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Result<Array>;
        fn slice_update_prod(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Result<Array>;
        fn slice_update_max(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Result<Array>;
        fn slice_update_min(a: &Array, update: &Array, start: &[i32], stop: &[i32], strides: &[i32]) -> Result<Array>;
        fn take_at(a: &Array, index: i32, axis: i32) -> Result<Array>;
        fn gather(a: &Array, indices: &[Array], axes: &[i32], sizes: &[i32]) -> Result<Array>;
        fn scatter(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Result<Array>;
        fn scatter_add(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Result<Array>;
        fn scatter_prod(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Result<Array>;
        fn scatter_max(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Result<Array>;
        fn scatter_min(a: &Array, indices: &[Array], updates: &Array, axes: &[i32]) -> Result<Array>;
        fn masked_scatter(a: &Array, mask: &Array, values: &Array) -> Result<Array>;
        fn kron(a: &Array, b: &Array) -> Result<Array>;
        fn vecdot(a: &Array, b: &Array, axis: i32) -> Result<Array>;
        fn tensordot_count(a: &Array, b: &Array, count: i32) -> Result<Array>;
        fn block_masked_mm(
            a: &Array,
            b: &Array,
            block_size: i32,
            mask_out: &[Array],
            mask_lhs: &[Array],
            mask_rhs: &[Array],
        ) -> Result<Array>;
        fn segmented_mm(a: &Array, b: &Array, segments: &Array) -> Result<Array>;
        fn qqmm(
            x: &Array,
            w: &Array,
            scales: &[Array],
            group_size: i32,
            bits: i32,
            mode: &str,
            global_scale_x: &[Array],
            global_scale_w: &[Array],
        ) -> Result<Array>;
        fn gather_qqmm(
            x: &Array,
            w: &Array,
            scales: &[Array],
            lhs: &[Array],
            rhs: &[Array],
            group_size: i32,
            bits: i32,
            mode: &str,
            global_scale_x: &[Array],
            global_scale_w: &[Array],
            sorted: bool,
        ) -> Result<Array>;
        fn conv_general(
            input: &Array,
            weight: &Array,
            stride: &[i32],
            padding_low: &[i32],
            padding_high: &[i32],
            kernel_dilation: &[i32],
            input_dilation: &[i32],
            groups: i32,
            flip: bool,
        ) -> Result<Array>;
        fn conv1d(
            input: &Array,
            weight: &Array,
            stride: i32,
            padding: i32,
            dilation: i32,
            groups: i32,
        ) -> Result<Array>;
        fn conv2d(
            input: &Array,
            weight: &Array,
            stride: [i32; 2],
            padding: [i32; 2],
            dilation: [i32; 2],
            groups: i32,
        ) -> Result<Array>;
        fn conv3d(
            input: &Array,
            weight: &Array,
            stride: [i32; 3],
            padding: [i32; 3],
            dilation: [i32; 3],
            groups: i32,
        ) -> Result<Array>;
        fn conv_transpose1d(
            input: &Array,
            weight: &Array,
            stride: i32,
            padding: i32,
            dilation: i32,
            output_padding: i32,
            groups: i32,
        ) -> Result<Array>;
        fn conv_transpose2d(
            input: &Array,
            weight: &Array,
            stride: [i32; 2],
            padding: [i32; 2],
            dilation: [i32; 2],
            output_padding: [i32; 2],
            groups: i32,
        ) -> Result<Array>;
        fn conv_transpose3d(
            input: &Array,
            weight: &Array,
            stride: [i32; 3],
            padding: [i32; 3],
            dilation: [i32; 3],
            output_padding: [i32; 3],
            groups: i32,
        ) -> Result<Array>;
    }
}
