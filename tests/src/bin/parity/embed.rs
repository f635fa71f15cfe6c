//! Encoders against sentence-transformers.

use mlx_tests::{embed_case, late_case};
use std::path::Path;
use std::process::ExitCode;

/// Checks every case of `dir` and prints a line for each.
pub fn run(dir: &Path) -> ExitCode {
    let late = super::cases(dir, "late.json").unwrap_or_default();
    let cases = match super::cases(dir, "expect.json") {
        Ok(cases) => cases,
        Err(_) if !late.is_empty() => Vec::new(),
        Err(e) => {
            eprintln!("error: {e}");
            return ExitCode::from(2);
        }
    };
    let columns = ["vectors", "alone", "similar", "bytes"].map(|name| format!("{name:>10}")).join(" ");
    println!("{:<44} {columns}", "case (largest differences)");
    let (mut failed, mut largest, mut alone) = (0, 0f32, 0f32);
    for case in &cases {
        let name = case.file_name().unwrap_or_default().to_string_lossy();
        match embed_case::check(case) {
            Ok(r) => {
                let verdict = if r.passed() { "" } else { "  FAILED" };
                let columns = [r.vectors, r.alone, r.similarity].map(|x| format!("{x:>10.1e}")).join(" ");
                println!("{name:<44} {columns} {:>10}{verdict}", r.bytes);
                failed += usize::from(!r.passed());
                (largest, alone) = (largest.max(r.vectors), alone.max(r.alone));
            }
            Err(e) => {
                println!("{name:<44} FAILED: {e}");
                failed += 1;
            }
        }
    }
    for case in &late {
        let name = case.file_name().unwrap_or_default().to_string_lossy();
        match late_case::check(case) {
            Ok(r) => {
                let verdict = if r.passed() { "" } else { "  FAILED" };
                let columns = [r.vectors, r.alone, r.scores].map(|x| format!("{x:>10.1e}")).join(" ");
                println!("{name:<44} {columns}{verdict}");
                failed += usize::from(!r.passed());
                (largest, alone) = (largest.max(r.vectors), alone.max(r.alone));
            }
            Err(e) => {
                println!("{name:<44} FAILED: {e}");
                failed += 1;
            }
        }
    }
    let (count, tolerance) = (cases.len() + late.len(), embed_case::TOLERANCE);
    print!("summary: cases={count} failed={failed} tolerance={tolerance:e} largest={largest:.1e} ");
    println!("alone_tolerance={:e} largest_alone={alone:.1e}", embed_case::ALONE_TOLERANCE);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
