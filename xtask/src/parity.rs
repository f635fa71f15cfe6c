//! `cargo xtask parity`: ours against the Python reference, case by case.

use crate::{Result, flags, project, python};
use xshell::cmd;

/// Lets the reference write its cases, then runs ours over them and prints the table.
pub fn run(flags: &flags::Parity) -> Result {
    let suite = &flags.suite;
    project::known_suite("parity", suite, &["lm", "ops", "embed"])?;
    let sh = project::shell()?;
    let python = match suite.as_str() {
        "embed" => python::embed(&sh)?,
        _ => python::reference(&sh)?,
    };
    let cases = project::results(&sh, &format!("parity/{suite}"))?;
    // Cases of an earlier run may be ones that no longer exist.
    sh.remove_path(&cases)?;
    let filter = flags.filter.as_ref().map_or(vec![], |text| vec!["--filter", text]);
    cmd!(sh, "{python} xtask/py/{suite}_cases.py --out {cases} {filter...}").run()?;
    project::pass_through(cmd!(sh, "cargo run --quiet -p mlx-tests --bin parity -- {suite} {cases}"))
}
