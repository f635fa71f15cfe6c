//! `cargo xtask test`: every test of the workspace, with the real inputs at hand.

use crate::{Result, fetch, flags, project};
use xshell::cmd;

/// Fetches the inputs and runs `cargo test`, which finds them through `MLX_TEST_DATA`.
pub fn run(flags: &flags::Test) -> Result {
    let inputs = fetch::inputs()?;
    let sh = project::shell()?;
    let args = &flags.args;
    project::pass_through(cmd!(sh, "cargo test --workspace {args...}").env("MLX_TEST_DATA", inputs))
}
