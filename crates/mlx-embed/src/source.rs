//! Where a model's folder is, and whether all of it is there.

use crate::LoadOptions;
use crate::router::Router;
use crate::settings::{Module, modules};
use mlx_nn::source::Hub;
use mlx_nn::{Error, Result, source, weights};
use std::path::{Path, PathBuf};

/// The folder `source`, or that of the hub repository of this id.
pub fn locate(source: &Path, options: &LoadOptions) -> Result<PathBuf> {
    let hub =
        Hub { revision: options.revision.as_deref(), offline: options.offline, is_complete, folders: named_folders };
    let dir = source::locate(source, "an existing folder", &hub)?;
    match dir.is_dir() {
        true => Ok(dir),
        false => Err(Error::msg(format!("{} is not a folder.", dir.display()))),
    }
}

/// The modules of a folder, those of a router among them.
fn all_modules(root: &Path) -> Result<Vec<Module>> {
    Ok(Router::expand(modules(root)?)?.1.concat())
}

fn is_complete(root: &Path) -> bool {
    all_modules(root).is_ok_and(|modules| modules.iter().all(is_there))
}

fn is_there(module: &Module) -> bool {
    let has = |file: &str| module.dir.join(file).exists();
    match module.kind.as_str() {
        "Normalize" | "Dropout" => true,
        "Pooling" | "MultiVectorMask" | "SpladePooling" | "LogitScore" => has("config.json"),
        "StaticEmbedding" => has("tokenizer.json") && weights::are_complete(&module.dir),
        "Dense" | "LayerNorm" | "WeightedLayerPooling" => has("config.json") && weights::are_complete(&module.dir),
        _ => has("config.json") && has("tokenizer.json") && weights::are_complete(&module.dir),
    }
}

/// The folders of modules, relative to the root. A router whose own file is not there yet names only its own.
fn named_folders(root: &Path) -> Result<Vec<String>> {
    let listed = modules(root)?;
    let inner = Router::expand(listed.clone()).map(|(_, ways)| ways.concat()).unwrap_or_default();
    let folder = |module: &Module| {
        let path = module.dir.strip_prefix(root).ok()?.to_str()?.trim_end_matches('/').to_owned();
        (!["", "."].contains(&path.as_str())).then_some(path)
    };
    let mut folders: Vec<String> = listed.iter().chain(&inner).filter_map(folder).collect();
    folders.sort();
    folders.dedup();
    Ok(folders)
}
