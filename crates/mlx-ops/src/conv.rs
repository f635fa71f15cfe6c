//! Convolutions: input `(N, .., C_in)`, weight `(C_out, .., C_in / groups)`, channels last.
//!
//! As in deep learning, the weight is not turned round; [`ConvGeneral::flip`] and [`convolve`] do.

use crate::Tensor;
use mlx_core::{Error, Result, ops};

macro_rules! convolutions {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),*) over $t:ty;)*) => { $(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(input: &Tensor, weight: &Tensor, $($arg: $t,)* groups: i32) -> Result<Tensor> {
            ops::$name(&input.0, &weight.0, $($arg,)* groups).map(Tensor)
        }
    )* };
}

convolutions! {
    /// The convolution of `(N, L, C_in)` with `(C_out, K, C_in / groups)`.
    ///
    /// ```
    /// use mlx_ops::{Tensor, conv1d};
    /// let x = Tensor::from_slice(&[1f32, 2.0, 3.0, 4.0], [1, 4, 1])?;
    /// let w = Tensor::from_slice(&[1f32, -1.0], [1, 2, 1])?;
    /// assert_eq!(conv1d(&x, &w, 1, 0, 1, 1)?.to_vec::<f32>()?, [-1.0, -1.0, -1.0]);
    /// # Ok::<(), mlx_ops::Error>(())
    /// ```
    conv1d(stride, padding, dilation) over i32;
    /// The convolution of `(N, H, W, C_in)` with `(C_out, KH, KW, C_in / groups)`.
    conv2d(stride, padding, dilation) over [i32; 2];
    /// The convolution of `(N, D, H, W, C_in)` with `(C_out, KD, KH, KW, C_in / groups)`.
    conv3d(stride, padding, dilation) over [i32; 3];
    /// The transposed convolution of `(N, L, C_in)` with `(C_out, K, C_in / groups)`.
    conv_transpose1d(stride, padding, dilation, output_padding) over i32;
    /// The transposed convolution of `(N, H, W, C_in)` with `(C_out, KH, KW, C_in / groups)`.
    conv_transpose2d(stride, padding, dilation, output_padding) over [i32; 2];
    /// The transposed convolution of `(N, D, H, W, C_in)` with `(C_out, KD, KH, KW, C_in / groups)`.
    conv_transpose3d(stride, padding, dilation, output_padding) over [i32; 3];
}

/// How [`conv_general`] convolves: each list has a value per spatial axis, one for all, or none for the default.
#[derive(Clone, Copy, Debug)]
pub struct ConvGeneral<'a> {
    /// Steps of the window.
    pub stride: &'a [i32],
    /// Zeros before the input.
    pub padding_low: &'a [i32],
    /// Zeros behind the input.
    pub padding_high: &'a [i32],
    /// Steps within the window.
    pub kernel_dilation: &'a [i32],
    /// Steps between the elements of the input, with zeros between them.
    pub input_dilation: &'a [i32],
    /// Groups of channels that do not mix.
    pub groups: i32,
    /// Whether the weight is turned round.
    pub flip: bool,
}

impl Default for ConvGeneral<'_> {
    fn default() -> Self {
        Self {
            stride: &[],
            padding_low: &[],
            padding_high: &[],
            kernel_dilation: &[],
            input_dilation: &[],
            groups: 1,
            flip: false,
        }
    }
}

/// The convolution of `(N, .., C_in)` with `(C_out, .., C_in / groups)` over one to three spatial axes.
#[track_caller]
pub fn conv_general(input: &Tensor, weight: &Tensor, how: &ConvGeneral<'_>) -> Result<Tensor> {
    let &ConvGeneral { stride, padding_low, padding_high, kernel_dilation, input_dilation, groups, flip } = how;
    let (x, w) = (&input.0, &weight.0);
    ops::conv_general(x, w, stride, padding_low, padding_high, kernel_dilation, input_dilation, groups, flip)
        .map(Tensor)
}

/// Which part of a discrete convolution [`convolve`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// Wherever the two overlap: `n + m - 1` values.
    Full,
    /// The middle of that, as long as the longer one.
    Same,
    /// Where they overlap fully: `n - m + 1` values.
    Valid,
}

/// The discrete convolution of two vectors.
///
/// ```
/// use mlx_ops::{Overlap, Tensor, convolve};
/// let a = Tensor::from_slice(&[1f32, 2.0, 3.0], [3])?;
/// let v = Tensor::from_slice(&[0f32, 1.0, 0.5], [3])?;
/// assert_eq!(convolve(&a, &v, Overlap::Full)?.to_vec::<f32>()?, [0.0, 1.0, 2.5, 4.0, 1.5]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn convolve(a: &Tensor, v: &Tensor, overlap: Overlap) -> Result<Tensor> {
    let (a, v) = if a.size() < v.size() { (v, a) } else { (a, v) };
    let (&[_], &[short @ (1..)]) = (a.shape(), v.shape()) else {
        let (a, v) = (a.shape(), v.shape());
        return Err(Error::new(format!("[convolve] two vectors with elements are needed, not {a:?} and {v:?}")));
    };
    let (low, high) = match overlap {
        Overlap::Full => (short - 1, short - 1),
        Overlap::Same => (short / 2, (short - 1) / 2),
        Overlap::Valid => (0, 0),
    };
    let how = ConvGeneral { padding_low: &[low], padding_high: &[high], flip: true, ..ConvGeneral::default() };
    conv_general(&a.reshape([1, -1, 1])?, &v.reshape([1, -1, 1])?, &how)?.reshape([-1])
}
