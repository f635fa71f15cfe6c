//! Random sequences of ops: `fuzz SECONDS [SEED]` runs episodes, `fuzz --trace SEED` one of them step by step.

use mlx_tests::fuzz::{Report, episode, run};
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let mut report = Report::default();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--trace", seed] if number(seed).is_some() => {
            episode(number(seed).unwrap_or_default(), &mut report, &mut |line| say(line));
        }
        [seconds, ref seed @ ..] if number(seconds).is_some() => {
            let first = seed.first().and_then(|seed| number(seed)).unwrap_or(1);
            let time = Duration::from_secs(number(seconds).unwrap_or_default());
            report = run(first, time, |seed| say(&format!("episode {seed}")));
        }
        _ => {
            eprintln!("usage: fuzz SECONDS [SEED] | fuzz --trace SEED");
            return ExitCode::from(2);
        }
    }
    report.panics.iter().for_each(|panic| println!("PANIC {panic}"));
    let Report { episodes, steps, errors, panics, succeeded } = &report;
    let (ops, panics) = (succeeded.len(), panics.len());
    println!("summary: episodes={episodes} steps={steps} errors={errors} ops={ops} panics={panics}");
    if panics == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A line that is out before the next step can end the process.
fn say(line: &str) {
    let mut out = stdout().lock();
    // A reader that went away is no reason to stop.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
