//! `cargo xtask fuzz`: random sequences of ops, and where one of them ended the process.

use crate::{Result, flags, project};
use std::process::{Command, ExitCode, Stdio};
use xshell::cmd;

/// Seconds unless the caller says otherwise.
const SECONDS: u64 = 600;

/// Steps shown of a sequence that ended the process.
const STEPS: usize = 8;

/// Runs sequences until the time is over or one of them ends the process.
pub fn run(flags: &flags::Fuzz) -> Result {
    let sh = project::shell()?;
    cmd!(sh, "cargo build --quiet -p mlx-tests --bin fuzz").run()?;
    let (seconds, seed) = (flags.seconds.unwrap_or(SECONDS).to_string(), flags.seed.unwrap_or(1).to_string());
    let (said, ended) = fuzz(&[&seconds, &seed])?;
    if let Some(summary) = said.lines().last().filter(|line| line.starts_with("summary:")) {
        said.lines().filter(|line| line.starts_with("PANIC")).for_each(|line| println!("{line}"));
        println!("{summary}");
        return Ok(ended);
    }
    let Some(episode) = last_episode(&said) else {
        return Err("The fuzzer ended before its first sequence.".into());
    };
    println!("sequence {episode} ended the process; its last steps:");
    let (trace, _) = fuzz(&["--trace", episode])?;
    let lines: Vec<&str> = trace.lines().collect();
    lines[lines.len().saturating_sub(STEPS)..].iter().for_each(|line| println!("{line}"));
    println!("summary: crashed={episode}");
    Ok(ExitCode::FAILURE)
}

/// What the program printed, and whether it ended well.
fn fuzz(args: &[&str]) -> Result<(String, ExitCode)> {
    // `cargo run` finds the library.
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "-p", "mlx-tests", "--bin", "fuzz", "--"]).args(args);
    let output = command.current_dir(project::root()).stderr(Stdio::null()).output()?;
    let code = if output.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), code))
}

fn last_episode(said: &str) -> Option<&str> {
    said.lines().rev().find_map(|line| line.strip_prefix("episode "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sequence_is_the_one_that_ended_it() {
        assert_eq!(last_episode("episode 7\nepisode 8\nPANIC x\n"), Some("8"));
        assert_eq!(last_episode("usage"), None);
    }
}
