#pragma once
#include "mlx-core/shim/list.h"

// Linear algebra, Fourier transforms and Einstein sums. One line per op: the chosen overload, defaults spelt, the scoped
// stream passed on.
namespace mlx_shim {
inline mx::fft::FFTNorm fft_norm(uint8_t v) { return static_cast<mx::fft::FFTNorm>(v); }
inline array norm_ord(const array& a, double ord, Ints axes, bool keepdims) { return mx::linalg::norm(a, ord, opt_ints(axes), keepdims, stream()); }
inline array norm_named(const array& a, rust::Str ord, Ints axes, bool keepdims) { return mx::linalg::norm(a, str(ord), opt_ints(axes), keepdims, stream()); }
inline array norm(const array& a, Ints axes, bool keepdims) { return mx::linalg::norm(a, opt_ints(axes), keepdims, stream()); }
inline rust::Vec<array> qr(const array& a) { return list(mx::linalg::qr(a, stream())); }
inline rust::Vec<array> svd(const array& a, bool compute_uv) { return list(mx::linalg::svd(a, compute_uv, stream())); }
inline array inv(const array& a) { return mx::linalg::inv(a, stream()); }
inline array tri_inv(const array& a, bool upper) { return mx::linalg::tri_inv(a, upper, stream()); }
inline array cholesky(const array& a, bool upper) { return mx::linalg::cholesky(a, upper, stream()); }
inline array pinv(const array& a) { return mx::linalg::pinv(a, stream()); }
inline array cholesky_inv(const array& a, bool upper) { return mx::linalg::cholesky_inv(a, upper, stream()); }
inline rust::Vec<array> lu(const array& a) { return list(mx::linalg::lu(a, stream())); }
inline rust::Vec<array> lu_factor(const array& a) { return list(mx::linalg::lu_factor(a, stream())); }
inline array solve(const array& a, const array& b) { return mx::linalg::solve(a, b, stream()); }
inline array solve_triangular(const array& a, const array& b, bool upper) { return mx::linalg::solve_triangular(a, b, upper, stream()); }
inline array cross(const array& a, const array& b, int32_t axis) { return mx::linalg::cross(a, b, axis, stream()); }
inline rust::Vec<array> eig(const array& a) { return list(mx::linalg::eig(a, stream())); }
inline array eigvals(const array& a) { return mx::linalg::eigvals(a, stream()); }
inline array eigvalsh(const array& a, rust::Str uplo) { return mx::linalg::eigvalsh(a, str(uplo), stream()); }
inline rust::Vec<array> eigh(const array& a, rust::Str uplo) { return list(mx::linalg::eigh(a, str(uplo), stream())); }
inline array det(const array& a) { return mx::linalg::det(a, stream()); }
inline rust::Vec<array> slogdet(const array& a) { return list(mx::linalg::slogdet(a, stream())); }
inline array fftn(const array& a, Ints n, Ints axes, uint8_t norm) { return absent(n) ? mx::fft::fftn(a, ints(axes), fft_norm(norm), stream()) : mx::fft::fftn(a, shape(n), ints(axes), fft_norm(norm), stream()); }
inline array ifftn(const array& a, Ints n, Ints axes, uint8_t norm) { return absent(n) ? mx::fft::ifftn(a, ints(axes), fft_norm(norm), stream()) : mx::fft::ifftn(a, shape(n), ints(axes), fft_norm(norm), stream()); }
inline array rfftn(const array& a, Ints n, Ints axes, uint8_t norm) { return absent(n) ? mx::fft::rfftn(a, ints(axes), fft_norm(norm), stream()) : mx::fft::rfftn(a, shape(n), ints(axes), fft_norm(norm), stream()); }
inline array irfftn(const array& a, Ints n, Ints axes, uint8_t norm) { return absent(n) ? mx::fft::irfftn(a, ints(axes), fft_norm(norm), stream()) : mx::fft::irfftn(a, shape(n), ints(axes), fft_norm(norm), stream()); }
inline array fftfreq(int32_t n, double d) { return mx::fft::fftfreq(n, d, stream()); }
inline array rfftfreq(int32_t n, double d) { return mx::fft::rfftfreq(n, d, stream()); }
inline array fftshift(const array& a, Ints axes) { return mx::fft::fftshift(a, ints(axes), stream()); }
inline array ifftshift(const array& a, Ints axes) { return mx::fft::ifftshift(a, ints(axes), stream()); }
inline array stft(const array& x, int32_t n_fft, int32_t hop, int32_t win_length, Arrays window, bool center, rust::Str pad_mode, uint8_t norm, int8_t onesided) { return mx::fft::stft(x, n_fft, opt(hop), opt(win_length), opt(window), center, str(pad_mode), fft_norm(norm), opt_bool(onesided), stream()); }
inline array istft(const array& x, int32_t n_fft, int32_t hop, int32_t win_length, Arrays window, bool center, uint8_t norm, int8_t onesided, int32_t length) { return mx::fft::istft(x, opt(n_fft), opt(hop), opt(win_length), opt(window), center, fft_norm(norm), opt_bool(onesided), opt(length), stream()); }
inline array einsum(rust::Str subscripts, Arrays operands) { return mx::einsum(str(subscripts), vec(operands), stream()); }
// The pairs of operands multiplied in turn, one text of numbers each, and then MLX's printed table.
inline rust::Vec<rust::String> einsum_path(rust::Str subscripts, Arrays operands) {
  auto [path, table] = mx::einsum_path(str(subscripts), vec(operands));
  rust::Vec<rust::String> out;
  for (const auto& step : path) {
    std::string text;
    for (auto operand : step) {
      text += std::to_string(operand) + ' ';
    }
    out.push_back(text);
  }
  out.push_back(rust::String::lossy(table));
  return out;
}
} // namespace mlx_shim
