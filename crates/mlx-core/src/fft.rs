//! Fourier transforms of `mlx.core.fft`.

use crate::Array;
use crate::bridge::numeric::ffi;
use crate::call::Argument;

/// Where the factor of `1 / n` goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Norm {
    /// Into the inverse transform.
    #[default]
    Backward,
    /// Its square root into both.
    Ortho,
    /// Into the forward transform.
    Forward,
}

impl Argument for Norm {
    type Ffi = u8;
    fn ffi(self) -> u8 {
        self as u8
    }
}

crate::call::functions! { ffi;
    /// The Fourier transform over `axes`, cut or padded with zeros to `n`.
    fn fftn(a: &Array, n: Option<&[i32]>, axes: &[i32], norm: Norm) -> Array;
    /// The inverse Fourier transform over `axes`, cut or padded with zeros to `n`.
    fn ifftn(a: &Array, n: Option<&[i32]>, axes: &[i32], norm: Norm) -> Array;
    /// The Fourier transform of real values, the last axis without what follows from symmetry, over `axes`, cut or padded with zeros to `n`.
    fn rfftn(a: &Array, n: Option<&[i32]>, axes: &[i32], norm: Norm) -> Array;
    /// The inverse of [`rfftn`], real, over `axes`, cut or padded with zeros to `n`.
    fn irfftn(a: &Array, n: Option<&[i32]>, axes: &[i32], norm: Norm) -> Array;
    /// The frequencies of a transform of `n` values `d` apart, f32, shape `(n,)`.
    fn fftfreq(n: i32, d: f64) -> Array;
    /// The frequencies of a real transform, f32, shape `(n / 2 + 1,)`.
    fn rfftfreq(n: i32, d: f64) -> Array;
    /// Frequency zero moved to the middle of `axes`.
    fn fftshift(a: &Array, axes: &[i32]) -> Array;
    /// The inverse of [`fftshift`].
    fn ifftshift(a: &Array, axes: &[i32]) -> Array;
    /// The transforms of overlapping frames of the last axis, `(.., frequencies, frames)`. `None` hops by `n_fft / 4`, takes windows of
    /// `n_fft`, all ones, and is one-sided for real input; `pad_mode` (`reflect`, `constant`, `edge`) is for `center`.
    fn stft(x: &Array, n_fft: i32, hop: Option<i32>, win_length: Option<i32>, window: Option<&Array>, center: bool, pad_mode: &str, norm: Norm, onesided: Option<bool>) -> Array;
    /// The inverse of [`stft`], cut or padded with zeros to `length`.
    fn istft(x: &Array, n_fft: Option<i32>, hop: Option<i32>, win_length: Option<i32>, window: Option<&Array>, center: bool, norm: Norm, onesided: Option<bool>, length: Option<i32>) -> Array;
}
