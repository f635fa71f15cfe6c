//! The command `mlx-embed`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
