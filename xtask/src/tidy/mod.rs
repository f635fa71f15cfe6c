//! `cargo xtask tidy`: the house rules that a program can check.

mod crates;
mod lex;
mod rust;
mod text;

use crate::{Result, project};
use std::fmt;
use std::process::ExitCode;
use xshell::cmd;

/// A broken rule: where, and what.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Finding { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Checks every file that git tracks or would track, and the crates; prints a line per finding.
pub fn run() -> Result {
    let sh = project::shell()?;
    let listed = cmd!(sh, "git ls-files --cached --others --exclude-standard").quiet().read()?;
    let (mut files, mut findings) = (0, Vec::new());
    for path in listed.lines() {
        // Deleted files stay listed until the deletion is committed; binary ones hold no text to check.
        let Some(text) = std::fs::read(project::root().join(path)).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        else {
            continue;
        };
        files += 1;
        findings.extend(text::check(path, &text));
        if path.ends_with(".rs") {
            findings.extend(rust::check(path, &text));
        }
    }
    findings.extend(crates::check(&project::metadata(&sh, false)?, &project::metadata(&sh, true)?));
    let changelog = sh.read_file("CHANGELOG.md").unwrap_or_default();
    findings.extend(text::check_changelog(&changelog));

    findings.iter().for_each(|finding| println!("{finding}"));
    println!("summary: files={files} findings={}", findings.len());
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
