//! Convolutions: input `(N, .., C_in)`, weight `(C_out, .., C_in / groups)`, channels last. Without elements they are errors, and so are 0 groups.

use crate::bridge::ops::ffi;
use crate::checks::filled;
use crate::{Array, Error, Result};

crate::call::functions! { ffi;
    /// A convolution over any number of spatial axes: a value per axis in each list, or one for all, or none for the default; `flip` makes
    /// a convolution of the cross-correlation.
    fn conv_general(input: &Array, weight: &Array, stride: &[i32], padding_low: &[i32], padding_high: &[i32], kernel_dilation: &[i32], input_dilation: &[i32], groups: i32, flip: bool) -> Array where sound("conv_general", groups, &[input, weight]);
    /// The convolution over 1 spatial axis.
    fn conv1d(input: &Array, weight: &Array, stride: i32, padding: i32, dilation: i32, groups: i32) -> Array where sound("conv1d", groups, &[input, weight]);
    /// The convolution over 2 spatial axes.
    fn conv2d(input: &Array, weight: &Array, stride: [i32; 2], padding: [i32; 2], dilation: [i32; 2], groups: i32) -> Array where sound("conv2d", groups, &[input, weight]);
    /// The convolution over 3 spatial axes.
    fn conv3d(input: &Array, weight: &Array, stride: [i32; 3], padding: [i32; 3], dilation: [i32; 3], groups: i32) -> Array where sound("conv3d", groups, &[input, weight]);
    /// The transposed convolution over 1 spatial axis.
    fn conv_transpose1d(input: &Array, weight: &Array, stride: i32, padding: i32, dilation: i32, output_padding: i32, groups: i32) -> Array where sound("conv_transpose1d", groups, &[input, weight]);
    /// The transposed convolution over 2 spatial axes.
    fn conv_transpose2d(input: &Array, weight: &Array, stride: [i32; 2], padding: [i32; 2], dilation: [i32; 2], output_padding: [i32; 2], groups: i32) -> Array where sound("conv_transpose2d", groups, &[input, weight]);
    /// The transposed convolution over 3 spatial axes.
    fn conv_transpose3d(input: &Array, weight: &Array, stride: [i32; 3], padding: [i32; 3], dilation: [i32; 3], output_padding: [i32; 3], groups: i32) -> Array where sound("conv_transpose3d", groups, &[input, weight]);
}

/// An error where MLX would divide by zero: no groups, or arrays without elements.
#[track_caller]
fn sound(name: &str, groups: i32, arrays: &[&Array]) -> Result<()> {
    match groups {
        0 => Err(Error::new(format!("[{name}] 0 groups"))),
        _ => filled(name, arrays),
    }
}
