//! Repositories of the Hugging Face hub, kept in the cache that its tools share.

use crate::source::Hub;
use crate::{Error, Result};
use hf_hub::api::sync::{ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use std::path::{Path, PathBuf};

/// The folder of a repository's files: the cached one where it is complete, else downloaded.
pub(crate) fn snapshot(id: &str, hub: &Hub<'_>) -> Result<PathBuf> {
    let revision = hub.revision.unwrap_or("main").to_owned();
    let repo = Repo::with_revision(id.to_owned(), RepoType::Model, revision.clone());
    let cache = Cache::from_env().repo(repo.clone());
    let cached = ["config.json", "modules.json"].iter().find_map(|file| cache.get(file));
    if let Some(dir) = cached.as_deref().and_then(Path::parent).filter(|dir| (hub.is_complete)(dir)) {
        return Ok(dir.to_owned());
    }
    if hub.offline || is_set("HF_HUB_OFFLINE") {
        return Err(Error::msg(format!("The model `{id}` ({revision}) is not in the cache, and the network is off.")));
    }
    download(id, repo, hub)
}

fn is_set(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false" | "no" | "off"))
}

fn download(id: &str, repo: Repo, hub: &Hub<'_>) -> Result<PathBuf> {
    let failed = |e: ApiError| Error::msg(format!("The model `{id}` cannot be downloaded: {e}."));
    let api: ApiRepo = ApiBuilder::from_env().with_progress(true).build().map_err(failed)?.repo(repo);
    let files = api.info().map_err(failed)?.siblings;
    let files: Vec<&str> = files.iter().map(|file| file.rfilename.as_str()).collect();
    let mut root = None;
    for file in wanted(&files, "") {
        let path = api.get(file).map_err(failed)?;
        root = path.parent().map(Path::to_owned);
    }
    let root = root.ok_or_else(|| Error::msg(format!("The repository `{id}` holds no model files.")))?;
    // What the root says leads to folders, and what they say to those inside of them.
    let mut there = vec![String::new()];
    while let Some(folder) = (hub.folders)(&root)?.into_iter().find(|folder| !there.contains(folder)) {
        for file in wanted(&files, &folder) {
            api.get(file).map_err(failed)?;
        }
        there.push(folder);
    }
    Ok(root)
}

/// The files of a folder that models are read from: PyTorch's own only where there are no others.
fn wanted<'a>(files: &[&'a str], folder: &str) -> Vec<&'a str> {
    let inside = |file: &'a str| {
        let name = if folder.is_empty() { Some(file) } else { file.strip_prefix(folder)?.strip_prefix('/') };
        name.filter(|name| !name.contains('/')).map(|name| (file, name))
    };
    let inside: Vec<(&str, &str)> = files.iter().filter_map(|file| inside(file)).collect();
    let is_weights = |name: &str, start: &str, end: &str| name.starts_with(start) && name.ends_with(end);
    let safetensors = |name: &str| is_weights(name, "model", ".safetensors");
    let pickled = !inside.iter().any(|(_, name)| safetensors(name));
    let is_wanted = |name: &str| {
        safetensors(name)
            || pickled && is_weights(name, "pytorch_model", ".bin")
            || [".json", ".jinja"].iter().any(|end| name.ends_with(end))
            || ["tokenizer.model", "artifact.metadata"].contains(&name)
    };
    inside.into_iter().filter(|(_, name)| is_wanted(name)).map(|(file, _)| file).collect()
}

#[cfg(test)]
mod tests {
    use super::wanted;

    #[test]
    fn only_what_models_are_read_from_is_wanted() {
        let files = [
            "config.json",
            "model.safetensors",
            "pytorch_model.bin",
            "modules.json",
            "README.md",
            "model.onnx",
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "2_Dense/pytorch_model.bin",
            "onnx/config.json",
        ];
        assert_eq!(wanted(&files, ""), ["config.json", "model.safetensors", "modules.json"]);
        assert_eq!(wanted(&files, "1_Pooling"), ["1_Pooling/config.json"]);
        assert_eq!(wanted(&files, "2_Dense"), ["2_Dense/config.json", "2_Dense/pytorch_model.bin"]);
        assert!(wanted(&files, "2_").is_empty());
    }
}
