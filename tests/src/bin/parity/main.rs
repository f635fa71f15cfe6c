//! Prints parity tables: `parity lm DIR` checks every case that xtask/py/lm_cases.py wrote into DIR, `parity ops DIR` those of
//! xtask/py/ops_cases.py.

mod lm;
mod ops;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["lm", dir] => lm::run(Path::new(dir)),
        ["ops", dir] => ops::run(Path::new(dir)),
        _ => {
            eprintln!("usage: parity lm DIR | parity ops DIR");
            ExitCode::from(2)
        }
    }
}
