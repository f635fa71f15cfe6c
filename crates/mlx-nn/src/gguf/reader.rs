//! Reads GGUF's primitive types and never allocates more than the rest of the file could hold.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::Value;
use crate::{Error, Result};

/// Arrays of arrays are allowed by the format; no writer nests them deeper than a few levels.
const MAX_DEPTH: u32 = 8;

/// Far more than any real header, and little enough that a damaged length cannot exhaust memory.
const MAX_HEADER: u64 = 1 << 28;

const STRING: u32 = 8;
const ARRAY: u32 = 9;

pub(super) struct Reader {
    file: BufReader<File>,
    path: PathBuf,
    position: u64,
    len: u64,
}

impl Reader {
    pub fn open(path: &Path) -> Result<Self> {
        let fail = |e: std::io::Error| Error::msg(format!("GGUF file {} cannot be read: {e}.", path.display()));
        let file = File::open(path).map_err(fail)?;
        let meta = file.metadata().map_err(fail)?;
        if !meta.is_file() {
            return Err(Error::msg(format!("GGUF file {} is not a regular file.", path.display())));
        }
        let file = BufReader::with_capacity(1 << 16, file);
        Ok(Self { file, path: path.to_path_buf(), position: 0, len: meta.len() })
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn error(&self, what: impl std::fmt::Display) -> Error {
        Error::msg(format!("GGUF file {} {what}.", self.path.display()))
    }

    /// Checks that `count` items of at least `size` bytes can still follow.
    pub fn expect_items(&self, count: u64, size: u64, what: &str) -> Result<()> {
        let left = self.len.min(MAX_HEADER).saturating_sub(self.position);
        if count.checked_mul(size).is_some_and(|need| need <= left) {
            return Ok(());
        }
        let at = self.position;
        Err(self.error(format!(
            "is truncated or damaged: byte {at} announces {count} {what}, but at most {left} bytes are left"
        )))
    }

    pub fn bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut buffer = [0; N];
        self.fill(&mut buffer, what)?;
        Ok(buffer)
    }

    pub fn u32(&mut self, what: &str) -> Result<u32> {
        self.bytes(what).map(u32::from_le_bytes)
    }

    pub fn u64(&mut self, what: &str) -> Result<u64> {
        self.bytes(what).map(u64::from_le_bytes)
    }

    pub fn string(&mut self, what: &str) -> Result<String> {
        let len = self.u64(what)?;
        let bytes = self.take(len, 1, what)?;
        String::from_utf8(bytes).map_err(|_| self.error(format!("has text that is not UTF-8 in {what}")))
    }

    /// A type number and a value of that type. `key` is for errors.
    pub fn value(&mut self, key: &str) -> Result<Value> {
        let kind = self.u32(key)?;
        match kind {
            STRING => self.string(key).map(Value::Str),
            ARRAY => self.array(key, 0),
            _ => {
                let width = self.width(kind, key)?;
                let bytes = self.take(1, width, key)?;
                if let (10, Ok(v)) = (kind, bytes.as_slice().try_into()) {
                    return Ok(Value::Int(u64::from_le_bytes(v).into()));
                }
                self.numbers(kind, &bytes, key).map(|value| match value {
                    Value::Ints(v) => Value::Int(v[0].into()),
                    Value::Floats(v) => Value::Float(v[0]),
                    Value::Bools(v) => Value::Bool(v[0]),
                    other => other,
                })
            }
        }
    }

    fn array(&mut self, key: &str, depth: u32) -> Result<Value> {
        let kind = self.u32(key)?;
        let count = self.u64(key)?;
        match kind {
            STRING => {
                self.expect_items(count, 8, "strings")?;
                (0..count).map(|_| self.string(key)).collect::<Result<_>>().map(Value::Strs)
            }
            ARRAY if depth < MAX_DEPTH => {
                self.expect_items(count, 12, "arrays")?;
                (0..count).map(|_| self.array(key, depth + 1)).collect::<Result<_>>().map(Value::Arrays)
            }
            ARRAY => Err(self.error(format!("nests the arrays of \"{key}\" deeper than {MAX_DEPTH} levels"))),
            _ => {
                let width = self.width(kind, key)?;
                let bytes = self.take(count, width, key)?;
                self.numbers(kind, &bytes, key)
            }
        }
    }

    /// Bytes of one number of type `kind`.
    fn width(&self, kind: u32, key: &str) -> Result<u64> {
        match kind {
            0 | 1 | 7 => Ok(1),
            2 | 3 => Ok(2),
            4..=6 => Ok(4),
            10..=12 => Ok(8),
            _ => Err(self.error(format!("gives \"{key}\" the unknown value type {kind}"))),
        }
    }

    fn numbers(&self, kind: u32, bytes: &[u8], key: &str) -> Result<Value> {
        /// Little-endian numbers of `N` bytes.
        fn read<const N: usize, T, U>(bytes: &[u8], from: fn([u8; N]) -> T, into: fn(T) -> U) -> Vec<U> {
            bytes.as_chunks::<N>().0.iter().map(|chunk| into(from(*chunk))).collect()
        }
        Ok(match kind {
            0 => Value::Ints(read(bytes, u8::from_le_bytes, i64::from)),
            1 => Value::Ints(read(bytes, i8::from_le_bytes, i64::from)),
            2 => Value::Ints(read(bytes, u16::from_le_bytes, i64::from)),
            3 => Value::Ints(read(bytes, i16::from_le_bytes, i64::from)),
            4 => Value::Ints(read(bytes, u32::from_le_bytes, i64::from)),
            5 => Value::Ints(read(bytes, i32::from_le_bytes, i64::from)),
            6 => Value::Floats(read(bytes, f32::from_le_bytes, f64::from)),
            7 if bytes.iter().all(|&b| b <= 1) => Value::Bools(read(bytes, u8::from_le_bytes, |b| b == 1)),
            7 => return Err(self.error(format!("has a boolean that is neither 0 nor 1 in \"{key}\""))),
            10 if bytes.iter().skip(7).step_by(8).any(|&b| b > 0x7f) => {
                return Err(self.error(format!("has a number beyond 63 bits in the array \"{key}\"")));
            }
            10 | 11 => Value::Ints(read(bytes, i64::from_le_bytes, i64::from)),
            _ => Value::Floats(read(bytes, f64::from_le_bytes, f64::from)),
        })
    }

    /// The next `count * width` bytes.
    fn take(&mut self, count: u64, width: u64, what: &str) -> Result<Vec<u8>> {
        self.expect_items(count, width, &format!("items of {width} bytes in {what:?}"))?;
        let mut buffer = vec![0; (count * width) as usize];
        self.fill(&mut buffer, what)?;
        Ok(buffer)
    }

    fn fill(&mut self, buffer: &mut [u8], what: &str) -> Result<()> {
        let at = self.position;
        self.file
            .read_exact(buffer)
            .map_err(|_| self.error(format!("is truncated: it ends within {what:?}, which starts at byte {at}")))?;
        self.position += buffer.len() as u64;
        Ok(())
    }
}
