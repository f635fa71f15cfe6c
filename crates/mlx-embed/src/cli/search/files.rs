//! The files of a folder, and the texts in them.

use super::passages;
use mlx_embed::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Larger files are no prose.
const MOST_BYTES: u64 = 4 << 20;

/// Folders of what programs made.
const MADE: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// A file as the folder lists it; one that has not changed since equals itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Below the folder.
    pub path: String,
    /// Nanoseconds since 1970.
    modified: u64,
    length: u64,
}

/// The files below a folder in order, without hidden ones, without what programs made, and without following links.
pub fn walk(dir: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let at = dir.join(&folder);
        let failed = |e: std::io::Error| Error::msg(format!("{} cannot be read: {e}.", at.display()));
        for entry in std::fs::read_dir(&at).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // A name that is no UTF-8 could not be printed.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type().map_err(failed)?;
            if name.starts_with('.') {
                continue;
            } else if kind.is_dir() && !MADE.contains(&name.as_str()) {
                folders.push(path);
            } else if kind.is_file() {
                // A file may go while the folder is read.
                let Ok(metadata) = entry.metadata() else { continue };
                let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                let modified = modified.map_or(0, |time| time.as_nanos() as u64);
                files.push(File { path, modified, length: metadata.len() });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

impl File {
    /// The text; none where the file is too large, binary, no UTF-8 or gone.
    pub fn text(&self, dir: &Path) -> Option<String> {
        if self.length > MOST_BYTES {
            return None;
        }
        let text = String::from_utf8(std::fs::read(dir.join(&self.path)).ok()?).ok()?;
        let ending = Path::new(&self.path).extension().map(|ending| ending.to_ascii_lowercase());
        let is_html = ending.is_some_and(|ending| ending == "html" || ending == "htm");
        match text.contains('\0') {
            true => None,
            false if is_html => Some(passages::of_html(&text)),
            false => Some(text),
        }
    }
}
