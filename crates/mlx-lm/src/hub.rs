//! Models by hub id, kept in the cache that Hugging Face's tools share.

use hf_hub::api::sync::{ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use mlx_nn::{Error, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The folder of a repository's files: the cached one where it is complete, else downloaded.
pub fn snapshot(id: &str, revision: Option<&str>, offline: bool) -> Result<PathBuf> {
    let revision = revision.unwrap_or("main").to_owned();
    let repo = Repo::with_revision(id.to_owned(), RepoType::Model, revision.clone());
    let cached = Cache::from_env().repo(repo.clone()).get("config.json");
    if let Some(dir) = cached.as_deref().and_then(Path::parent).filter(|dir| is_complete(dir)) {
        return Ok(dir.to_owned());
    }
    if offline || is_set("HF_HUB_OFFLINE") {
        return Err(Error::msg(format!("The model `{id}` ({revision}) is not in the cache, and the network is off.")));
    }
    download(id, repo)
}

fn is_set(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false" | "no" | "off"))
}

/// Whether the configuration, the tokenizer and every weight file are there.
fn is_complete(dir: &Path) -> bool {
    if !dir.join("config.json").exists() || !dir.join("tokenizer.json").exists() {
        return false;
    }
    let index = std::fs::read(dir.join("model.safetensors.index.json"));
    let index = index.ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    match index.as_ref().and_then(|index| index["weight_map"].as_object()) {
        Some(map) => map.values().filter_map(Value::as_str).all(|file| dir.join(file).exists()),
        None => dir.join("model.safetensors").exists(),
    }
}

fn wanted(name: &str) -> bool {
    let weights = name.starts_with("model") && name.ends_with(".safetensors");
    !name.contains('/') && (weights || name.ends_with(".json") || name.ends_with(".jinja") || name == "tokenizer.model")
}

fn download(id: &str, repo: Repo) -> Result<PathBuf> {
    let failed = |e: ApiError| Error::msg(format!("The model `{id}` cannot be downloaded: {e}."));
    let api: ApiRepo = ApiBuilder::from_env().with_progress(true).build().map_err(failed)?.repo(repo);
    let files = api.info().map_err(failed)?.siblings;
    let mut dir = None;
    for file in files.iter().map(|file| file.rfilename.as_str()).filter(|name| wanted(name)) {
        let path = api.get(file).map_err(failed)?;
        dir = path.parent().map(Path::to_owned);
    }
    dir.ok_or_else(|| Error::msg(format!("The repository `{id}` holds no model files.")))
}
