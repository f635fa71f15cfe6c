//! The committed sample of `cargo xtask parity ops`.

use mlx_tests::fixtures;
use mlx_tests::ops_case::{Cases, Found};

#[test]
fn ops_give_what_python_gives() {
    let cases = Cases::open(&fixtures().join("ops")).unwrap();
    let wrong = |case: mlx_tests::ops_case::Case<'_>| match case.check() {
        Found::Mismatch(text) => Some(format!("{}: {text}", case.name())),
        _ => None,
    };
    let mismatches: Vec<_> = cases.iter().filter_map(wrong).collect();
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
    assert!(cases.iter().filter(|case| case.kind() == "grad").count() >= 60);
    assert!(cases.iter().filter(|case| case.kind() == "vmap").count() >= 40);
}
