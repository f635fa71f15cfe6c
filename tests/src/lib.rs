//! What the integration tests and the parity runner share: fixtures, real inputs, and the checks themselves.

pub mod embed_case;
pub mod fuzz;
pub mod heads_case;
pub mod late_case;
pub mod lm_case;
pub mod ops_case;

use mlx_ops::{Tensor, io};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The committed fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A committed JSON file.
#[track_caller]
pub fn json(name: &str) -> serde_json::Value {
    let path = fixtures().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The tensors of a safetensors file.
#[track_caller]
pub fn tensors(path: &Path) -> BTreeMap<String, Tensor> {
    let file = io::load_safetensors(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file.arrays.into_iter().map(|(name, array)| (name, Tensor::from(array))).collect()
}

/// A real input fetched by `cargo xtask fetch`; says so and gives `None` where it is not there.
///
/// In CI (`CI=true`) a missing input is a failure, so that nothing is skipped there.
#[track_caller]
pub fn real(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("MLX_TEST_DATA").map(|dir| PathBuf::from(dir).join(name)).filter(|path| path.exists());
    if path.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{name} is not there: run `cargo xtask test`");
        eprintln!("skipped: {name} is not there; `cargo xtask test` fetches it");
    }
    path
}

/// Runs the test of this name in a process of its own, where MLX's counters are not shared with other tests.
///
/// True in that process, where the test goes on; false in the one that started it, after the other has passed.
#[track_caller]
pub fn alone(name: &str) -> bool {
    alone_with(name, [])
}

/// As [`alone`], with these variables set for that process.
#[track_caller]
pub fn alone_with<const N: usize>(name: &str, env: [(&str, &OsStr); N]) -> bool {
    const MARK: &str = "MLX_TEST_ALONE";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let program = std::env::current_exe().unwrap_or_else(|e| panic!("{e}"));
    let child =
        std::process::Command::new(program).args(["--exact", name, "--nocapture"]).env(MARK, "1").envs(env).output();
    let child = child.unwrap_or_else(|e| panic!("{e}"));
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&child.stderr));
    false
}

/// The largest absolute difference; infinite where a value is NaN on one side only.
pub fn max_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let difference = |(a, b): (&f32, &f32)| if a == b || (a.is_nan() && b.is_nan()) { 0.0 } else { (a - b).abs() };
    a.iter().zip(b).map(difference).fold(0.0, |m, d| if d.is_nan() { f32::INFINITY } else { m.max(d) })
}
