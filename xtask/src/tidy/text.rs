//! Rules for every text file: clean line ends, and nothing that is true on one machine only.

use super::Finding;
use std::path::Path;

/// Files whose layout people look at; data files keep theirs.
const WRITTEN: [&str; 13] = ["rs", "toml", "md", "py", "sh", "h", "hpp", "cc", "cpp", "c", "cmake", "yml", "txt"];

/// Folders that exist on the machine where a text was written, not on its reader's. In parts, so as not to find itself.
const MACHINE: [&str; 4] = [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "tmp/"), concat!("/", "home/")];

/// How git marks the two sides of a conflict.
const CONFLICT: [&str; 2] = ["<<<<<<< ", ">>>>>>> "];

/// Checks one text file.
pub fn check(path: &str, text: &str) -> Vec<Finding> {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    let written = extension.is_none_or(|extension| WRITTEN.contains(&extension));
    let mut findings = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let mut found = |message: &str| findings.push(Finding::new(path, number, message));
        if written && line.ends_with([' ', '\t', '\r']) {
            found("trailing whitespace");
        }
        if written && line.contains('\t') {
            found("a tab; indent with spaces");
        }
        if CONFLICT.iter().any(|mark| line.starts_with(mark)) {
            found("a merge conflict that was not resolved");
        }
        if MACHINE.iter().any(|folder| names_folder(line, folder)) {
            found("a path of one machine");
        }
    }
    if written && !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(path, text.lines().count(), "no newline at the end of the file"));
    }
    findings
}

/// Checks that CHANGELOG.md has a place for what comes next.
pub fn check_changelog(text: &str) -> Option<Finding> {
    let has_section = text.lines().any(|line| line.starts_with("## ") && line.contains("Unreleased"));
    (!has_section).then(|| Finding::new("CHANGELOG.md", 1, "no section `## Unreleased`"))
}

/// Whether an absolute path below `folder` starts somewhere in the line; the same words inside of a longer path do not count.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"_.-~})>/*$".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_messages(path: &str, text: &str, expected: &[&str]) {
        let found: Vec<String> = check(path, text).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn each_rule_finds_its_case() {
        let [work, root, ..] = MACHINE;
        check_messages("a.rs", "a \n", &["a.rs:1: trailing whitespace"]);
        check_messages("a.md", "ok\n\tb\n", &["a.md:2: a tab; indent with spaces"]);
        check_messages("a.toml", "a\nb", &["a.toml:2: no newline at the end of the file"]);
        check_messages("run", &format!("x\ncat {work}a\n"), &["run:2: a path of one machine"]);
        check_messages("data.json", &format!("{{\"a\":\t\"{root}x\"}}"), &["data.json:1: a path of one machine"]);
        check_messages("a.md", &format!("`target{work}x` and ~{root}y\n"), &[]);
        check_messages("a.rs", "<<<<<<< HEAD\n", &["a.rs:1: a merge conflict that was not resolved"]);
        check_messages("empty.py", "", &[]);
    }

    #[test]
    fn a_changelog_needs_its_unreleased_section() {
        assert!(check_changelog("# Changelog\n\n## 0.1.0\n").is_some());
        assert!(check_changelog("# Changelog\n\n## [Unreleased]\n").is_none());
    }
}
