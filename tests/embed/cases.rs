//! Every encoder and module against the reference's vectors.

use mlx_tests::{embed_case, fixtures};

#[test]
fn vectors_equal_the_references() {
    let mut count = 0;
    for entry in std::fs::read_dir(fixtures().join("embed")).unwrap() {
        let dir = entry.unwrap().path();
        if dir.join("expect.json").exists() {
            let r = embed_case::check(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
            let (vectors, alone, similarity, bytes) = (r.vectors, r.alone, r.similarity, r.bytes);
            assert!(r.passed(), "{}: {vectors:e} {alone:e} {similarity:e} {bytes}", dir.display());
            count += 1;
        }
    }
    assert!(count >= 28, "only {count} cases were found");
}
