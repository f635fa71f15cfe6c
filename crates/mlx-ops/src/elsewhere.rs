//! What stands in for the CPU kernels on systems where MLX's own are fast: there are none.

use mlx_core::{Array, Result};

pub fn is_current() -> bool {
    false
}

pub fn streams() -> Result<Vec<mlx_core::Stream>> {
    Ok(Vec::new())
}

pub fn panel_width() -> Option<i32> {
    None
}

pub fn multiplies_pairs(_: i32) -> bool {
    false
}

pub fn attention(_: &Array, _: &Array, _: &Array, _: &crate::attention::Attention<'_>) -> Option<Result<Array>> {
    None
}

pub fn linear16(_: &Array, _: &Array) -> Option<Result<Array>> {
    None
}

pub fn rms_norm(_: &Array, _: Option<&Array>, _: f32) -> Option<Result<Array>> {
    None
}

pub fn layer_norm(_: &Array, _: Option<&Array>, _: Option<&Array>, _: f32) -> Option<Result<Array>> {
    None
}

pub fn softmax(_: &Array) -> Option<Result<Array>> {
    None
}

pub fn argmax(_: &Array, _: i32, _: bool) -> Option<Result<Array>> {
    None
}

pub fn gated(_: crate::Activation, _: &Array, _: &Array) -> Option<Result<Array>> {
    None
}

pub fn quantized_matmul(
    _: &Array,
    _: &Array,
    _: &Array,
    _: Option<&Array>,
    _: crate::Quantization,
) -> Option<Result<Array>> {
    None
}

pub fn projection(_: &crate::Projection<'_>, _: &crate::Tensor) -> Option<Result<Array>> {
    None
}

pub struct Indices<'a> {
    pub lhs: Option<&'a Array>,
    pub rhs: Option<&'a Array>,
    pub sorted: bool,
}

pub fn gather_matmul(_: &Array, _: &Array, _: Indices<'_>) -> Option<Result<Array>> {
    None
}

pub fn gather_quantized_matmul(
    _: &Array,
    _: &Array,
    _: &Array,
    _: Option<&Array>,
    _: crate::Quantization,
    _: Indices<'_>,
) -> Option<Result<Array>> {
    None
}

pub fn self_attention(
    _: &crate::SelfAttention<'_>,
    _: &crate::Tensor,
    _: &crate::Tensor,
    _: &crate::Tensor,
) -> Option<Result<Vec<Array>>> {
    None
}

pub fn packed_attention(
    _: &crate::PackedAttention<'_>,
    _: &crate::Tensor,
    _: &[crate::Segment],
) -> Option<Result<Array>> {
    None
}

pub struct Rope;

impl Rope {
    pub fn new(_: &crate::fast::Rotation<'_>, _: i32) -> Self {
        Self
    }

    pub fn apply(self, _: &Array, _: Option<&Array>) -> Option<Result<Array>> {
        None
    }
}
