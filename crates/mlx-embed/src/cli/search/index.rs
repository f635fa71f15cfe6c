//! The vectors of a folder's passages, kept in a file.

use super::files::File;
use mlx_embed::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What the vectors depend on beside the files.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Of the format, and of how texts are cut.
    pub version: u32,
    pub folder: String,
    /// The model's files.
    pub model: String,
    pub dtype: Option<String>,
    pub passage_tokens: usize,
}

/// A passage without its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub line: usize,
    /// How the text begins.
    pub words: String,
}

/// A file and its passages; none where it is no text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub file: File,
    pub places: Option<Vec<Place>>,
}

/// All passages in order, with a vector each.
#[derive(Debug, PartialEq)]
pub struct Index {
    pub key: Key,
    pub dims: usize,
    pub entries: Vec<Entry>,
    /// Row by row.
    pub vectors: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    key: std::borrow::Cow<'a, Key>,
    dims: usize,
    entries: std::borrow::Cow<'a, [Entry]>,
}

impl Index {
    /// An index of nothing.
    pub fn empty(key: Key) -> Self {
        Self { key, dims: 0, entries: Vec::new(), vectors: Vec::new() }
    }

    /// Reads what was written for the same key. A file that is not there, or is not as it was written, holds nothing.
    pub fn read(path: &Path, key: &Key) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (header, rest) = rest.split_at_checked(u64::from_le_bytes(*length).try_into().ok()?)?;
        let Header { key: theirs, dims, entries } = serde_json::from_slice(header).ok()?;
        let vectors: Vec<f32> = rest.chunks_exact(4).map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]])).collect();
        let index = Self { key: theirs.into_owned(), dims, entries: entries.into_owned(), vectors };
        (index.key == *key && rest.len() == 4 * dims * index.places().count()).then_some(index)
    }

    /// Writes the file as a whole: one who reads meanwhile sees the old one.
    pub fn write(&self, path: &Path) -> Result<()> {
        use std::borrow::Cow::Borrowed;
        let failed = |e: std::io::Error| Error::msg(format!("{} cannot be written: {e}.", path.display()));
        let header = Header { key: Borrowed(&self.key), dims: self.dims, entries: Borrowed(&self.entries) };
        let header = serde_json::to_vec(&header).map_err(|e| failed(e.into()))?;
        let mut bytes = [&(header.len() as u64).to_le_bytes()[..], &header].concat();
        bytes.extend(self.vectors.iter().flat_map(|x| x.to_le_bytes()));
        let new = path.with_extension(format!("{}.new", std::process::id()));
        std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
        std::fs::write(&new, bytes).and_then(|()| std::fs::rename(&new, path)).map_err(failed)
    }

    /// Each passage with its file.
    pub fn places(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.entries.iter().flat_map(|entry| entry.places.iter().flatten().map(|place| (&*entry.file.path, place)))
    }

    /// The files' entries by path, each with the vectors of its passages.
    pub fn files(&self) -> impl Iterator<Item = (&Entry, &[f32])> {
        let mut at = 0;
        self.entries.iter().map(move |entry| {
            let start = at;
            at += entry.places.as_ref().map_or(0, Vec::len) * self.dims;
            (entry, &self.vectors[start..at])
        })
    }
}
