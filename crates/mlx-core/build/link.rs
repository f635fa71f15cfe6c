//! Tells cargo how to link the MLX that was found, and dependents where it is.

use crate::prefix::Mlx;
use std::path::{Path, PathBuf};

/// Prints the link lines and the `DEP_MLX_*` metadata, and writes what was chosen to `OUT_DIR/mlx-found.txt`.
pub fn link(mlx: &Mlx) -> Result<(), String> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: this is cargo's to do.")?);
    if mlx.is_static() {
        link_archive(mlx);
    } else {
        println!("cargo::rustc-link-search=native={}", inside_target(mlx, &out)?.display());
        println!("cargo::rustc-link-lib=dylib=mlx");
        // For this package's own tests and benches when they are started by hand; cargo passes it to nobody else.
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", mlx.lib.display());
    }
    println!("cargo::metadata=include={}", mlx.include.display());
    println!("cargo::metadata=lib={}", mlx.lib.display());
    println!("cargo::metadata=root={}", mlx.root.display());
    println!("cargo::metadata=kind={}", mlx.kind);
    println!("cargo::metadata=linkage={}", if mlx.is_static() { "static" } else { "dylib" });
    let found = format!("MLX {} ({}): {}\n", mlx.version, mlx.kind, mlx.file.display());
    print!("{found}");
    let note = out.join("mlx-found.txt");
    std::fs::write(&note, found).map_err(|e| format!("{} cannot be written: {e}.", note.display()))
}

/// Returns a path below `OUT_DIR` that leads to the library.
///
/// A dependent's binary gets no rpath from a build script, but cargo puts link search paths that lie in the target
/// folder on the loader's path for `cargo run` and `cargo test`. A link to the whole folder, in place of copies of
/// files, keeps every relative place valid: the RPATHs (`$ORIGIN/../../mlx_cpu.libs` goes through the link), Metal's
/// `mlx.metallib` beside the library, the headers that the CUDA compiler looks for at run time.
fn inside_target(mlx: &Mlx, out: &Path) -> Result<PathBuf, String> {
    let inside = out.join("mlx");
    relink(&mlx.root, &inside)?;
    // MLX looks for CUDA's headers by the text of the path, which the link to `mlx` does not lead to.
    if let Some(nvidia) = mlx.root.parent().map(|site| site.join("nvidia")).filter(|nvidia| nvidia.is_dir()) {
        relink(&nvidia, &out.join("nvidia"))?;
    }
    Ok(mlx.lib.strip_prefix(&mlx.root).map_or_else(|_| mlx.lib.clone(), |lib| inside.join(lib)))
}

fn relink(to: &Path, link: &Path) -> Result<(), String> {
    if std::fs::read_link(link).is_ok_and(|old| old == to) {
        return Ok(());
    }
    // The link is left over from a build with another MLX, or not there.
    let _ = std::fs::remove_file(link);
    std::os::unix::fs::symlink(to, link)
        .map_err(|e| format!("{} cannot be linked to {}: {e}.", link.display(), to.display()))
}

/// A static MLX brings the private libraries it was built with, and needs the system's.
fn link_archive(mlx: &Mlx) {
    println!("cargo::rustc-link-search=native={}", mlx.lib.display());
    println!("cargo::rustc-link-lib=static=mlx");
    for private in ["gguflib", "jaccl"] {
        if mlx.lib.join(format!("lib{private}.a")).is_file() {
            println!("cargo::rustc-link-lib=static={private}");
        }
    }
    let (blas, system): (&[&str], &[&str]) = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("macos" | "ios") => (
            &[],
            &["framework=Accelerate", "framework=Metal", "framework=Foundation", "framework=QuartzCore", "dylib=c++"],
        ),
        _ => (&["lapack", "blas"], &["dylib=stdc++", "dylib=dl", "dylib=pthread"]),
    };
    // Our own CMakeLists.txt notes the libraries that MLX found; a plain install of MLX does not say.
    match std::fs::read_to_string(mlx.lib.join("mlx-links.txt")) {
        Ok(noted) => noted.lines().map(Path::new).for_each(link_file),
        Err(_) => blas.iter().for_each(|name| println!("cargo::rustc-link-lib=dylib={name}")),
    }
    for library in system {
        println!("cargo::rustc-link-lib={library}");
    }
}

/// Links one library of the system by its path: `/usr/lib/libblas.so` is `blas` in `/usr/lib`.
fn link_file(file: &Path) {
    let name = file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.strip_prefix("lib"));
    if let (Some(folder), Some(name)) = (file.parent(), name) {
        let kind = if file.extension().is_some_and(|extension| extension == "a") { "static" } else { "dylib" };
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib={kind}={name}");
    }
}
