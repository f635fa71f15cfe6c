//! Tensor files: safetensors and GGUF.

use crate::bridge::io::ffi;
use crate::call::call;
use crate::{Array, Error, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// Named arrays and text metadata, as a safetensors file holds them.
#[derive(Debug, Default)]
pub struct Safetensors {
    /// The arrays by name.
    pub arrays: BTreeMap<String, Array>,
    /// The metadata by key.
    pub metadata: BTreeMap<String, String>,
}

/// A metadata value of a GGUF file; numbers, booleans and their lists are arrays.
#[derive(Clone, Debug)]
pub enum GgufValue {
    /// A number, a boolean, or a list of them.
    Array(Array),
    /// A string.
    Text(String),
    /// A list of strings.
    List(Vec<String>),
}

/// Named arrays and typed metadata, as a GGUF file holds them.
///
/// Tensors of type Q4_0, Q4_1 and Q8_0 stay packed: `<name>.weight` comes with `<name>.scales` and `<name>.biases` as
/// [`ops::quantize`](crate::ops::quantize) gives them in groups of 32. Other quantized types widen to f16.
#[derive(Debug, Default)]
pub struct Gguf {
    /// The arrays by name.
    pub arrays: BTreeMap<String, Array>,
    /// The metadata by key.
    pub metadata: BTreeMap<String, GgufValue>,
}

#[track_caller]
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::new(format!("The path {} is not valid UTF-8.", path.display())))
}

/// Reads a safetensors file. Arrays are read from the file when they are first computed.
#[track_caller]
pub fn load_safetensors(path: impl AsRef<Path>) -> Result<Safetensors> {
    let file = call!(ffi::load_safetensors(text(path.as_ref())?))?;
    Ok(Safetensors {
        arrays: file.names.into_iter().zip(file.arrays).collect(),
        metadata: file.text_keys.into_iter().zip(file.text_values).collect(),
    })
}

/// Writes a safetensors file; computes the arrays.
#[track_caller]
pub fn save_safetensors(path: impl AsRef<Path>, file: &Safetensors) -> Result<()> {
    let names: Vec<String> = file.arrays.keys().cloned().collect();
    let arrays: Vec<Array> = file.arrays.values().cloned().collect();
    let keys: Vec<String> = file.metadata.keys().cloned().collect();
    let values: Vec<String> = file.metadata.values().cloned().collect();
    call!(ffi::save_safetensors(text(path.as_ref())?, &names, &arrays, &keys, &values))
}

/// Reads a GGUF file. MLX trusts the file's header, so check files of unknown origin first.
#[track_caller]
pub fn load_gguf(path: impl AsRef<Path>) -> Result<Gguf> {
    let file = call!(ffi::load_gguf(text(path.as_ref())?))?;
    let mut metadata = BTreeMap::new();
    metadata.extend(file.text_keys.into_iter().zip(file.text_values.into_iter().map(GgufValue::Text)));
    metadata.extend(file.value_keys.into_iter().zip(file.values.into_iter().map(GgufValue::Array)));
    metadata.extend(file.list_keys.into_iter().zip(file.lists.into_iter().map(|list| GgufValue::List(list.items))));
    Ok(Gguf { arrays: file.names.into_iter().zip(file.arrays).collect(), metadata })
}

/// Writes a GGUF file; computes the arrays. MLX writes f16, f32, i8, i16 and i32 arrays.
#[track_caller]
pub fn save_gguf(path: impl AsRef<Path>, file: &Gguf) -> Result<()> {
    let mut out = ffi::TensorFile {
        names: file.arrays.keys().cloned().collect(),
        arrays: file.arrays.values().cloned().collect(),
        text_keys: Vec::new(),
        text_values: Vec::new(),
        value_keys: Vec::new(),
        values: Vec::new(),
        list_keys: Vec::new(),
        lists: Vec::new(),
    };
    for (key, value) in &file.metadata {
        match value {
            GgufValue::Text(value) => {
                out.text_keys.push(key.clone());
                out.text_values.push(value.clone());
            }
            GgufValue::Array(value) => {
                out.value_keys.push(key.clone());
                out.values.push(value.clone());
            }
            GgufValue::List(items) => {
                out.list_keys.push(key.clone());
                out.lists.push(ffi::TextList { items: items.clone() });
            }
        }
    }
    call!(ffi::save_gguf(text(path.as_ref())?, &out))
}
