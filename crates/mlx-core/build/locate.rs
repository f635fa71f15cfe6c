//! Finds MLX: `MLX_DIR`, then a build from source if the feature asks for one, then the official prebuilt library.

use crate::pins::{self, Target};
use crate::prefix::Mlx;
use crate::wheel;
use std::path::PathBuf;

pub use crate::link::link;

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
        return Mlx::open("dir", folder).map_err(|e| format!("MLX_DIR cannot be used: {e}"));
    }
    match FROM_SOURCE {
        Some(build) => build()
            .and_then(|folder| Mlx::open("source", folder))
            .map_err(|e| format!("MLX could not be built from source: {e}\n{THREE_WAYS}")),
        None => download()
            .and_then(|folder| Mlx::open("wheel", folder))
            .map_err(|e| format!("MLX_DIR is not set, and the prebuilt MLX cannot be used: {e}\n{THREE_WAYS}")),
    }
}

/// How to build MLX, where the feature asks for it.
#[cfg(feature = "source")]
const FROM_SOURCE: Option<fn() -> Result<PathBuf, String>> = Some(crate::source::build);
#[cfg(not(feature = "source"))]
const FROM_SOURCE: Option<fn() -> Result<PathBuf, String>> = None;

/// Returns the root of the prebuilt library for the target, from the cache or the package index.
fn download() -> Result<PathBuf, String> {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let (os, arch, env) = (var("CARGO_CFG_TARGET_OS"), var("CARGO_CFG_TARGET_ARCH"), var("CARGO_CFG_TARGET_ENV"));
    let cuda = if cfg!(feature = "cuda") { Some(cuda_version()?) } else { None };
    let target = Target { os: &os, arch: &arch, env: &env, cuda, macos: macos_version() };
    let packages = pins::wheels(&target)?;
    // Elsewhere than here it will run with another glibc than this machine's.
    if os == "linux" && var("TARGET") == var("HOST") {
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
