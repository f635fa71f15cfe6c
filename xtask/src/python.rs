//! Python programs to compare with: virtual environments with pinned packages, made once in the cache folder.

use crate::{Result, project, wheel};
use std::fs::File;
use std::path::PathBuf;
use xshell::{Shell, cmd};

/// A set of packages.
struct Environment {
    /// Its folder's name in the cache, before the hash of the pins.
    name: &'static str,
    /// The pins, in `xtask/py`.
    requirements: &'static str,
    /// More arguments of `pip install`.
    options: &'static [&'static str],
    /// What the builds of source packages see.
    variables: &'static [(&'static str, &'static str)],
}

const REFERENCE: Environment =
    Environment { name: "reference", requirements: "requirements.txt", options: &[], variables: &[] };

const EMBED: Environment =
    Environment { name: "embed", requirements: "requirements-embed.txt", options: &[], variables: &[] };

const EMBED_PEERS: Environment =
    Environment { name: "embed-peers", requirements: "requirements-embed-peers.txt", options: &[], variables: &[] };

const LLAMA: Environment = Environment {
    name: "llama",
    requirements: "requirements-llama.txt",
    // pip would take a package that was once built with other flags from its cache.
    options: &["--no-cache-dir"],
    variables: &[("CMAKE_ARGS", "-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF")],
};

/// Returns the interpreter of an environment that has the packages of `xtask/py/requirements.txt`: mlx-lm.
pub fn reference(sh: &Shell) -> Result<PathBuf> {
    interpreter(sh, &REFERENCE)
}

/// Returns the interpreter of an environment that has the packages of `xtask/py/requirements-embed.txt`: sentence-transformers.
pub fn embed(sh: &Shell) -> Result<PathBuf> {
    interpreter(sh, &EMBED)
}

/// Returns the interpreter of an environment that has ONNX Runtime and mlx-embeddings.
pub fn embed_peers(sh: &Shell) -> Result<PathBuf> {
    interpreter(sh, &EMBED_PEERS)
}

/// Returns the interpreter of an environment that has llama.cpp, prebuilt and built for this CPU.
pub fn llama(sh: &Shell) -> Result<PathBuf> {
    interpreter(sh, &LLAMA)
}

fn interpreter(sh: &Shell, environment: &Environment) -> Result<PathBuf> {
    let &Environment { name, requirements, options, variables } = environment;
    let requirements = project::root().join("xtask/py").join(requirements);
    let pins = wheel::sha256(&requirements).map_err(|e| format!("{}: {e}", requirements.display()))?;
    let cache = wheel::cache_dir()?;
    let name = format!("{name}-{}", &pins[..12]);
    let (folder, done) = (cache.join(&name), cache.join(&name).join("complete"));
    let python = folder.join("bin/python");

    let lock = sh.create_dir(&cache).map(|cache| cache.join(format!(".{name}.lock")))?;
    let lock = File::create(&lock).and_then(|file| file.lock().map(|()| file));
    let lock = lock.map_err(|e| format!("The cache folder {} cannot be written: {e}.", cache.display()))?;
    if !done.is_file() {
        if !variables.is_empty() {
            eprintln!("{name}: building packages for this CPU, once; this takes minutes");
        }
        // An environment cannot be moved, so a mark says that it is complete.
        sh.remove_path(&folder)?;
        cmd!(sh, "python3 -m venv {folder}").run()?;
        let install = cmd!(sh, "nice {python} -m pip install --quiet --disable-pip-version-check {options...}");
        install.arg("-r").arg(requirements).envs(variables.iter().copied()).run()?;
        sh.write_file(&done, "")?;
    }
    drop(lock);
    Ok(python)
}
