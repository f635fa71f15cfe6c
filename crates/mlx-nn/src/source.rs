//! Where a model's files are: a path, or a repository of the Hugging Face hub.

use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// How a repository of the hub becomes a folder.
pub struct Hub<'a> {
    /// A branch, tag or commit; `None`: `main`.
    pub revision: Option<&'a str>,
    /// Never asks the network; also set by the variable `HF_HUB_OFFLINE`.
    pub offline: bool,
    /// Whether a folder from the cache has all that the model is loaded from.
    pub is_complete: fn(&Path) -> bool,
    /// The folders beside the root whose files are wanted, as far as the files that are there name them.
    pub folders: fn(&Path) -> Result<Vec<String>>,
}

/// The path `source` where it exists, else the folder of the repository of that id.
///
/// An error says that `source` is neither `kinds` (such as `an existing folder`) nor a hub id, or why the repository cannot be had.
pub fn locate(source: &Path, kinds: &str, hub: &Hub<'_>) -> Result<PathBuf> {
    if source.exists() {
        return Ok(source.to_owned());
    }
    let source = &*source.to_string_lossy();
    let looks_like_id = source.split('/').count() == 2 && !source.starts_with(['.', '/', '~']);
    if !looks_like_id {
        return Err(Error::msg(format!(
            "The model `{source}` is neither {kinds} nor a hub id of the form owner/name."
        )));
    }
    snapshot(source, hub)
}

#[cfg(feature = "hub")]
use crate::hub::snapshot;

#[cfg(not(feature = "hub"))]
fn snapshot(id: &str, _: &Hub<'_>) -> Result<PathBuf> {
    Err(Error::msg(format!("The model `{id}` is not a path, and this build lacks the feature `hub`.")))
}
