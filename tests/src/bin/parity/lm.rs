//! Checkpoints of language models against mlx-lm.

use mlx_tests::lm_case;
use std::path::Path;
use std::process::ExitCode;

/// Checks every case of `dir` and prints a line for each.
pub fn run(dir: &Path) -> ExitCode {
    let cases = match super::cases(dir, "expect.safetensors") {
        Ok(cases) => cases,
        Err(e) => {
            eprintln!("error: {e}");
            return ExitCode::from(2);
        }
    };
    let columns = ["prompt", "chunks", "decode", "fast"].map(|name| format!("{name:>10}")).join(" ");
    println!("{:<44} {columns}", "case (largest difference of logits)");
    let (mut failed, mut largest, mut fast) = (0, 0f32, 0f32);
    for case in &cases {
        let name = case.file_name().unwrap_or_default().to_string_lossy();
        match lm_case::check(case) {
            Ok(r) => {
                let verdict = if r.passed() { "" } else { "  FAILED" };
                let columns = [r.prompt, r.chunks, r.decode, r.fast].map(|x| format!("{x:>10.1e}")).join(" ");
                println!("{name:<44} {columns}{verdict}");
                failed += usize::from(!r.passed());
                largest = largest.max(r.prompt).max(r.decode);
                fast = fast.max(r.fast);
            }
            Err(e) => {
                println!("{name:<44} FAILED: {e}");
                failed += 1;
            }
        }
    }
    let (count, tolerance, fast_tolerance) = (cases.len(), lm_case::TOLERANCE, lm_case::FAST_TOLERANCE);
    print!("summary: cases={count} failed={failed} tolerance={tolerance:e} largest={largest:.1e} ");
    println!("fast_tolerance={fast_tolerance:e} largest_fast={fast:.1e}");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
