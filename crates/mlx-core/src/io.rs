//! Tensor files: safetensors, GGUF, and NumPy's `.npy` and `.npz`.
//!
//! ```
//! use mlx_core::{Array, io};
//! let x = Array::from_slice(&[1f32, 2.0], &[2])?;
//! let bytes = io::save_bytes(&x)?;
//! assert_eq!(io::load_bytes(&bytes)?.to_vec::<f32>()?, [1.0, 2.0]);
//! # Ok::<(), mlx_core::Error>(())
//! ```

mod npz;

pub use npz::{load_npz, load_npz_bytes, save_npz, save_npz_bytes};

use crate::bridge::io::ffi;
use crate::call::call;
use crate::{Array, Dtype, Error, Result, ops};
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
/// [`ops::quantize`] gives them in groups of 32. Other quantized types widen to f16.
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
    call!(ffi::load_safetensors(text(path.as_ref())?))?.try_into()
}

/// [`load_safetensors`] from memory, of which the arrays keep a copy until they are computed.
#[track_caller]
pub fn load_safetensors_bytes(bytes: &[u8]) -> Result<Safetensors> {
    call!(ffi::load_safetensors_bytes(bytes))?.try_into()
}

impl TryFrom<ffi::TensorFile> for Safetensors {
    type Error = Error;

    fn try_from(file: ffi::TensorFile) -> Result<Self> {
        let arrays = file.arrays.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            arrays: file.names.into_iter().zip(arrays).collect(),
            metadata: file.text_keys.into_iter().zip(file.text_values).collect(),
        })
    }
}

/// An array of a file, in which a boolean may be any byte.
fn read(array: Array) -> Result<Array> {
    if array.dtype() == Dtype::Bool { ops::view(&array, Dtype::Bool) } else { Ok(array) }
}

/// The maps of a safetensors file as parallel lists.
struct Lists {
    names: Vec<String>,
    arrays: Vec<Array>,
    keys: Vec<String>,
    values: Vec<String>,
}

impl From<&Safetensors> for Lists {
    fn from(file: &Safetensors) -> Self {
        Self {
            names: file.arrays.keys().cloned().collect(),
            arrays: file.arrays.values().cloned().collect(),
            keys: file.metadata.keys().cloned().collect(),
            values: file.metadata.values().cloned().collect(),
        }
    }
}

/// Writes a safetensors file; computes the arrays.
#[track_caller]
pub fn save_safetensors(path: impl AsRef<Path>, file: &Safetensors) -> Result<()> {
    let Lists { names, arrays, keys, values } = file.into();
    call!(ffi::save_safetensors(text(path.as_ref())?, &names, &arrays, &keys, &values))
}

/// [`save_safetensors`] into memory.
#[track_caller]
pub fn save_safetensors_bytes(file: &Safetensors) -> Result<Vec<u8>> {
    let Lists { names, arrays, keys, values } = file.into();
    call!(ffi::save_safetensors_bytes(&names, &arrays, &keys, &values))
}

/// Reads one array from a `.npy` file, when it is first computed.
#[track_caller]
pub fn load(path: impl AsRef<Path>) -> Result<Array> {
    read(call!(ffi::load(text(path.as_ref())?))?)
}

/// [`load`] from memory, of which the array keeps a copy until it is computed.
#[track_caller]
pub fn load_bytes(bytes: &[u8]) -> Result<Array> {
    read(call!(ffi::load_bytes(bytes))?)
}

/// Writes one array as a `.npy` file, to whose name MLX adds `.npy` where it is missing; computes the array. NumPy,
/// which has no bf16, reads one as two bytes.
#[track_caller]
pub fn save(path: impl AsRef<Path>, array: &Array) -> Result<()> {
    call!(ffi::save(text(path.as_ref())?, array))
}

/// [`save`] into memory.
#[track_caller]
pub fn save_bytes(array: &Array) -> Result<Vec<u8>> {
    call!(ffi::save_bytes(array))
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
