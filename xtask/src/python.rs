//! The Python reference: a virtual environment with pinned packages, made once in the cache folder.

use crate::{Result, project, wheel};
use std::fs::File;
use std::path::PathBuf;
use xshell::{Shell, cmd};

/// Returns the interpreter of an environment that has the packages of `xtask/py/requirements.txt`.
pub fn reference(sh: &Shell) -> Result<PathBuf> {
    let requirements = project::root().join("xtask/py/requirements.txt");
    let pins = wheel::sha256(&requirements).map_err(|e| format!("{}: {e}", requirements.display()))?;
    let cache = wheel::cache_dir()?;
    let name = format!("reference-{}", &pins[..12]);
    let (folder, done) = (cache.join(&name), cache.join(&name).join("complete"));
    let python = folder.join("bin/python");

    let lock = sh.create_dir(&cache).map(|cache| cache.join(format!(".{name}.lock")))?;
    let lock = File::create(&lock).and_then(|file| file.lock().map(|()| file));
    let lock = lock.map_err(|e| format!("The cache folder {} cannot be written: {e}.", cache.display()))?;
    if !done.is_file() {
        // An environment cannot be moved, so a mark says that it is complete.
        sh.remove_path(&folder)?;
        cmd!(sh, "python3 -m venv {folder}").run()?;
        cmd!(sh, "{python} -m pip install --quiet --disable-pip-version-check -r {requirements}").run()?;
        sh.write_file(&done, "")?;
    }
    drop(lock);
    Ok(python)
}
