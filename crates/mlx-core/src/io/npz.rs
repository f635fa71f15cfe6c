//! Archives of arrays as NumPy writes them: a zip file with one `.npy` file per array, stored or deflated.

use super::{load_bytes, save_bytes};
use crate::{Array, Error, Result};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Reads an `.npz` file: the arrays by name, without `.npy`. Other members are left out.
#[track_caller]
pub fn load_npz(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>> {
    let path = path.as_ref();
    let name = path.display().to_string();
    File::open(path).map_or_else(|e| failed("read", &name, e), |file| read(file, &name))
}

/// [`load_npz`] from memory.
#[track_caller]
pub fn load_npz_bytes(bytes: &[u8]) -> Result<BTreeMap<String, Array>> {
    read(Cursor::new(bytes), "in memory")
}

/// Writes an `.npz` file, deflated where `compress`; computes the arrays.
#[track_caller]
pub fn save_npz(path: impl AsRef<Path>, arrays: &BTreeMap<String, Array>, compress: bool) -> Result<()> {
    let path = path.as_ref();
    let name = path.display().to_string();
    // The arrays may still be read lazily from the file that this one replaces.
    crate::eval(&arrays.values().cloned().collect::<Vec<_>>())?;
    File::create(path).map_or_else(|e| failed("write", &name, e), |file| write(file, &name, arrays, compress))
}

/// [`save_npz`] into memory.
#[track_caller]
pub fn save_npz_bytes(arrays: &BTreeMap<String, Array>, compress: bool) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(Cursor::new(&mut bytes), "in memory", arrays, compress)?;
    Ok(bytes)
}

#[track_caller]
fn failed<T>(verb: &str, name: &str, why: impl Display) -> Result<T> {
    Err(Error::new(format!("[npz] cannot {verb} the archive {name}: {why}")))
}

#[track_caller]
fn read(source: impl Read + Seek, archive_name: &str) -> Result<BTreeMap<String, Array>> {
    let mut archive = match ZipArchive::new(source) {
        Ok(archive) => archive,
        Err(e) => return failed("read", archive_name, e),
    };
    let mut arrays = BTreeMap::new();
    for at in 0..archive.len() {
        let mut member = match archive.by_index(at) {
            Ok(member) => member,
            Err(e) => return failed("read", archive_name, e),
        };
        let name = member.name().map(|name| name.strip_suffix(".npy").map(str::to_owned));
        let key = match name {
            Ok(Some(key)) => key,
            Ok(None) => continue,
            Err(e) => return failed("read", archive_name, e),
        };
        let mut bytes = Vec::new();
        if let Err(e) = member.read_to_end(&mut bytes) {
            return failed("read", archive_name, format!("{key}: {e}"));
        }
        arrays.insert(key, load_bytes(&bytes)?);
    }
    Ok(arrays)
}

#[track_caller]
fn write(to: impl Write + Seek, name: &str, arrays: &BTreeMap<String, Array>, compress: bool) -> Result<()> {
    let method = if compress { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let mut archive = ZipWriter::new(to);
    for (key, array) in arrays {
        // Members of 4 GiB and more need the long form of the header, which has to be asked for.
        let options = SimpleFileOptions::default().compression_method(method).large_file(array.nbytes() >= 1 << 31);
        let bytes = save_bytes(array)?;
        if let Err(e) = archive.start_file(format!("{key}.npy"), options) {
            return failed("write", name, format!("{key}: {e}"));
        }
        if let Err(e) = archive.write_all(&bytes) {
            return failed("write", name, format!("{key}: {e}"));
        }
    }
    archive.finish().map_or_else(|e| failed("write", name, e), |_| Ok(()))
}
