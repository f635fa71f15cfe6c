//! Rules for Rust files: size, unfinished work, and where `unsafe` may be.

use super::Finding;
use super::lex::{self, Parts};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;

/// The only places with `unsafe`: the binding, the SIMD kernels, and one cast.
const UNSAFE_PLACES: [&str; 3] = ["crates/mlx-core/src/", "crates/mlx-ops/src/cpu/", "crates/mlx-ops/src/tensor.rs"];

/// How far above an `unsafe` block its reason may start, in lines.
const SAFETY_REACH: usize = 8;

/// Unfinished work, in code; clippy knows the macros only where it runs.
const UNFINISHED: [&str; 4] = ["todo!", "unimplemented!", "dbg!", "#[ignore"];

/// Checks one Rust file.
pub fn check(path: &str, text: &str) -> Vec<Finding> {
    let parts = lex::split(text);
    let mut findings = Vec::new();
    let mut found = |line: usize, message: String| findings.push(Finding::new(path, line, message));
    if !text.starts_with("//!") {
        found(1, "the first line does not say what the file is (`//! ...`)".to_owned());
    }
    let lines = text.lines().count();
    if lines > FILE_LINES {
        found(1, format!("{lines} lines; a file has at most {FILE_LINES}"));
    }
    for (line, name, length) in functions(&parts.code) {
        if length > FUNCTION_LINES {
            found(line, format!("fn {name} has {length} lines; a function has at most {FUNCTION_LINES}"));
        }
    }
    for (code, number) in parts.code.lines().zip(1..) {
        for mark in UNFINISHED.into_iter().filter(|mark| has_token(code, mark)) {
            found(number, format!("unfinished: {mark}"));
        }
    }
    for (comment, number) in parts.comments.lines().zip(1..) {
        if comment.contains(concat!("FIX", "ME")) {
            found(number, concat!("unfinished: FIX", "ME").to_owned());
        }
        if let Some(ticket) = ticket(comment) {
            found(number, format!("a comment says why, not which ticket: {ticket}"));
        }
    }
    findings.extend(check_unsafe(path, &parts));
    findings
}

fn check_unsafe(path: &str, Parts { code, comments }: &Parts) -> Vec<Finding> {
    let allowed = UNSAFE_PLACES.iter().any(|place| path.starts_with(place));
    let comments: Vec<&str> = comments.lines().collect();
    let mut findings = Vec::new();
    for (at, _) in tokens(code, "unsafe") {
        let line = line_of(code, at);
        let after = code[at + "unsafe".len()..].trim_start();
        if !allowed {
            findings.push(Finding::new(path, line, "unsafe belongs to mlx-core and the kernels of mlx-ops"));
        } else if after.starts_with('{') {
            let above = &comments[line.saturating_sub(SAFETY_REACH)..line];
            if !above.iter().any(|comment| comment.contains("SAFETY:")) {
                findings.push(Finding::new(path, line, "an unsafe block without its `// SAFETY:` line"));
            }
        }
    }
    findings
}

/// Returns each function with a body: its line, its name and its length in lines.
fn functions(code: &str) -> Vec<(usize, &str, usize)> {
    let mut functions = Vec::new();
    for (at, _) in tokens(code, "fn") {
        let rest = code[at + 2..].trim_start();
        let name = rest.split(|c: char| !is_name(c)).next().unwrap_or_default();
        // `fn(..)` is a type, and a function without a body ends at its semicolon.
        if let Some(body) = (!name.is_empty()).then(|| body(&code[at..])).flatten() {
            functions.push((line_of(code, at), name, code[at..at + body].lines().count()));
        }
    }
    functions
}

/// Returns the end of the function that starts the text, if it has a body.
fn body(code: &str) -> Option<usize> {
    let (mut brackets, mut braces) = (0, 0);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' if braces == 0 => brackets += 1,
            ')' | ']' if braces == 0 => brackets -= 1,
            ';' if braces == 0 && brackets == 0 => return None,
            '{' if brackets == 0 => braces += 1,
            '}' if brackets == 0 => braces -= 1,
            _ => continue,
        }
        if c == '}' && braces == 0 && brackets == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// Returns a hash sign with digits behind it in a comment: it means nothing to a reader without the tracker.
fn ticket(comment: &str) -> Option<&str> {
    comment.match_indices('#').find_map(|(at, _)| {
        let digits = comment[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let end = at + 1 + digits;
        let stands_alone = !comment[..at].ends_with(is_name) && !comment[end..].starts_with(is_name);
        (digits > 0 && stands_alone).then(|| &comment[at..end])
    })
}

fn tokens<'a>(code: &'a str, token: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    code.match_indices(token)
        .filter(move |&(at, _)| !code[..at].ends_with(is_name) && !code[at + token.len()..].starts_with(is_name))
}

/// [`tokens`] for marks, which end in a sign of their own.
fn has_token(code: &str, mark: &str) -> bool {
    code.match_indices(mark).any(|(at, _)| !code[..at].ends_with(is_name))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_messages(path: &str, text: &str, expected: &[&str]) {
        let found: Vec<String> = check(path, text).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn each_rule_finds_its_case() {
        check_messages("a.rs", "use b;\n", &["a.rs:1: the first line does not say what the file is (`//! ...`)"]);
        check_messages("a.rs", "//! A\nfn f() { todo!() }\n", &["a.rs:2: unfinished: todo!"]);
        check_messages("a.rs", "//! A\n#[ignore = \"slow\"]\n", &["a.rs:2: unfinished: #[ignore"]);
        check_messages("a.rs", &format!("//! A\n// {}ME: b\n", "FIX"), &["a.rs:2: unfinished: FIXME"]);
        check_messages(
            "a.rs",
            "//! A\n// See #12.\n// `#[a]`, x#1\n",
            &["a.rs:2: a comment says why, not which ticket: #12"],
        );
        check_messages("a.rs", "//! A\nlet a = \"todo! unsafe #1\"; // todo! unsafe\n", &[]);
    }

    #[test]
    fn sizes_are_limited() {
        let lines = |n| "\n".repeat(n);
        let file = format!("//! A{}", lines(FILE_LINES + 1));
        check_messages("a.rs", &file, &["a.rs:1: 401 lines; a file has at most 400"]);
        let function = |n| format!("//! A\nfn f(a: [u8; 2]) -> u8\nwhere\n{{{}}}\n", lines(n));
        check_messages("a.rs", &function(57), &[]);
        check_messages("a.rs", &function(58), &["a.rs:2: fn f has 61 lines; a function has at most 60"]);
        let bodiless = format!("//! A\ntrait T {{\nfn f(&self, g: fn(u8));\nconst A: u8 = 1;\n{}}}\n", lines(70));
        check_messages("a.rs", &bodiless, &[]);
    }

    #[test]
    fn unsafe_has_its_places_and_reasons() {
        let place = "an unsafe block without its `// SAFETY:` line";
        let bare = "//! A\nfn f() { unsafe { g() } }\n";
        check_messages("crates/mlx-core/src/a.rs", bare, &[&format!("crates/mlx-core/src/a.rs:2: {place}")]);
        check_messages("crates/mlx-core/src/a.rs", "//! A\n// SAFETY: g checks.\nunsafe { g() }\n", &[]);
        check_messages("crates/mlx-core/src/a.rs", "//! A\nunsafe extern \"C++\" {}\n", &[]);
        let elsewhere = "unsafe belongs to mlx-core and the kernels of mlx-ops";
        check_messages("crates/mlx-nn/src/a.rs", bare, &[&format!("crates/mlx-nn/src/a.rs:2: {elsewhere}")]);
        check_messages("crates/mlx-nn/src/a.rs", "//! A\n#![deny(unsafe_op_in_unsafe_fn)]\n", &[]);
    }
}
