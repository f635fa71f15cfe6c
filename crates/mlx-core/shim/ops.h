#pragma once
#include "mlx-core/shim/list.h"
#include "mlx/primitives.h"

// One line per op: the chosen overload, defaults spelt, the scoped stream passed on.
namespace mlx_shim {
inline array arange(double start, double stop, double step, uint8_t dtype) { return mx::arange(start, stop, step, mlx_shim::dtype(dtype), stream()); }
inline array linspace(double start, double stop, int32_t num, bool endpoint, uint8_t dtype) { return mx::linspace(start, stop, num, endpoint, mlx_shim::dtype(dtype), stream()); }
inline array full(Ints dims, const array& value, uint8_t dtype) { return mx::full(shape(dims), value, mlx_shim::dtype(dtype), stream()); }
inline array zeros(Ints dims, uint8_t dtype) { return mx::zeros(shape(dims), mlx_shim::dtype(dtype), stream()); }
inline array ones(Ints dims, uint8_t dtype) { return mx::ones(shape(dims), mlx_shim::dtype(dtype), stream()); }
inline array eye(int32_t n, int32_t m, int32_t k, uint8_t dtype) { return mx::eye(n, m, k, mlx_shim::dtype(dtype), stream()); }
inline array tri(int32_t n, int32_t m, int32_t k, uint8_t dtype) { return mx::tri(n, m, k, mlx_shim::dtype(dtype), stream()); }
inline array tril(const array& a, int32_t k) { return mx::tril(a, k, stream()); }
inline array triu(const array& a, int32_t k) { return mx::triu(a, k, stream()); }
inline array astype(const array& a, uint8_t dtype) { return mx::astype(a, mlx_shim::dtype(dtype), stream()); }
inline array view(const array& a, uint8_t dtype) { return mx::view(a, mlx_shim::dtype(dtype), stream()); }
inline array contiguous(const array& a) { return mx::contiguous(a, false, stream()); }
inline array copy(const array& a) { return mx::copy(a, stream()); }
inline array stop_gradient(const array& a) { return mx::stop_gradient(a, stream()); }
inline array reshape(const array& a, Ints dims) { return mx::reshape(a, shape(dims), stream()); }
inline array flatten(const array& a, int32_t start, int32_t end) { return mx::flatten(a, start, end, stream()); }
inline array unflatten(const array& a, int32_t axis, Ints dims) { return mx::unflatten(a, axis, shape(dims), stream()); }
inline array squeeze(const array& a, Ints axes) { return mx::squeeze(a, ints(axes), stream()); }
inline array expand_dims(const array& a, Ints axes) { return mx::expand_dims(a, ints(axes), stream()); }
inline array transpose(const array& a, Ints axes) { return mx::transpose(a, ints(axes), stream()); }
inline array reverse_axes(const array& a) { return mx::transpose(a, stream()); }
inline array swapaxes(const array& a, int32_t axis1, int32_t axis2) { return mx::swapaxes(a, axis1, axis2, stream()); }
inline array moveaxis(const array& a, int32_t source, int32_t destination) { return mx::moveaxis(a, source, destination, stream()); }
inline array broadcast_to(const array& a, Ints dims) { return mx::broadcast_to(a, shape(dims), stream()); }
inline array flip(const array& a, Ints axes) { return mx::flip(a, ints(axes), stream()); }
inline array roll(const array& a, Ints shifts, Ints axes) { return absent(axes) ? mx::roll(a, shape(shifts), stream()) : mx::roll(a, shape(shifts), ints(axes), stream()); }
inline array slice(const array& a, Ints start, Ints stop, Ints strides) { return mx::slice(a, shape(start), shape(stop), shape(strides), stream()); }
inline array slice_update(const array& a, const array& update, Ints start, Ints stop, Ints strides) { return mx::slice_update(a, update, shape(start), shape(stop), shape(strides), stream()); }
inline rust::Vec<array> split(const array& a, Ints indices, int32_t axis) { return list(mx::split(a, shape(indices), axis, stream())); }
inline rust::Vec<array> split_equal(const array& a, int32_t parts, int32_t axis) { return list(mx::split(a, parts, axis, stream())); }
inline array concatenate(Arrays arrays, int32_t axis) { return mx::concatenate(vec(arrays), axis, stream()); }
inline array stack(Arrays arrays, int32_t axis) { return mx::stack(vec(arrays), axis, stream()); }
inline array repeat(const array& a, int32_t repeats, int32_t axis) { return axis == INT32_MIN ? mx::repeat(a, repeats, stream()) : mx::repeat(a, repeats, axis, stream()); }
inline array tile(const array& a, Ints reps) { return mx::tile(a, ints(reps), stream()); }
inline array pad(const array& a, Ints axes, Ints low, Ints high, const array& value, rust::Str mode) { return mx::pad(a, ints(axes), shape(low), shape(high), value, str(mode), stream()); }
inline array diagonal(const array& a, int32_t offset, int32_t axis1, int32_t axis2) { return mx::diagonal(a, offset, axis1, axis2, stream()); }
inline array diag(const array& a, int32_t k) { return mx::diag(a, k, stream()); }
inline array equal(const array& a, const array& b) { return mx::equal(a, b, stream()); }
inline array not_equal(const array& a, const array& b) { return mx::not_equal(a, b, stream()); }
inline array greater(const array& a, const array& b) { return mx::greater(a, b, stream()); }
inline array greater_equal(const array& a, const array& b) { return mx::greater_equal(a, b, stream()); }
inline array less(const array& a, const array& b) { return mx::less(a, b, stream()); }
inline array less_equal(const array& a, const array& b) { return mx::less_equal(a, b, stream()); }
inline array array_equal(const array& a, const array& b, bool equal_nan) { return mx::array_equal(a, b, equal_nan, stream()); }
inline array allclose(const array& a, const array& b, double rtol, double atol, bool equal_nan) { return mx::allclose(a, b, rtol, atol, equal_nan, stream()); }
inline array isclose(const array& a, const array& b, double rtol, double atol, bool equal_nan) { return mx::isclose(a, b, rtol, atol, equal_nan, stream()); }
inline array isnan(const array& a) { return mx::isnan(a, stream()); }
inline array isinf(const array& a) { return mx::isinf(a, stream()); }
inline array isfinite(const array& a) { return mx::isfinite(a, stream()); }
inline array logical_not(const array& a) { return mx::logical_not(a, stream()); }
inline array logical_and(const array& a, const array& b) { return mx::logical_and(a, b, stream()); }
inline array logical_or(const array& a, const array& b) { return mx::logical_or(a, b, stream()); }
inline array select(const array& condition, const array& x, const array& y) { return mx::where(condition, x, y, stream()); }
inline array sum(const array& a, Ints axes, bool keepdims) { return mx::sum(a, ints(axes), keepdims, stream()); }
inline array mean(const array& a, Ints axes, bool keepdims) { return mx::mean(a, ints(axes), keepdims, stream()); }
inline array var(const array& a, Ints axes, bool keepdims, int32_t ddof) { return mx::var(a, ints(axes), keepdims, ddof, stream()); }
inline array std(const array& a, Ints axes, bool keepdims, int32_t ddof) { return mx::std(a, ints(axes), keepdims, ddof, stream()); }
inline array prod(const array& a, Ints axes, bool keepdims) { return mx::prod(a, ints(axes), keepdims, stream()); }
inline array max(const array& a, Ints axes, bool keepdims) { return mx::max(a, ints(axes), keepdims, stream()); }
inline array min(const array& a, Ints axes, bool keepdims) { return mx::min(a, ints(axes), keepdims, stream()); }
inline array all(const array& a, Ints axes, bool keepdims) { return mx::all(a, ints(axes), keepdims, stream()); }
inline array any(const array& a, Ints axes, bool keepdims) { return mx::any(a, ints(axes), keepdims, stream()); }
inline array logsumexp(const array& a, Ints axes, bool keepdims) { return mx::logsumexp(a, ints(axes), keepdims, stream()); }
inline array softmax(const array& a, Ints axes, bool precise) { return mx::softmax(a, ints(axes), precise, stream()); }
inline array argmax(const array& a, int32_t axis, bool keepdims) { return axis == INT32_MIN ? mx::argmax(a, keepdims, stream()) : mx::argmax(a, axis, keepdims, stream()); }
inline array argmin(const array& a, int32_t axis, bool keepdims) { return axis == INT32_MIN ? mx::argmin(a, keepdims, stream()) : mx::argmin(a, axis, keepdims, stream()); }
inline array cumsum(const array& a, int32_t axis, bool reverse, bool inclusive, uint8_t dtype) { return axis == INT32_MIN ? mx::cumsum(a, reverse, inclusive, opt_dtype(dtype), stream()) : mx::cumsum(a, axis, reverse, inclusive, opt_dtype(dtype), stream()); }
inline array cumprod(const array& a, int32_t axis, bool reverse, bool inclusive, uint8_t dtype) { return axis == INT32_MIN ? mx::cumprod(a, reverse, inclusive, opt_dtype(dtype), stream()) : mx::cumprod(a, axis, reverse, inclusive, opt_dtype(dtype), stream()); }
inline array sort(const array& a, int32_t axis) { return axis == INT32_MIN ? mx::sort(a, stream()) : mx::sort(a, axis, stream()); }
inline array argsort(const array& a, int32_t axis) { return axis == INT32_MIN ? mx::argsort(a, stream()) : mx::argsort(a, axis, stream()); }
inline array partition(const array& a, int32_t kth, int32_t axis) { return axis == INT32_MIN ? mx::partition(a, kth, stream()) : mx::partition(a, kth, axis, stream()); }
inline array argpartition(const array& a, int32_t kth, int32_t axis) { return axis == INT32_MIN ? mx::argpartition(a, kth, stream()) : mx::argpartition(a, kth, axis, stream()); }
inline array topk(const array& a, int32_t k, int32_t axis) { return axis == INT32_MIN ? mx::topk(a, k, stream()) : mx::topk(a, k, axis, stream()); }
inline array abs(const array& a) { return mx::abs(a, stream()); }
inline array negative(const array& a) { return mx::negative(a, stream()); }
inline array sign(const array& a) { return mx::sign(a, stream()); }
inline array reciprocal(const array& a) { return mx::reciprocal(a, stream()); }
inline array floor(const array& a) { return mx::floor(a, stream()); }
inline array ceil(const array& a) { return mx::ceil(a, stream()); }
inline array round(const array& a, int32_t decimals) { return mx::round(a, decimals, stream()); }
inline array square(const array& a) { return mx::square(a, stream()); }
inline array sqrt(const array& a) { return mx::sqrt(a, stream()); }
inline array rsqrt(const array& a) { return mx::rsqrt(a, stream()); }
inline array exp(const array& a) { return mx::exp(a, stream()); }
inline array expm1(const array& a) { return mx::expm1(a, stream()); }
inline array log(const array& a) { return mx::log(a, stream()); }
inline array log2(const array& a) { return mx::log2(a, stream()); }
inline array log10(const array& a) { return mx::log10(a, stream()); }
inline array log1p(const array& a) { return mx::log1p(a, stream()); }
inline array sin(const array& a) { return mx::sin(a, stream()); }
inline array cos(const array& a) { return mx::cos(a, stream()); }
inline array tan(const array& a) { return mx::tan(a, stream()); }
inline array arcsin(const array& a) { return mx::arcsin(a, stream()); }
inline array arccos(const array& a) { return mx::arccos(a, stream()); }
inline array arctan(const array& a) { return mx::arctan(a, stream()); }
inline array sinh(const array& a) { return mx::sinh(a, stream()); }
inline array cosh(const array& a) { return mx::cosh(a, stream()); }
inline array tanh(const array& a) { return mx::tanh(a, stream()); }
inline array erf(const array& a) { return mx::erf(a, stream()); }
inline array erfinv(const array& a) { return mx::erfinv(a, stream()); }
inline array sigmoid(const array& a) { return mx::sigmoid(a, stream()); }
inline array nan_to_num(const array& a, float nan, float posinf, float neginf) { return mx::nan_to_num(a, nan, opt(posinf), opt(neginf), stream()); }
inline array add(const array& a, const array& b) {
  // Most sums need no promotion and no broadcast, and asking MLX to find out costs as much as the node itself.
  if (a.dtype() == b.dtype() && a.shape() == b.shape()) {
    return array(a.shape(), a.dtype(), std::make_shared<mx::Add>(mx::to_stream(stream())), {a, b});
  }
  return mx::add(a, b, stream());
}
inline array subtract(const array& a, const array& b) { return mx::subtract(a, b, stream()); }
inline array multiply(const array& a, const array& b) { return mx::multiply(a, b, stream()); }
inline array divide(const array& a, const array& b) { return mx::divide(a, b, stream()); }
inline array floor_divide(const array& a, const array& b) { return mx::floor_divide(a, b, stream()); }
inline array remainder(const array& a, const array& b) { return mx::remainder(a, b, stream()); }
inline array power(const array& a, const array& b) { return mx::power(a, b, stream()); }
inline array maximum(const array& a, const array& b) { return mx::maximum(a, b, stream()); }
inline array minimum(const array& a, const array& b) { return mx::minimum(a, b, stream()); }
inline array logaddexp(const array& a, const array& b) { return mx::logaddexp(a, b, stream()); }
inline array arctan2(const array& a, const array& b) { return mx::arctan2(a, b, stream()); }
inline array bitwise_and(const array& a, const array& b) { return mx::bitwise_and(a, b, stream()); }
inline array bitwise_or(const array& a, const array& b) { return mx::bitwise_or(a, b, stream()); }
inline array bitwise_xor(const array& a, const array& b) { return mx::bitwise_xor(a, b, stream()); }
inline array left_shift(const array& a, const array& b) { return mx::left_shift(a, b, stream()); }
inline array right_shift(const array& a, const array& b) { return mx::right_shift(a, b, stream()); }
inline array clip(const array& a, Arrays min, Arrays max) { return mx::clip(a, opt(min), opt(max), stream()); }
inline array matmul(const array& a, const array& b) { return mx::matmul(a, b, stream()); }
inline array addmm(const array& c, const array& a, const array& b, float alpha, float beta) { return mx::addmm(c, a, b, alpha, beta, stream()); }
inline array outer(const array& a, const array& b) { return mx::outer(a, b, stream()); }
inline array inner(const array& a, const array& b) { return mx::inner(a, b, stream()); }
inline array tensordot(const array& a, const array& b, Ints axes_a, Ints axes_b) { return mx::tensordot(a, b, ints(axes_a), ints(axes_b), stream()); }
inline rust::Vec<array> quantize(const array& w, int32_t group_size, int32_t bits, rust::Str mode, Arrays global_scale) { return list(mx::quantize(w, opt(group_size), opt(bits), str(mode), opt(global_scale), stream())); }
inline array dequantize(const array& w, const array& scales, Arrays biases, int32_t group_size, int32_t bits, rust::Str mode, Arrays global_scale, uint8_t dtype) { return mx::dequantize(w, scales, opt(biases), opt(group_size), opt(bits), str(mode), opt(global_scale), opt_dtype(dtype), stream()); }
inline array quantized_matmul(const array& x, const array& w, const array& scales, Arrays biases, bool transpose, int32_t group_size, int32_t bits, rust::Str mode) { return mx::quantized_matmul(x, w, scales, opt(biases), transpose, opt(group_size), opt(bits), str(mode), stream()); }
inline array gather_mm(const array& a, const array& b, Arrays lhs, Arrays rhs, bool sorted) { return mx::gather_mm(a, b, opt(lhs), opt(rhs), sorted, stream()); }
inline array gather_qmm(const array& x, const array& w, const array& scales, Arrays biases, Arrays lhs, Arrays rhs, bool transpose, int32_t group_size, int32_t bits, rust::Str mode, Arrays global_scale, bool sorted) { return mx::gather_qmm(x, w, scales, opt(biases), opt(lhs), opt(rhs), transpose, opt(group_size), opt(bits), str(mode), opt(global_scale), sorted, stream()); }
inline array take(const array& a, const array& indices, int32_t axis) { return axis == INT32_MIN ? mx::take(a, indices, stream()) : mx::take(a, indices, axis, stream()); }
inline array take_along_axis(const array& a, const array& indices, int32_t axis) { return mx::take_along_axis(a, indices, axis, stream()); }
inline array put_along_axis(const array& a, const array& indices, const array& values, int32_t axis) { return mx::put_along_axis(a, indices, values, axis, stream()); }
inline array scatter_add_axis(const array& a, const array& indices, const array& values, int32_t axis) { return mx::scatter_add_axis(a, indices, values, axis, stream()); }
inline array full_like(const array& a, const array& value, uint8_t dtype) { return mx::full_like(a, value, opt_dtype(dtype).value_or(a.dtype()), stream()); }
inline array zeros_like(const array& a, uint8_t dtype) { return mx::zeros_like(a, opt_dtype(dtype).value_or(a.dtype()), stream()); }
inline array ones_like(const array& a, uint8_t dtype) { return mx::ones_like(a, opt_dtype(dtype).value_or(a.dtype()), stream()); }
inline array identity(int32_t n, uint8_t dtype) { return mx::identity(n, mlx_shim::dtype(dtype), stream()); }
inline array hanning(int32_t m) { return mx::hanning(m, stream()); }
inline array hamming(int32_t m) { return mx::hamming(m, stream()); }
inline array bartlett(int32_t m) { return mx::bartlett(m, stream()); }
inline array blackman(int32_t m) { return mx::blackman(m, stream()); }
inline rust::Vec<array> meshgrid(Arrays arrays, bool sparse, rust::Str indexing) { return list(mx::meshgrid(vec(arrays), sparse, str(indexing), stream())); }
inline array positive(const array& a) { return mx::positive(a, stream()); }
inline array trunc(const array& a) { return mx::trunc(a, stream()); }
inline array degrees(const array& a) { return mx::degrees(a, stream()); }
inline array radians(const array& a) { return mx::radians(a, stream()); }
inline array arcsinh(const array& a) { return mx::arcsinh(a, stream()); }
inline array arccosh(const array& a) { return mx::arccosh(a, stream()); }
inline array arctanh(const array& a) { return mx::arctanh(a, stream()); }
inline array conjugate(const array& a) { return mx::conjugate(a, stream()); }
inline array real(const array& a) { return mx::real(a, stream()); }
inline array imag(const array& a) { return mx::imag(a, stream()); }
inline array bitwise_invert(const array& a) { return mx::bitwise_invert(a, stream()); }
inline array hadamard_transform(const array& a, float scale) { return mx::hadamard_transform(a, opt(scale), stream()); }
inline array to_fp8(const array& a) { return mx::to_fp8(a, stream()); }
inline array from_fp8(const array& a, uint8_t dtype) { return mx::from_fp8(a, mlx_shim::dtype(dtype), stream()); }
inline rust::Vec<array> divmod(const array& a, const array& b) { return list(mx::divmod(a, b, stream())); }
inline array isposinf(const array& a) { return mx::isposinf(a, stream()); }
inline array isneginf(const array& a) { return mx::isneginf(a, stream()); }
inline array logical_xor(const array& a, const array& b) { return mx::logical_xor(a, b, stream()); }
inline array count_nonzero(const array& a, Ints axes, bool keepdims) { return mx::count_nonzero(a, ints(axes), keepdims, stream()); }
inline array median(const array& a, Ints axes, bool keepdims) { return mx::median(a, ints(axes), keepdims, stream()); }
inline rust::Vec<array> minmax(const array& a, Ints axes, bool keepdims) { return list(mx::minmax(a, ints(axes), keepdims, stream())); }
inline array cummax(const array& a, int32_t axis, bool reverse, bool inclusive) { return axis == INT32_MIN ? mx::cummax(a, reverse, inclusive, stream()) : mx::cummax(a, axis, reverse, inclusive, stream()); }
inline array cummin(const array& a, int32_t axis, bool reverse, bool inclusive) { return axis == INT32_MIN ? mx::cummin(a, reverse, inclusive, stream()) : mx::cummin(a, axis, reverse, inclusive, stream()); }
inline array logcumsumexp(const array& a, int32_t axis, bool reverse, bool inclusive) { return axis == INT32_MIN ? mx::logcumsumexp(a, reverse, inclusive, stream()) : mx::logcumsumexp(a, axis, reverse, inclusive, stream()); }
inline array diff(const array& a, int32_t n, int32_t axis) { return mx::diff(a, n, axis, stream()); }
inline array searchsorted(const array& sorted, const array& values, rust::Str side) { return mx::searchsorted(sorted, values, str(side), stream()); }
inline rust::Vec<array> unique(const array& a, int32_t size, bool index, bool inverse, bool counts, Arrays fill) { return list(mx::unique(a, size, index, inverse, counts, opt(fill), stream())); }
inline array number_of_elements(const array& a, Ints axes, bool inverted, uint8_t dtype) { return mx::number_of_elements(a, ints(axes), inverted, mlx_shim::dtype(dtype), stream()); }
inline array as_strided(const array& a, Ints dims, rust::Slice<const int64_t> strides, size_t offset) { return mx::as_strided(a, shape(dims), mx::Strides(strides.begin(), strides.end()), offset, stream()); }
inline array squeeze_all(const array& a) { return mx::squeeze(a, stream()); }
inline array matrix_transpose(const array& a) { return mx::matrix_transpose(a, stream()); }
inline rust::Vec<array> unstack(const array& a, int32_t axis) { return list(mx::unstack(a, axis, stream())); }
inline rust::Vec<array> broadcast_arrays(Arrays arrays) { return list(mx::broadcast_arrays(vec(arrays), stream())); }
inline array atleast_1d(const array& a) { return mx::atleast_1d(a, stream()); }
inline array atleast_2d(const array& a) { return mx::atleast_2d(a, stream()); }
inline array atleast_3d(const array& a) { return mx::atleast_3d(a, stream()); }
inline array trace(const array& a, int32_t offset, int32_t axis1, int32_t axis2, uint8_t dtype) { return opt_dtype(dtype) ? mx::trace(a, offset, axis1, axis2, *opt_dtype(dtype), stream()) : mx::trace(a, offset, axis1, axis2, stream()); }
inline rust::Vec<array> depends(Arrays arrays, Arrays dependencies) { return list(mx::depends(vec(arrays), vec(dependencies))); }
inline array slice_dynamic(const array& a, const array& start, Ints axes, Ints sizes) { return mx::slice(a, start, ints(axes), shape(sizes), stream()); }
inline array slice_update_dynamic(const array& a, const array& update, const array& start, Ints axes) { return mx::slice_update(a, update, start, ints(axes), stream()); }
inline array slice_update_add(const array& a, const array& update, Ints start, Ints stop, Ints strides) { return mx::slice_update_add(a, update, shape(start), shape(stop), shape(strides), stream()); }
inline array slice_update_prod(const array& a, const array& update, Ints start, Ints stop, Ints strides) { return mx::slice_update_prod(a, update, shape(start), shape(stop), shape(strides), stream()); }
inline array slice_update_max(const array& a, const array& update, Ints start, Ints stop, Ints strides) { return mx::slice_update_max(a, update, shape(start), shape(stop), shape(strides), stream()); }
inline array slice_update_min(const array& a, const array& update, Ints start, Ints stop, Ints strides) { return mx::slice_update_min(a, update, shape(start), shape(stop), shape(strides), stream()); }
inline array take_at(const array& a, int32_t index, int32_t axis) { return axis == INT32_MIN ? mx::take(a, index, stream()) : mx::take(a, index, axis, stream()); }
inline array gather(const array& a, Arrays indices, Ints axes, Ints sizes) { return mx::gather(a, vec(indices), ints(axes), shape(sizes), stream()); }
inline array scatter(const array& a, Arrays indices, const array& updates, Ints axes) { return mx::scatter(a, vec(indices), updates, ints(axes), stream()); }
inline array scatter_add(const array& a, Arrays indices, const array& updates, Ints axes) { return mx::scatter_add(a, vec(indices), updates, ints(axes), stream()); }
inline array scatter_prod(const array& a, Arrays indices, const array& updates, Ints axes) { return mx::scatter_prod(a, vec(indices), updates, ints(axes), stream()); }
inline array scatter_max(const array& a, Arrays indices, const array& updates, Ints axes) { return mx::scatter_max(a, vec(indices), updates, ints(axes), stream()); }
inline array scatter_min(const array& a, Arrays indices, const array& updates, Ints axes) { return mx::scatter_min(a, vec(indices), updates, ints(axes), stream()); }
inline array masked_scatter(const array& a, const array& mask, const array& values) { return mx::masked_scatter(a, mask, values, stream()); }
inline array kron(const array& a, const array& b) { return mx::kron(a, b, stream()); }
inline array vecdot(const array& a, const array& b, int32_t axis) { return mx::vecdot(a, b, axis, stream()); }
inline array tensordot_count(const array& a, const array& b, int32_t count) { return mx::tensordot(a, b, count, stream()); }
inline array block_masked_mm(const array& a, const array& b, int32_t block_size, Arrays mask_out, Arrays mask_lhs, Arrays mask_rhs) { return mx::block_masked_mm(a, b, block_size, opt(mask_out), opt(mask_lhs), opt(mask_rhs), stream()); }
inline array segmented_mm(const array& a, const array& b, const array& segments) { return mx::segmented_mm(a, b, segments, stream()); }
inline array qqmm(const array& x, const array& w, Arrays scales, int32_t group_size, int32_t bits, rust::Str mode, Arrays global_scale_x, Arrays global_scale_w) { return mx::qqmm(x, w, opt(scales), opt(group_size), opt(bits), str(mode), opt(global_scale_x), opt(global_scale_w), stream()); }
inline array gather_qqmm(const array& x, const array& w, Arrays scales, Arrays lhs, Arrays rhs, int32_t group_size, int32_t bits, rust::Str mode, Arrays global_scale_x, Arrays global_scale_w, bool sorted) { return mx::gather_qqmm(x, w, opt(scales), opt(lhs), opt(rhs), opt(group_size), opt(bits), str(mode), opt(global_scale_x), opt(global_scale_w), sorted, stream()); }
inline array conv_general(const array& input, const array& weight, Ints stride, Ints padding_low, Ints padding_high, Ints kernel_dilation, Ints input_dilation, int32_t groups, bool flip) { return mx::conv_general(input, weight, ints(stride), ints(padding_low), ints(padding_high), ints(kernel_dilation), ints(input_dilation), groups, flip, stream()); }
inline array conv1d(const array& input, const array& weight, int32_t stride, int32_t padding, int32_t dilation, int32_t groups) { return mx::conv1d(input, weight, stride, padding, dilation, groups, stream()); }
inline array conv2d(const array& input, const array& weight, std::array<int32_t, 2> stride, std::array<int32_t, 2> padding, std::array<int32_t, 2> dilation, int32_t groups) { return mx::conv2d(input, weight, pair(stride), pair(padding), pair(dilation), groups, stream()); }
inline array conv3d(const array& input, const array& weight, std::array<int32_t, 3> stride, std::array<int32_t, 3> padding, std::array<int32_t, 3> dilation, int32_t groups) { return mx::conv3d(input, weight, triple(stride), triple(padding), triple(dilation), groups, stream()); }
inline array conv_transpose1d(const array& input, const array& weight, int32_t stride, int32_t padding, int32_t dilation, int32_t output_padding, int32_t groups) { return mx::conv_transpose1d(input, weight, stride, padding, dilation, output_padding, groups, stream()); }
inline array conv_transpose2d(const array& input, const array& weight, std::array<int32_t, 2> stride, std::array<int32_t, 2> padding, std::array<int32_t, 2> dilation, std::array<int32_t, 2> output_padding, int32_t groups) { return mx::conv_transpose2d(input, weight, pair(stride), pair(padding), pair(dilation), pair(output_padding), groups, stream()); }
inline array conv_transpose3d(const array& input, const array& weight, std::array<int32_t, 3> stride, std::array<int32_t, 3> padding, std::array<int32_t, 3> dilation, std::array<int32_t, 3> output_padding, int32_t groups) { return mx::conv_transpose3d(input, weight, triple(stride), triple(padding), triple(dilation), triple(output_padding), groups, stream()); }
} // namespace mlx_shim
