//! `cargo xtask coverage --names`: the page that says what a name of `mlx.core` is called here.

use crate::{Result, project};
use std::process::ExitCode;

const PAGE: &str = "docs/names.md";

/// A line per name of Python's MLX: module, name, ours.
const NAMES: &str = include_str!("names.txt");

const HEAD: &str = "\
# Names

What each name of Python's `mlx.core` is called in `mlx-ops`. `x.` stands for a method of `Tensor`; everything returns a
`Result`. Written by `cargo xtask coverage --names` from `xtask/src/coverage/names.txt`.
";

/// Writes the page.
pub fn write() -> Result {
    let page = page()?;
    let path = project::root().join(PAGE);
    std::fs::write(&path, page).map_err(|e| format!("{}: {e}", path.display()))?;
    println!("summary: names={}", NAMES.lines().count());
    Ok(ExitCode::SUCCESS)
}

fn page() -> Result<String> {
    let (mut page, mut section) = (HEAD.to_owned(), "");
    for (line, number) in NAMES.lines().zip(1..) {
        let mut parts = line.splitn(3, ' ');
        let (Some(module), Some(name), Some(ours)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("names.txt:{number}: not `module name ours`").into());
        };
        if module != section {
            page.push_str(&format!("\n## `{module}`\n\n| Python | Rust |\n|---|---|\n"));
            section = module;
        }
        page.push_str(&format!("| `{name}` | {ours} |\n"));
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_that_of_the_table() {
        let committed = std::fs::read_to_string(project::root().join(PAGE)).unwrap();
        assert!(committed == page().unwrap(), "{PAGE} is stale: run `cargo xtask coverage --names`");
    }
}
