//! Safetensors files with numbers of 64 bits, which MLX does not read: these become f32.

use crate::{Error, Result};
use mlx_ops::{Element, Tensor, bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::BTreeMap;
use std::path::Path;

/// All tensors of a file whose header was checked.
pub(super) fn tensors(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let bytes = std::fs::read(path).map_err(|e| Error::msg(format!("it cannot be read: {e}.")).in_file(path))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| Error::msg(format!("{e}.")).in_file(path))?;
    let read = |(name, view): (String, TensorView<'_>)| {
        let tensor = tensor(&view).map_err(|e| e.in_file(path))?;
        Ok((name, tensor))
    };
    file.tensors().into_iter().map(read).collect()
}

fn tensor(view: &TensorView<'_>) -> Result<Tensor> {
    match view.dtype() {
        Dtype::F64 => plain(view, |bytes| f64::from_le_bytes(bytes) as f32),
        Dtype::F32 => plain(view, f32::from_le_bytes),
        Dtype::F16 => plain(view, f16::from_le_bytes),
        Dtype::BF16 => plain(view, bf16::from_le_bytes),
        Dtype::I64 => plain(view, i64::from_le_bytes),
        Dtype::I32 => plain(view, i32::from_le_bytes),
        other => Err(Error::msg(format!("beside numbers of 64 bits, tensors of {other:?} are not read."))),
    }
}

fn plain<const N: usize, T: Element>(view: &TensorView<'_>, from: impl Fn([u8; N]) -> T) -> Result<Tensor> {
    let values: Vec<T> = view.data().as_chunks::<N>().0.iter().map(|&bytes| from(bytes)).collect();
    let dims = view.shape().iter().map(|&dim| i32::try_from(dim)).collect::<Result<Vec<_>, _>>();
    let dims = dims.map_err(|_| Error::msg(format!("the shape {:?} is too large for MLX.", view.shape())))?;
    Ok(Tensor::from_slice(&values, &dims[..])?)
}
