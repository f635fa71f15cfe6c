//! An MLX in a folder of this machine: its headers, its library, its version.

use crate::pins;
use std::path::{Path, PathBuf};

/// An MLX that was found.
pub struct Mlx {
    /// Where it comes from, as `DEP_MLX_KIND` says it: `dir`, `source` or `wheel`.
    pub kind: &'static str,
    /// The folder that holds `include` and the library's folder.
    pub root: PathBuf,
    /// The folder that holds `mlx/mlx.h`.
    pub include: PathBuf,
    /// The folder that holds the library.
    pub lib: PathBuf,
    /// The library's file.
    pub file: PathBuf,
    /// The version that its headers name.
    pub version: String,
}

impl Mlx {
    /// Checks that `root` holds headers and a library of the version that the bindings are written against.
    pub fn open(kind: &'static str, root: PathBuf) -> Result<Self, String> {
        let include = root.join("include");
        let shown = root.display();
        if !include.join("mlx/mlx.h").is_file() {
            return Err(format!("{shown} has no include/mlx/mlx.h."));
        }
        let file = library(&root).ok_or_else(|| format!("{shown} has no libmlx in lib/ (or lib64/)."))?;
        let version =
            header_version(&include).ok_or_else(|| format!("{shown}/include/mlx/version.h names no version."))?;
        let series = |version: &str| version.rsplit_once('.').map(|(series, _)| series.to_owned());
        if series(&version) != series(pins::VERSION) {
            return Err(format!("{shown} holds MLX {version}; these bindings need {}.", pins::VERSION));
        }
        if version != pins::VERSION {
            println!("cargo::warning={shown} holds MLX {version}; mlx-core is tested with {}", pins::VERSION);
        }
        println!("cargo::rerun-if-changed={}", include.join("mlx/version.h").display());
        println!("cargo::rerun-if-changed={}", file.display());
        let lib = file.parent().unwrap_or(&root).to_path_buf();
        Ok(Self { kind, include, lib, file, version, root })
    }

    /// Whether the library is an archive to be linked into the binary.
    pub fn is_static(&self) -> bool {
        self.file.extension().is_some_and(|extension| extension == "a")
    }
}

fn library(root: &Path) -> Option<PathBuf> {
    let folders = ["lib", "lib64"];
    let names = ["libmlx.so", "libmlx.dylib", "libmlx.a"];
    let candidates = names.iter().flat_map(|name| folders.map(|folder| root.join(folder).join(name)));
    candidates.into_iter().find(|file| file.is_file())
}

fn header_version(include: &Path) -> Option<String> {
    let header = std::fs::read_to_string(include.join("mlx/version.h")).ok()?;
    let part = |name: &str| {
        let define = format!("#define MLX_VERSION_{name} ");
        header.lines().find_map(|line| line.strip_prefix(&define)).map(str::trim)
    };
    Some(format!("{}.{}.{}", part("MAJOR")?, part("MINOR")?, part("PATCH")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const HEADER: &str = "include/mlx/mlx.h";
    const VERSION_HEADER: &str = "include/mlx/version.h";

    /// Makes a folder of the given files and opens it.
    fn opened(files: &[(&str, String)]) -> (PathBuf, Result<Mlx, String>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let root = folder.path().to_path_buf();
        (root.clone(), Mlx::open("dir", root))
    }

    fn version(version: &str) -> String {
        let names = ["MAJOR", "MINOR", "PATCH"];
        names
            .iter()
            .zip(version.split('.'))
            .map(|(name, part)| format!("#define MLX_VERSION_{name} {part}\n"))
            .collect()
    }

    #[test]
    fn what_a_folder_lacks_is_named() {
        let header = (HEADER, String::new());
        let library = ("lib/libmlx.so", String::new());
        let old = (VERSION_HEADER, version("0.31.9"));
        for (files, expected) in [
            (vec![], "has no include/mlx/mlx.h."),
            (vec![header.clone()], "has no libmlx in lib/ (or lib64/)."),
            (vec![header.clone(), library.clone()], "include/mlx/version.h names no version."),
            (vec![header, library, old], "holds MLX 0.31.9; these bindings need 0.32.4."),
        ] {
            let (root, found) = opened(&files);
            let error = found.err().unwrap();
            assert!(error.starts_with(&root.display().to_string()) && error.ends_with(expected), "{error}");
        }
    }

    #[test]
    fn a_whole_folder_is_taken_as_it_is() {
        for (file, is_static) in [("lib/libmlx.so", false), ("lib64/libmlx.a", true), ("lib/libmlx.dylib", false)] {
            let versions = (VERSION_HEADER, version(pins::VERSION));
            let (root, found) = opened(&[(HEADER, String::new()), versions, (file, String::new())]);
            let mlx = found.unwrap();
            assert_eq!((mlx.kind, mlx.version.as_str(), mlx.is_static()), ("dir", pins::VERSION, is_static));
            assert_eq!((mlx.include, mlx.file.clone()), (root.join("include"), root.join(file)));
            assert_eq!((mlx.lib.as_path(), mlx.root), (mlx.file.parent().unwrap(), root));
        }
    }
}
