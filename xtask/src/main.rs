//! Every chore of the project is a command here: `cargo xtask --help` lists them.

mod bench;
mod coverage;
mod demo;
mod emulate;
mod fetch;
mod flags;
mod fuzz;
mod parity;
mod project;
mod python;
mod readme;
mod test;
mod tidy;
#[path = "../../crates/mlx-core/build/wheel.rs"]
mod wheel;

// The rest of the build script that can be tested without a build.
#[cfg(test)]
#[path = "../../crates/mlx-core/build/pins.rs"]
mod pins;
#[cfg(test)]
#[path = "../../crates/mlx-core/build/prefix.rs"]
mod prefix;

use std::process::ExitCode;

/// What a command comes to: an exit status, or a sentence about what kept it from running.
type Result<T = ExitCode> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The exit status for bad input and for tools that fail; 1 says that a check found something.
const CANNOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let done = match flags::Xtask::from_env_or_exit().subcommand {
        flags::XtaskCmd::Fetch(_) => fetch::run(),
        flags::XtaskCmd::Demo(flags) => demo::run(&flags),
        flags::XtaskCmd::Test(flags) => test::run(&flags),
        flags::XtaskCmd::Parity(flags) => parity::run(&flags),
        flags::XtaskCmd::Bench(flags) => bench::run(&flags),
        flags::XtaskCmd::Coverage(flags) => coverage::run(&flags),
        flags::XtaskCmd::Fuzz(flags) => fuzz::run(&flags),
        flags::XtaskCmd::Tidy(_) => tidy::run(),
        flags::XtaskCmd::Readme(flags) => readme::run(&flags),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(CANNOT_RUN)
    })
}
