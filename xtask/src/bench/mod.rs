//! `cargo xtask bench`: ours and other programs on the same weights, taking turns in one run.

mod cpu;
mod embed;
mod figures;
mod kernels;
mod lm;
mod load;
mod ops;

use crate::{Result, flags, project};
use serde_json::Value;
use xshell::Cmd;

/// How often each side runs unless the caller says otherwise.
const ROUNDS: usize = 5;

/// How much of a failed program's log is shown.
const LOG_LINES: usize = 20;

/// Measures a suite and compares the ratios with what the project promises.
pub fn run(flags: &flags::Bench) -> Result {
    project::known_suite("bench", &flags.suite, &["lm", "cpu", "ops", "embed"])?;
    match flags.suite.as_str() {
        "cpu" => cpu::run(flags),
        "ops" => ops::run(flags),
        "embed" => embed::run(flags),
        _ => lm::run(flags),
    }
}

/// Runs one side once and reads the JSON object that it prints last.
fn answer(command: Cmd) -> Result<Value> {
    let shown = command.to_string();
    let text = output(command)?;
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|e| format!("`{shown}` printed no JSON: {e}: {last}").into())
}

/// Runs a program and returns what it prints. What it logs is shown only if it fails.
fn output(command: Cmd) -> Result<String> {
    let shown = command.to_string();
    let output = command.quiet().ignore_status().output()?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
        return Err(format!("`{shown}` ended with {}:\n{end}", output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The middle value, or the mean of the middle two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_last_line_and_a_failure_shows_its_log() {
        let sh = project::shell().unwrap();
        let run = |script: &str| answer(sh.cmd("sh").arg("-c").arg(script)).map_err(|e| e.to_string());
        assert_eq!(run(r#"echo loading; echo '{"a": 1}'"#).unwrap()["a"], 1);
        assert!(run("echo no model >&2; exit 3").unwrap_err().ends_with("\nno model"));
        assert!(run("echo done").unwrap_err().contains("printed no JSON"));
    }

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        for (values, expected) in [(vec![3.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0, 3.0, 2.0], 2.5), (vec![7.0], 7.0)] {
            assert_eq!(median(values), expected);
        }
    }
}
