//! The kernels' tests on a processor that this machine has not, under emulation.

use crate::{Result, project};
use std::ffi::OsString;
use std::process::Command;
use xshell::cmd;

/// The one processor that is emulated; the build fetches its MLX.
const ARCH: &str = "aarch64";
const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Links for the target.
const COMPILER: &str = "aarch64-linux-gnu-g++";
/// Runs the target's programs, whose libraries lie where Debian's cross compiler has them.
const EMULATOR: &str = "qemu-aarch64";
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";

/// Runs the unit tests of `mlx-ops` for `arch`; `args` go to `cargo test`.
pub fn test(arch: &str, args: &[OsString]) -> Result {
    if arch != ARCH {
        return Err(format!("`test` emulates no `{arch}`; it emulates `{ARCH}`.").into());
    }
    if let Some(missing) = missing(answers) {
        return Err(missing.into());
    }
    let sh = project::shell()?;
    let command = cmd!(sh, "cargo test --target {TARGET} -p mlx-ops --lib {args...}")
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", COMPILER)
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", format!("{EMULATOR} -L {LIBRARIES}"));
    project::pass_through(command)
}

/// Names what `has` not, and how to get it.
fn missing(has: impl Fn(&[&str]) -> bool) -> Option<String> {
    let target = format!("rustup target add {TARGET}");
    let needs: [(&[&str], &str, &str); 3] = [
        (&["rustc", "--target", TARGET, "--print", "target-libdir"], "the Rust target", &target),
        (&[COMPILER, "--version"], COMPILER, "apt install g++-aarch64-linux-gnu"),
        (&[EMULATOR, "--version"], EMULATOR, "apt install qemu-user"),
    ];
    let lacks = needs.iter().filter(|(asks, ..)| !has(asks));
    let lacks: Vec<_> = lacks.map(|(_, what, how)| format!("{what} (`{how}`)")).collect();
    (!lacks.is_empty()).then(|| format!("Tests for {ARCH} lack {}.", lacks.join(" and ")))
}

/// Whether a program answers, with the folder that it names there if it names one.
fn answers(asks: &[&str]) -> bool {
    let output = Command::new(asks[0]).args(&asks[1..]).output().ok().filter(|output| output.status.success());
    output.is_some_and(|output| {
        let answer = String::from_utf8_lossy(&output.stdout);
        !answer.starts_with('/') || std::path::Path::new(answer.trim_end()).is_dir()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_in_one_sentence() {
        let compiler = "aarch64-linux-gnu-g++ (`apt install g++-aarch64-linux-gnu`)";
        let emulator = "qemu-aarch64 (`apt install qemu-user`)";
        let library = "the Rust target (`rustup target add aarch64-unknown-linux-gnu`)";
        for (lacks, expected) in [
            (&[][..], None),
            (&[EMULATOR], Some(format!("Tests for aarch64 lack {emulator}."))),
            (&["rustc", COMPILER], Some(format!("Tests for aarch64 lack {library} and {compiler}."))),
        ] {
            assert_eq!(missing(|asks| !lacks.contains(&asks[0])), expected);
        }
    }

    #[test]
    fn a_program_answers_where_it_is_and_its_folder_is_there() {
        for (asks, expected) in [
            (&["sh", "-c", "echo version 1"][..], true),
            (&["sh", "-c", "echo /"], true),
            (&["sh", "-c", "echo /no/such/folder"], false),
            (&["sh", "-c", "exit 1"], false),
            (&["no-such-program"], false),
        ] {
            assert_eq!(answers(asks), expected, "{asks:?}");
        }
    }
}
