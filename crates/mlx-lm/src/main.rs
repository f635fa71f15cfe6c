//! The command `mlx-lm`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
