//! `cargo xtask test`: every test of the workspace, with the real inputs at hand, or the kernels' on another processor.

use crate::{Result, emulate, fetch, flags, project};
use xshell::cmd;

/// Fetches the inputs and runs `cargo test`, which finds them through `MLX_TEST_DATA`; an emulated processor needs none.
pub fn run(flags: &flags::Test) -> Result {
    if let Some(arch) = &flags.target {
        return emulate::test(arch, &flags.args);
    }
    let inputs = fetch::inputs()?;
    let sh = project::shell()?;
    let args = &flags.args;
    // In the root of a workspace without a root package, `cargo test` means all of them, until `-p` says otherwise.
    project::pass_through(cmd!(sh, "cargo test {args...}").env("MLX_TEST_DATA", inputs))
}
