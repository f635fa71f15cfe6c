//! Fourier transforms of `mlx.core.fft`: complex64 from and to any dtype.
//!
//! ```
//! use mlx_ops::{Tensor, fft::{self, Norm}};
//! let x = Tensor::from_slice(&[1f32, 2.0, 3.0, 4.0], [4])?;
//! let spectrum = fft::rfft(&x, None, -1, Norm::Backward)?;
//! assert_eq!(spectrum.real()?.to_vec::<f32>()?, [10.0, -2.0, -2.0]);
//! assert!(fft::irfft(&spectrum, Some(4), -1, Norm::Backward)?.allclose(&x, 1e-5, 1e-6, false)?);
//! # Ok::<(), mlx_ops::Error>(())
//! ```

use crate::tensor::optional;
use crate::{Axes, Tensor};
use mlx_core::{Result, fft};

pub use mlx_core::fft::Norm;

macro_rules! transforms {
    ($($(#[$doc:meta])* $one:ident $two:ident $many:ident;)*) => { $(
        $(#[$doc])*
        /// One axis, cut or padded with zeros to `n`.
        #[track_caller]
        pub fn $one(x: &Tensor, n: Option<i32>, axis: i32, norm: Norm) -> Result<Tensor> {
            fft::$many(&x.0, n.as_ref().map(std::slice::from_ref), &[axis], norm).map(Tensor)
        }

        $(#[$doc])*
        /// The last two axes, cut or padded with zeros to `n`.
        #[track_caller]
        pub fn $two(x: &Tensor, n: Option<[i32; 2]>, norm: Norm) -> Result<Tensor> {
            fft::$many(&x.0, n.as_ref().map(|n| &n[..]), &[-2, -1], norm).map(Tensor)
        }

        $(#[$doc])*
        /// The given axes, cut or padded with zeros to `n`, which has a value for each.
        #[track_caller]
        pub fn $many(x: &Tensor, n: Option<&[i32]>, axes: impl Axes, norm: Norm) -> Result<Tensor> {
            axes.with(x.ndim(), |axes| fft::$many(&x.0, n, axes, norm)).map(Tensor)
        }
    )* };
}

transforms! {
    /// The Fourier transform.
    fft fft2 fftn;
    /// The inverse Fourier transform.
    ifft ifft2 ifftn;
    /// The Fourier transform of real values: of the last axis, only the `n / 2 + 1` values that others do not follow from.
    rfft rfft2 rfftn;
    /// The inverse of the transform of real values; an odd size of the last axis has to be given in `n`.
    irfft irfft2 irfftn;
}

/// The frequencies of a transform of `n` values `d` apart, f32, shape `(n,)`.
#[track_caller]
pub fn fftfreq(n: i32, d: f64) -> Result<Tensor> {
    fft::fftfreq(n, d).map(Tensor)
}

/// The frequencies of a transform of `n` real values `d` apart, f32, shape `(n / 2 + 1,)`.
#[track_caller]
pub fn rfftfreq(n: i32, d: f64) -> Result<Tensor> {
    fft::rfftfreq(n, d).map(Tensor)
}

/// Frequency zero moved from the start to the middle of `axes`.
#[track_caller]
pub fn fftshift(x: &Tensor, axes: impl Axes) -> Result<Tensor> {
    axes.with(x.ndim(), |axes| fft::fftshift(&x.0, axes)).map(Tensor)
}

/// The inverse of [`fftshift`].
#[track_caller]
pub fn ifftshift(x: &Tensor, axes: impl Axes) -> Result<Tensor> {
    axes.with(x.ndim(), |axes| fft::ifftshift(&x.0, axes)).map(Tensor)
}

/// What [`stft`] fills the ends with, so that frames are centred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Center {
    /// Nothing: frames begin with the signal.
    No,
    /// The signal mirrored at its ends.
    Reflect,
    /// Zeros.
    Constant,
    /// The outermost values.
    Edge,
}

/// How [`stft`] and [`istft`] cut a signal into frames: `Frames { hop: Some(160), ..Frames::new(400) }`.
#[derive(Clone, Copy, Debug)]
pub struct Frames<'a> {
    /// The size of a transform.
    pub n_fft: i32,
    /// From frame to frame; a quarter of `n_fft` where there is none.
    pub hop: Option<i32>,
    /// The size of the window, in the middle of the transform; `n_fft` where there is none.
    pub win_length: Option<i32>,
    /// What a frame is multiplied with, shape `(win_length,)`; ones where there is none.
    pub window: Option<&'a Tensor>,
    /// Whether frames are centred, and in what.
    pub center: Center,
    /// Where the factor goes.
    pub norm: Norm,
    /// Whether only the frequencies of real signals are there; as the signal's dtype is where there is none.
    pub onesided: Option<bool>,
}

impl Frames<'_> {
    /// Transforms of size `n_fft`, a quarter of that apart, without a window, centred in a mirrored signal.
    pub fn new(n_fft: i32) -> Self {
        Self {
            n_fft,
            hop: None,
            win_length: None,
            window: None,
            center: Center::Reflect,
            norm: Norm::Backward,
            onesided: None,
        }
    }
}

/// The transforms of overlapping frames of the last axis, `(.., frequencies, frames)`, complex.
#[track_caller]
pub fn stft(x: &Tensor, frames: &Frames<'_>) -> Result<Tensor> {
    let &Frames { n_fft, hop, win_length, window, center, norm, onesided } = frames;
    let pad = match center {
        Center::No | Center::Reflect => "reflect",
        Center::Constant => "constant",
        Center::Edge => "edge",
    };
    fft::stft(&x.0, n_fft, hop, win_length, optional(window), center != Center::No, pad, norm, onesided).map(Tensor)
}

/// The signal `(.., length)` of transforms `(.., frequencies, frames)`, cut or padded with zeros to `length`.
#[track_caller]
pub fn istft(x: &Tensor, frames: &Frames<'_>, length: Option<i32>) -> Result<Tensor> {
    let &Frames { n_fft, hop, win_length, window, center, norm, onesided } = frames;
    let (window, centered) = (optional(window), center != Center::No);
    fft::istft(&x.0, Some(n_fft), hop, win_length, window, centered, norm, onesided, length).map(Tensor)
}
