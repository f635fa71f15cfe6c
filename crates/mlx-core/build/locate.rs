//! Finds MLX: `MLX_DIR`, then a build from source if the feature asks for one, then the official prebuilt library.

use crate::pins::{self, Target};
use crate::wheel;
use std::path::{Path, PathBuf};

pub use crate::link::link;

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
    /// Whether the library is an archive to be linked into the binary.
    pub fn is_static(&self) -> bool {
        self.file.extension().is_some_and(|extension| extension == "a")
    }
}

const THREE_WAYS: &str = "\
MLX can come from three places:
  1. MLX_DIR=<folder>: an MLX on this machine, a folder with include/ and lib/ (Homebrew's prefix, a CMake install,
     or the `mlx` folder of an installed Python package);
  2. the official prebuilt library, downloaded once by package name: needs Python's pip (or uv) and the network;
  3. the feature `source` of mlx-core: builds MLX with CMake, from MLX_SOURCE_DIR=<folder> or from the network.";

/// Returns the MLX to build against, or the text to show a person who has none.
pub fn find() -> Result<Mlx, String> {
    for name in ["MLX_DIR", "MLX_CACHE_DIR", "XDG_CACHE_HOME", "MLX_CUDA", "MLX_SOURCE_DIR", "MACOSX_DEPLOYMENT_TARGET"]
    {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if let Some(folder) = std::env::var_os("MLX_DIR").filter(|folder| !folder.is_empty()) {
        let folder = std::path::absolute(&folder).unwrap_or_else(|_| PathBuf::from(&folder));
        return open("dir", folder).map_err(|e| format!("MLX_DIR cannot be used: {e}"));
    }
    match FROM_SOURCE {
        Some(build) => build()
            .and_then(|folder| open("source", folder))
            .map_err(|e| format!("MLX could not be built from source: {e}\n{THREE_WAYS}")),
        None => download()
            .and_then(|folder| open("wheel", folder))
            .map_err(|e| format!("MLX_DIR is not set, and the prebuilt MLX cannot be used: {e}\n{THREE_WAYS}")),
    }
}

/// How to build MLX, where the feature asks for it.
#[cfg(feature = "source")]
const FROM_SOURCE: Option<fn() -> Result<PathBuf, String>> = Some(crate::source::build);
#[cfg(not(feature = "source"))]
const FROM_SOURCE: Option<fn() -> Result<PathBuf, String>> = None;

/// Checks that `root` holds headers and a library of the version that the bindings are written against.
fn open(kind: &'static str, root: PathBuf) -> Result<Mlx, String> {
    let include = root.join("include");
    let shown = root.display();
    if !include.join("mlx/mlx.h").is_file() {
        return Err(format!("{shown} has no include/mlx/mlx.h."));
    }
    let file = library(&root).ok_or_else(|| format!("{shown} has no libmlx in lib/ (or lib64/)."))?;
    let version = header_version(&include).ok_or_else(|| format!("{shown}/include/mlx/version.h names no version."))?;
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
    Ok(Mlx { kind, include, lib, file, version, root })
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

/// Returns the root of the prebuilt library for the target, from the cache or the package index.
fn download() -> Result<PathBuf, String> {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let (os, arch, env) = (var("CARGO_CFG_TARGET_OS"), var("CARGO_CFG_TARGET_ARCH"), var("CARGO_CFG_TARGET_ENV"));
    let cuda = if cfg!(feature = "cuda") { Some(cuda_version()?) } else { None };
    let target = Target { os: &os, arch: &arch, env: &env, cuda, macos: macos_version() };
    let packages = pins::wheels(&target)?;
    if os == "linux" {
        check_glibc()?;
    }
    let cache = wheel::cache_dir()?;
    Ok(wheel::unpacked(&packages, &cache)?.join("mlx"))
}

fn cuda_version() -> Result<u32, String> {
    match std::env::var("MLX_CUDA").as_deref() {
        Err(_) | Ok("" | "13") => Ok(13),
        Ok("12") => Ok(12),
        Ok(other) => Err(format!("MLX_CUDA={other} is not known: MLX is built for CUDA 13 and 12.")),
    }
}

/// The oldest macOS that the binary has to run on: what the builder says, else this machine's.
fn macos_version() -> u32 {
    let this_machine = || {
        let output = std::process::Command::new("sw_vers").arg("-productVersion").output().ok()?;
        String::from_utf8(output.stdout).ok()
    };
    let version = std::env::var("MACOSX_DEPLOYMENT_TARGET").ok().or_else(this_machine).unwrap_or_default();
    // The oldest supported one where nobody can tell, as when building for a Mac from elsewhere.
    version.trim().split('.').next().and_then(|major| major.parse().ok()).unwrap_or(14)
}

/// Says what is wrong before the linker does: the Linux wheels need glibc 2.35.
fn check_glibc() -> Result<(), String> {
    let output = std::process::Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = text.trim().strip_prefix("glibc ").unwrap_or_default();
    let minor = version.strip_prefix("2.").and_then(|minor| minor.parse::<u32>().ok());
    match minor {
        Some(minor) if minor < 35 => Err(format!(
            "it needs glibc 2.35 or newer, and this machine has {version} (Ubuntu 22.04 and Debian 12 have it)."
        )),
        _ => Ok(()),
    }
}
