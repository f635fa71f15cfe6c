//! GGUF files (versions 2 and 3): metadata and tensor directory, and the tensors.
//!
//! MLX's reader trusts what it finds. So every count, length, offset and tensor range is checked here first against the
//! size of the file.

mod reader;
mod tensors;
mod value;

use std::path::{Path, PathBuf};

use crate::{Error, Result};
use reader::Reader;
pub use value::{FromValue, Value};

const MAGIC: &[u8; 4] = b"GGUF";
/// ggml's own limit, which its readers enforce.
const MAX_DIMS: u32 = 4;

/// Metadata and tensor directory of one GGUF file. Reading it proves that every tensor lies inside the file.
#[derive(Debug)]
pub struct Header {
    path: PathBuf,
    version: u32,
    metadata: Metadata,
    tensors: Vec<TensorInfo>,
}

type Metadata = std::collections::BTreeMap<String, Value>;

/// One entry of the tensor directory.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorInfo {
    /// The tensor's name, such as `blk.0.attn_q.weight`.
    pub name: String,
    /// As stored: the fastest-moving dimension first, the reverse of MLX's shape.
    pub dims: Vec<u64>,
    /// How the elements are stored.
    pub ggml_type: GgmlType,
    /// Bytes from the start of the file.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
}

/// How a tensor's elements are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GgmlType {
    /// The number in ggml's enumeration.
    pub id: u32,
    /// ggml's name, such as `Q4_1`.
    pub name: &'static str,
    /// Elements in one block.
    pub block: u64,
    /// Bytes of one block.
    pub bytes: u64,
}

impl GgmlType {
    /// The storage type with this number in ggml's enumeration, if it is a known one.
    pub fn from_id(id: u32) -> Option<Self> {
        TYPES.iter().find(|t| t.0 == id).map(|&(id, name, block, bytes)| Self { id, name, block, bytes })
    }
}

/// Number, name, elements and bytes of a block.
#[rustfmt::skip]
const TYPES: &[(u32, &str, u64, u64)] = &[
    (0, "F32", 1, 4), (1, "F16", 1, 2), (2, "Q4_0", 32, 18), (3, "Q4_1", 32, 20), (6, "Q5_0", 32, 22),
    (7, "Q5_1", 32, 24), (8, "Q8_0", 32, 34), (9, "Q8_1", 32, 36), (10, "Q2_K", 256, 84), (11, "Q3_K", 256, 110),
    (12, "Q4_K", 256, 144), (13, "Q5_K", 256, 176), (14, "Q6_K", 256, 210), (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66), (17, "IQ2_XS", 256, 74), (18, "IQ3_XXS", 256, 98), (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18), (21, "IQ3_S", 256, 110), (22, "IQ2_S", 256, 82), (23, "IQ4_XS", 256, 136),
    (24, "I8", 1, 1), (25, "I16", 1, 2), (26, "I32", 1, 4), (27, "I64", 1, 8), (28, "F64", 1, 8),
    (29, "IQ1_M", 256, 56), (30, "BF16", 1, 2), (34, "TQ1_0", 256, 54), (35, "TQ2_0", 256, 66),
    (39, "MXFP4", 32, 17), (40, "NVFP4", 64, 36),
];

impl Header {
    /// Reads and checks the header of `path`. Errors name the file, the byte, and the key or tensor at fault.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let mut reader = Reader::open(path.as_ref())?;
        let version = read_version(&mut reader)?;
        let tensor_count = reader.u64("the number of tensors")?;
        let key_count = reader.u64("the number of metadata keys")?;
        // A directory entry is never shorter than its fixed parts, so a wild count fails before any allocation.
        reader.expect_items(key_count, 13, "metadata keys")?;
        reader.expect_items(tensor_count, 24, "tensors")?;

        let mut metadata = Metadata::new();
        for _ in 0..key_count {
            let key = reader.string("a metadata key")?;
            let value = reader.value(&key)?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(reader.error(format!("has the metadata key \"{key}\" twice")));
            }
        }
        let mut tensors = Vec::new();
        for _ in 0..tensor_count {
            tensors.push(read_tensor(&mut reader)?);
        }

        let header = Self { path: path.as_ref().to_path_buf(), version, metadata, tensors: Vec::new() };
        let tensors = header.place(tensors, reader.position(), reader.len())?;
        Ok(Self { tensors, ..header })
    }

    /// The file that was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of the format, 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// All metadata, by key in order.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.metadata.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// All tensors, in the file's order.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// The value of `key`, or `None` where the file lacks it. A value of another type is an error.
    pub fn get<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<Option<T>> {
        let Some(value) = self.metadata.get(key) else { return Ok(None) };
        T::from_value(value)
            .map(Some)
            .ok_or_else(|| self.error(format!("stores \"{key}\" as {}, but {} is expected", value.kind(), T::EXPECTED)))
    }

    /// The value of `key`, which the file must have.
    pub fn require<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<T> {
        self.get(key)?.ok_or_else(|| self.error(format!("lacks the metadata key \"{key}\"")))
    }

    /// An error about this file: `what` continues the sentence after the file's name.
    pub(crate) fn error(&self, what: impl std::fmt::Display) -> Error {
        Error::msg(format!("GGUF file {} {what}.", self.path.display()))
    }

    /// Turns offsets within the tensor data into offsets within the file, and checks each range.
    fn place(&self, mut tensors: Vec<TensorInfo>, header_end: u64, file_len: u64) -> Result<Vec<TensorInfo>> {
        let alignment: u64 = self.get("general.alignment")?.unwrap_or(32);
        if alignment == 0 || !alignment.is_multiple_of(8) {
            return Err(self.error(format!("has alignment {alignment}, but a positive multiple of 8 is expected")));
        }
        let data = header_end
            .checked_next_multiple_of(alignment)
            .ok_or_else(|| self.error(format!("has alignment {alignment}, which overflows")))?;
        let mut names = std::collections::HashSet::with_capacity(tensors.len());
        for tensor in &mut tensors {
            let at = |what: String| self.error(format!("has a bad tensor \"{}\": {what}", tensor.name));
            if !names.insert(tensor.name.clone()) {
                return Err(at("the name appears twice".into()));
            }
            if !tensor.offset.is_multiple_of(alignment) {
                return Err(at(format!("offset {} is not a multiple of {alignment}", tensor.offset)));
            }
            let size = tensor_size(&tensor.dims, tensor.ggml_type).map_err(at)?;
            let offset = data.checked_add(tensor.offset);
            match offset.and_then(|start| start.checked_add(size)) {
                Some(end) if end <= file_len => {}
                _ => {
                    return Err(at(format!(
                        "{size} bytes at {data} + {} reach beyond the end of the file, which has {file_len} bytes \
                         (the download may be incomplete)",
                        tensor.offset
                    )));
                }
            }
            (tensor.offset, tensor.size) = (data + tensor.offset, size);
        }
        Ok(tensors)
    }
}

fn read_version(reader: &mut Reader) -> Result<u32> {
    let magic: [u8; 4] = reader.bytes("the magic number")?;
    if &magic != MAGIC {
        return Err(reader.error(format!("starts with {magic:02x?}, but a GGUF file starts with \"GGUF\"")));
    }
    let version = reader.u32("the version")?;
    match version {
        2 | 3 => Ok(version),
        _ if matches!(version.swap_bytes(), 1..=3) => {
            Err(reader.error("is big-endian, but only little-endian files can be read"))
        }
        _ => Err(reader.error(format!("has version {version}, but version 2 or 3 is expected"))),
    }
}

fn read_tensor(reader: &mut Reader) -> Result<TensorInfo> {
    let name = reader.string("a tensor name")?;
    let rank = reader.u32(&name)?;
    if rank > MAX_DIMS {
        return Err(reader.error(format!("has tensor \"{name}\" with {rank} dimensions, but at most 4 are expected")));
    }
    let dims = (0..rank).map(|_| reader.u64(&name)).collect::<Result<Vec<_>>>()?;
    let id = reader.u32(&name)?;
    let ggml_type = GgmlType::from_id(id)
        .ok_or_else(|| reader.error(format!("has tensor \"{name}\" of the unknown ggml type {id}")))?;
    let offset = reader.u64(&name)?;
    Ok(TensorInfo { name, dims, ggml_type, offset, size: 0 })
}

/// Bytes of a tensor, or what is wrong with its shape.
fn tensor_size(dims: &[u64], ggml_type: GgmlType) -> std::result::Result<u64, String> {
    let GgmlType { name, block, bytes, .. } = ggml_type;
    let row = dims.first().copied().unwrap_or(1);
    if !row.is_multiple_of(block) {
        return Err(format!("a row of {row} elements does not divide into {name} blocks of {block}"));
    }
    let elements = dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(dim));
    elements.and_then(|n| (n / block).checked_mul(bytes)).ok_or_else(|| format!("the shape {dims:?} overflows"))
}
