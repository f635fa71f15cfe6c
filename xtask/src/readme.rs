//! `cargo xtask readme`: what README.md tells people to type is typed here.

use crate::{Result, flags, project};
use std::process::ExitCode;
use xshell::cmd;

/// Runs each `sh` block of README.md as one script in the workspace's root; the first failure ends it.
pub fn run(flags: &flags::Readme) -> Result {
    let sh = project::shell()?;
    let readme = sh.read_file("README.md")?;
    let scripts: Vec<String> = blocks(&readme).into_iter().map(|block| script(&block, &flags.except)).collect();
    if scripts.is_empty() {
        return Err("README.md has no ```sh block.".into());
    }
    for script in scripts.iter().filter(|script| !script.is_empty()) {
        println!("{script}");
        cmd!(sh, "bash -euo pipefail -c {script}").quiet().run()?;
    }
    Ok(ExitCode::SUCCESS)
}

fn blocks(readme: &str) -> Vec<Vec<&str>> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while lines.by_ref().any(|line| line.trim() == "```sh") {
        blocks.push(lines.by_ref().take_while(|line| line.trim() != "```").collect());
    }
    blocks
}

/// A block's lines but those that get a reader into the clone, where we are, and those that the caller has run.
fn script(block: &[&str], except: &[String]) -> String {
    let runs = |line: &&str| {
        let command = line.split('#').next().unwrap_or_default().trim();
        !command.starts_with("git clone ") && !command.starts_with("cd ") && !except.iter().any(|done| done == command)
    };
    block.iter().copied().filter(runs).filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sh_blocks_run_without_the_lines_that_enter_the_clone() {
        let readme = "a\n```sh\ngit clone x\ncd x\ncargo xtask demo  # text\ncargo xtask test # all\n```\n```rust\nlet a = 1;\n```\n```sh\nls\n```\n";
        let except = ["cargo xtask test".to_owned()];
        let scripts: Vec<String> = blocks(readme).iter().map(|block| script(block, &except)).collect();
        assert_eq!(scripts, ["cargo xtask demo  # text", "ls"]);
    }
}
