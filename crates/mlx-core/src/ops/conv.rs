//! Convolutions: input `(N, .., C_in)`, weight `(C_out, .., C_in / groups)`, channels last. Without elements they are errors.

use crate::Array;
use crate::bridge::ops::ffi;
use crate::checks::filled;

crate::call::functions! { ffi;
    /// A convolution over any number of spatial axes: a value per axis in each list, or one for all, or none for the default; `flip` makes
    /// a convolution of the cross-correlation.
    fn conv_general(input: &Array, weight: &Array, stride: &[i32], padding_low: &[i32], padding_high: &[i32], kernel_dilation: &[i32], input_dilation: &[i32], groups: i32, flip: bool) -> Array where filled("conv_general", &[input, weight]);
    /// The convolution over 1 spatial axis.
    fn conv1d(input: &Array, weight: &Array, stride: i32, padding: i32, dilation: i32, groups: i32) -> Array where filled("conv1d", &[input, weight]);
    /// The convolution over 2 spatial axes.
    fn conv2d(input: &Array, weight: &Array, stride: [i32; 2], padding: [i32; 2], dilation: [i32; 2], groups: i32) -> Array where filled("conv2d", &[input, weight]);
    /// The convolution over 3 spatial axes.
    fn conv3d(input: &Array, weight: &Array, stride: [i32; 3], padding: [i32; 3], dilation: [i32; 3], groups: i32) -> Array where filled("conv3d", &[input, weight]);
    /// The transposed convolution over 1 spatial axis.
    fn conv_transpose1d(input: &Array, weight: &Array, stride: i32, padding: i32, dilation: i32, output_padding: i32, groups: i32) -> Array where filled("conv_transpose1d", &[input, weight]);
    /// The transposed convolution over 2 spatial axes.
    fn conv_transpose2d(input: &Array, weight: &Array, stride: [i32; 2], padding: [i32; 2], dilation: [i32; 2], output_padding: [i32; 2], groups: i32) -> Array where filled("conv_transpose2d", &[input, weight]);
    /// The transposed convolution over 3 spatial axes.
    fn conv_transpose3d(input: &Array, weight: &Array, stride: [i32; 3], padding: [i32; 3], dilation: [i32; 3], output_padding: [i32; 3], groups: i32) -> Array where filled("conv_transpose3d", &[input, weight]);
}
