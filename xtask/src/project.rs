//! Where the workspace is, and how the other commands run programs in it.

use crate::Result;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use xshell::{Cmd, Shell, cmd};

/// Returns the workspace's root folder.
pub fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// Returns a shell whose folder is the workspace's root.
pub fn shell() -> Result<Shell> {
    let sh = Shell::new()?;
    sh.change_dir(root());
    Ok(sh)
}

/// Returns what `cargo metadata` says, with or without the dependencies.
pub fn metadata(sh: &Shell, dependencies: bool) -> Result<Value> {
    let only_ours = if dependencies { None } else { Some("--no-deps") };
    let text = cmd!(sh, "cargo metadata --format-version 1 {only_ours...}").quiet().read()?;
    Ok(serde_json::from_str(&text)?)
}

/// Returns a folder for results below the target folder.
pub fn results(sh: &Shell, name: &str) -> Result<PathBuf> {
    let metadata = metadata(sh, false)?;
    let target = metadata["target_directory"].as_str().ok_or("`cargo metadata` names no target folder.")?;
    Ok(sh.create_dir(Path::new(target).join(name))?)
}

/// Runs a program to its end and passes its exit status on.
pub fn pass_through(command: Cmd) -> Result {
    eprintln!("$ {command}");
    let shown = command.to_string();
    let status = std::process::Command::from(command).status().map_err(|e| format!("`{shown}` cannot run: {e}."))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(crate::CANNOT_RUN)))
}

/// Refuses a suite that does not exist.
pub fn known_suite(command: &str, suite: &str, known: &[&str]) -> Result<()> {
    if known.contains(&suite) {
        return Ok(());
    }
    Err(format!("`{command}` has no suite `{suite}`; it has `{}`.", known.join("` and `")).into())
}

/// Makes `link` lead to `to`, whatever it led to before.
pub fn relink(to: &Path, link: &Path) -> Result<()> {
    if std::fs::read_link(link).is_ok_and(|old| old == to) {
        return Ok(());
    }
    if let Some(folder) = link.parent() {
        std::fs::create_dir_all(folder).map_err(|e| format!("{} cannot be made: {e}.", folder.display()))?;
    }
    // It leads elsewhere, or is not there.
    let _ = std::fs::remove_file(link);
    std::os::unix::fs::symlink(to, link).map_err(|e| format!("{} cannot be made: {e}.", link.display()).into())
}
