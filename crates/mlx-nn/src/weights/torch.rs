//! Checkpoints that torch.save wrote: a zip archive of a pickle and the tensors' bytes.

use super::pickle;
use super::place::Place;
use crate::{Error, Result};
use mlx_ops::{Dtype, Element, Tensor, bf16, f16};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::rc::Rc;
use zip::{CompressionMethod, ZipArchive};

/// The tensors of a file, of which f32, f16, bf16 and i64 are known.
pub(super) fn tensors(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    read(path).map_err(|e| e.in_file(path))
}

fn read(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let unreadable = |e: std::io::Error| Error::msg(format!("it cannot be read: {e}."));
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|e| {
        Error::msg(format!("it is no zip archive, as torch.save writes since PyTorch 1.6, or is cut short: {e}."))
    })?;
    let mut archive = Archive { archive, left: size };
    let pickle = archive.root()?;
    let bytes = archive.member(&format!("{pickle}data.pkl"))?;
    let mut places: BTreeMap<Rc<str>, Vec<(Rc<str>, Place)>> = BTreeMap::new();
    for (name, place) in pickle::tensors(&bytes)? {
        places.entry(place.storage.clone()).or_default().push((name, place));
    }
    let mut tensors = BTreeMap::new();
    let mut allowed = size;
    for (storage, places) in places {
        let bytes = archive.member(&format!("{pickle}data/{storage}"))?;
        let mut made: HashMap<Place, Tensor> = HashMap::new();
        for (name, place) in places {
            // Tied layers are one tensor.
            if !made.contains_key(&place) {
                let part = part(&bytes, &name, &place)?;
                allowed = allowed
                    .checked_sub(part.len() as u64)
                    .ok_or_else(|| Error::msg("its tensors overlap, so that they are larger than the file."))?;
                made.insert(place.clone(), tensor(part, &place)?);
            }
            tensors.insert(name.to_string(), made[&place].clone());
        }
    }
    Ok(tensors)
}

struct Archive {
    archive: ZipArchive<BufReader<File>>,
    /// Bytes of members that may still be read: entries that overlap must not add up to more than the file.
    left: u64,
}

impl Archive {
    /// What stands in front of `data.pkl`: the archive's name.
    fn root(&self) -> Result<String> {
        let names = self.archive.file_names().filter_map(|name| name.ok());
        let mut roots = names.filter_map(|name| {
            let root = name.strip_suffix("data.pkl")?;
            root.strip_suffix('/').is_some_and(|folder| !folder.contains('/')).then(|| root.to_owned())
        });
        roots.next().ok_or_else(|| Error::msg("it holds no data.pkl, as torch.save writes."))
    }

    fn member(&mut self, name: &str) -> Result<Vec<u8>> {
        let broken = |e: String| Error::msg(format!("its member `{name}` cannot be read: {e}."));
        let mut member = self.archive.by_name(name).map_err(|e| broken(e.to_string()))?;
        if member.compression() != CompressionMethod::Stored || member.size() != member.compressed_size() {
            return Err(broken("it is compressed, which torch.save does not do".into()));
        }
        let size = member.size();
        self.left = self.left.checked_sub(size).ok_or_else(|| broken(format!("its {size} bytes exceed the file")))?;
        let mut bytes = Vec::with_capacity(size as usize);
        member.read_to_end(&mut bytes).map_err(|e| broken(e.to_string()))?;
        Ok(bytes)
    }
}

/// The bytes of a tensor inside of those of its storage.
fn part<'a>(bytes: &'a [u8], name: &str, place: &Place) -> Result<&'a [u8]> {
    let item = place.dtype.size();
    let count = place.dims.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim as usize));
    let range = count.and_then(|count| {
        let start = place.offset.checked_mul(item)?;
        Some(start..start.checked_add(count.checked_mul(item)?)?)
    });
    range.and_then(|range| bytes.get(range)).ok_or_else(|| {
        Error::msg(format!(
            "tensor `{name}` of shape {:?} from element {} on exceeds its storage of {} bytes.",
            place.dims,
            place.offset,
            bytes.len()
        ))
    })
}

fn tensor(bytes: &[u8], place: &Place) -> Result<Tensor> {
    match place.dtype {
        Dtype::F32 => plain(bytes, place, f32::from_le_bytes),
        Dtype::F16 => plain(bytes, place, f16::from_le_bytes),
        Dtype::Bf16 => plain(bytes, place, bf16::from_le_bytes),
        _ => plain(bytes, place, i64::from_le_bytes),
    }
}

fn plain<const N: usize, T: Element>(bytes: &[u8], place: &Place, from: fn([u8; N]) -> T) -> Result<Tensor> {
    let values: Vec<T> = bytes.as_chunks::<N>().0.iter().map(|&bytes| from(bytes)).collect();
    Ok(Tensor::from_slice(&values, &place.dims[..])?)
}
