//! The tensors of a GGUF file, read one by one into the formats that MLX computes with.
//!
//! MLX's own loader maps the whole file while it copies, which doubles the memory that loading takes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::{GgmlType, Header, TensorInfo};
use crate::{Error, Result};
use mlx_ops::{Element, Tensor, bf16, f16, io};

/// Bytes read at once: whole blocks of every type, and little beside the tensors.
const PIECE: u64 = 1 << 20;

/// Elements of a block of the packed types; MLX's group.
const GROUP: usize = 32;

impl Header {
    /// The tensors by name. Q4_0, Q4_1 and Q8_0 stay packed: `<name>.weight` comes with `<name>.scales` and
    /// `<name>.biases` in groups of 32. A file with other quantized types is read by MLX, which widens those to f16.
    pub fn read_tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        if self.tensors.iter().any(|tensor| Storage::of(tensor.ggml_type).is_none()) {
            let loaded = io::load_gguf(&self.path).map_err(|e| Error::msg(e.message()).in_file(&self.path))?;
            return Ok(loaded.arrays.into_iter().map(|(name, array)| (name, Tensor::from(array))).collect());
        }
        let mut file = File::open(&self.path).map_err(|e| self.error(format!("cannot be read: {e}")))?;
        let mut tensors = BTreeMap::new();
        for info in &self.tensors {
            self.read_tensor(&mut file, info, &mut tensors)?;
        }
        Ok(tensors)
    }

    fn read_tensor(&self, file: &mut File, info: &TensorInfo, to: &mut BTreeMap<String, Tensor>) -> Result<()> {
        let Some(storage) = Storage::of(info.ggml_type) else { return Ok(()) };
        let dims = self.shape(info)?;
        let plain = |tensor| BTreeMap::from([(info.name.clone(), tensor)]);
        let mut read = match storage {
            Storage::F32 => plain(self.read_plain(file, info, &dims, f32::from_le_bytes)?),
            Storage::F16 => plain(self.read_plain(file, info, &dims, f16::from_le_bytes)?),
            Storage::Bf16 => plain(self.read_plain(file, info, &dims, bf16::from_le_bytes)?),
            Storage::Packed(format) => self.read_packed(file, info, &dims, format)?,
        };
        to.append(&mut read);
        Ok(())
    }

    /// MLX's shape: the slowest-moving axis first.
    fn shape(&self, info: &TensorInfo) -> Result<Vec<i32>> {
        let dims: std::result::Result<_, _> = info.dims.iter().rev().map(|&dim| i32::try_from(dim)).collect();
        dims.map_err(|_| {
            self.error(format!("has tensor \"{}\" of shape {:?}, too large for MLX", info.name, info.dims))
        })
    }

    fn read_plain<const N: usize, T: Element>(
        &self,
        file: &mut File,
        info: &TensorInfo,
        dims: &[i32],
        from: fn([u8; N]) -> T,
    ) -> Result<Tensor> {
        let mut values = Vec::with_capacity(info.size as usize / N);
        self.pieces(file, info, |piece| values.extend(piece.as_chunks::<N>().0.iter().map(|&bytes| from(bytes))))?;
        Ok(Tensor::from_slice(&values, dims)?)
    }

    fn read_packed(
        &self,
        file: &mut File,
        info: &TensorInfo,
        dims: &[i32],
        format: Packed,
    ) -> Result<BTreeMap<String, Tensor>> {
        let blocks = (info.size / info.ggml_type.bytes) as usize;
        let mut rows = Rows {
            codes: Vec::with_capacity(blocks * format.words()),
            scales: Vec::with_capacity(blocks),
            biases: Vec::with_capacity(blocks),
        };
        self.pieces(file, info, |piece| piece.chunks_exact(format.bytes()).for_each(|block| rows.push(format, block)))?;
        let Some((&inputs, outer)) = dims.split_last() else {
            return Err(self.error(format!("has a packed tensor \"{}\" without an axis", info.name)));
        };
        let groups = inputs / GROUP as i32;
        let shape = |last: i32| [outer, &[last]].concat();
        let name = |part: &str| format!("{}.{part}", info.name.strip_suffix(".weight").unwrap_or(&info.name));
        Ok(BTreeMap::from([
            (info.name.clone(), Tensor::from_slice(&rows.codes, shape(groups * format.words() as i32))?),
            (name("scales"), Tensor::from_slice(&rows.scales, shape(groups))?),
            (name("biases"), Tensor::from_slice(&rows.biases, shape(groups))?),
        ]))
    }

    /// Hands a tensor's bytes on in pieces of whole blocks.
    fn pieces(&self, file: &mut File, info: &TensorInfo, mut each: impl FnMut(&[u8])) -> Result<()> {
        let fail = |e| self.error(format!("cannot be read where tensor \"{}\" lies: {e}", info.name));
        file.seek(SeekFrom::Start(info.offset)).map_err(fail)?;
        let most = PIECE / info.ggml_type.bytes * info.ggml_type.bytes;
        let mut piece = vec![0; most.min(info.size) as usize];
        let mut left = info.size;
        while left > 0 {
            let piece = &mut piece[..left.min(most) as usize];
            file.read_exact(piece).map_err(fail)?;
            each(piece);
            left -= piece.len() as u64;
        }
        Ok(())
    }
}

/// The storage types that are read here.
#[derive(Clone, Copy)]
enum Storage {
    F32,
    F16,
    Bf16,
    Packed(Packed),
}

/// Blocks of 32 codes with a 16-bit scale; `code * scale + bias`.
#[derive(Clone, Copy)]
enum Packed {
    /// 4 bits, 8 taken off.
    Q4_0,
    /// 4 bits and a bias.
    Q4_1,
    /// 8 bits, signed.
    Q8_0,
}

impl Storage {
    fn of(ggml_type: GgmlType) -> Option<Self> {
        Some(match ggml_type.name {
            "F32" => Self::F32,
            "F16" => Self::F16,
            "BF16" => Self::Bf16,
            "Q4_0" => Self::Packed(Packed::Q4_0),
            "Q4_1" => Self::Packed(Packed::Q4_1),
            "Q8_0" => Self::Packed(Packed::Q8_0),
            _ => return None,
        })
    }
}

impl Packed {
    /// Bytes of a block.
    fn bytes(self) -> usize {
        match self {
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q8_0 => 34,
        }
    }

    /// 32-bit words of a block's codes.
    fn words(self) -> usize {
        match self {
            Self::Q4_0 | Self::Q4_1 => GROUP * 4 / 32,
            Self::Q8_0 => GROUP * 8 / 32,
        }
    }
}

/// A packed tensor as MLX holds it.
struct Rows {
    codes: Vec<u32>,
    scales: Vec<f16>,
    biases: Vec<f16>,
}

impl Rows {
    fn push(&mut self, format: Packed, block: &[u8]) {
        let (head, codes) = block.split_at(block.len() - format.words() * 4);
        let half = |at: usize| f16::from_le_bytes([head[at], head[at + 1]]);
        let scale = half(0);
        self.scales.push(scale);
        let offset = |by: f32| f16::from_f32(-by * scale.to_f32());
        self.biases.push(match format {
            Packed::Q4_0 => offset(8.0),
            Packed::Q4_1 => half(2),
            Packed::Q8_0 => offset(128.0),
        });
        match format {
            Packed::Q4_0 | Packed::Q4_1 => self.push_nibbles(codes),
            // Two's complement to an offset of 128.
            Packed::Q8_0 => self.codes.extend(codes.as_chunks().0.iter().map(|&b| u32::from_le_bytes(b) ^ 0x8080_8080)),
        }
    }

    /// Low halves hold the first 16 codes of a block, high halves the others; MLX fills words in order.
    fn push_nibbles(&mut self, codes: &[u8]) {
        for shift in [0, 4] {
            self.codes.extend(codes.as_chunks().0.iter().map(|&eight| {
                let spread = u64::from_le_bytes(eight) >> shift & 0x0f0f_0f0f_0f0f_0f0f;
                let pairs = (spread | spread >> 4) & 0x00ff_00ff_00ff_00ff;
                let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
                (fours | fours >> 16) as u32
            }));
        }
    }
}
