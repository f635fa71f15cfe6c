//! Every preset against the reference's logits.

use mlx_tests::{fixtures, lm_case};

#[test]
fn logits_equal_the_references() {
    let mut count = 0;
    for entry in std::fs::read_dir(fixtures().join("lm")).unwrap() {
        let dir = entry.unwrap().path();
        if dir.join("expect.safetensors").exists() {
            let report = lm_case::check(&dir).unwrap_or_else(|e| panic!("{e}"));
            let (prompt, chunks, decode) = (report.prompt, report.chunks, report.decode);
            assert!(report.passed(), "{}: {prompt:e} {chunks:e} {decode:e}", dir.display());
            count += 1;
        }
    }
    assert!(count >= 40, "only {count} cases were found");
}
