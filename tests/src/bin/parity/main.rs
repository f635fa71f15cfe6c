//! Prints parity tables: `parity lm DIR` checks every case that xtask/py/lm_cases.py wrote into DIR, `parity embed DIR` those of
//! xtask/py/embed_cases.py, `parity ops DIR` those of xtask/py/ops_cases.py.

mod embed;
mod lm;
mod ops;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["lm", dir] => lm::run(Path::new(dir)),
        ["embed", dir] => embed::run(Path::new(dir)),
        ["ops", dir] => ops::run(Path::new(dir)),
        _ => {
            eprintln!("usage: parity lm DIR | parity embed DIR | parity ops DIR");
            ExitCode::from(2)
        }
    }
}

/// The folders in `dir` that hold the file `mark`, in order; an error if there are none.
fn cases(dir: &Path, mark: &str) -> Result<Vec<PathBuf>, String> {
    let unreadable = |e: std::io::Error| format!("{} cannot be read: {e}.", dir.display());
    let entries =
        std::fs::read_dir(dir).and_then(|entries| entries.collect::<Result<Vec<_>, _>>()).map_err(unreadable)?;
    let mut cases: Vec<_> = entries.into_iter().map(|e| e.path()).filter(|p| p.join(mark).exists()).collect();
    cases.sort();
    if cases.is_empty() { Err(format!("{} holds no case.", dir.display())) } else { Ok(cases) }
}
