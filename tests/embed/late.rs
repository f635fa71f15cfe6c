//! Late interaction against the reference.

use super::errors::{case, copy};
use mlx_embed::{EncodeOptions, LoadOptions, MultiVector, load, maxsim};
use mlx_tests::{fixtures, late_case, max_difference};

#[test]
fn matrices_and_scores_equal_the_references() {
    let mut count = 0;
    for entry in std::fs::read_dir(fixtures().join("embed")).unwrap() {
        let dir = entry.unwrap().path();
        if dir.join("late.json").exists() {
            let r = late_case::check(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
            assert!(r.passed(), "{}: {:e} {:e} {:e}", dir.display(), r.vectors, r.alone, r.scores);
            count += 1;
        }
    }
    assert!(count >= 2, "only {count} cases were found");
}

#[test]
fn queries_have_their_length_and_documents_what_counts() {
    let model = MultiVector::load(case("late-stanford"), LoadOptions::default()).unwrap();
    let options = EncodeOptions::default();
    let queries = model.encode_query(&["a", "the cat and the dog and so on and so on and on"], &options).unwrap();
    assert_eq!(late_case::rows(&queries), [12, 12]);
    // [CLS], the marker, words and [SEP]; no punctuation.
    let documents = model.encode_document(&["the cat.", "..."], &options).unwrap();
    assert_eq!(late_case::rows(&documents), [5, 3]);
    for matrix in queries.iter().chain(&documents) {
        let lengths = matrix.rows().map(|row| row.iter().map(|x| x * x).sum::<f32>().sqrt());
        assert!(lengths.into_iter().all(|length| (length - 1.0).abs() < 1e-5));
    }
    let scores = maxsim(&queries, &queries).unwrap();
    assert!((scores[0] - 12.0).abs() < 1e-4 && (scores[3] - 12.0).abs() < 1e-4, "{scores:?}");
    let streamed: Vec<_> = model.encode_iter((0..300).map(|_| "the cat."), &options).map(Result::unwrap).collect();
    let alone = model.encode(&["the cat."], &options).unwrap();
    assert!(streamed.len() == 300 && max_difference(streamed[299].values(), alone[0].values()) < 1e-5);
    assert!(model.encode::<&str>(&[], &options).unwrap().is_empty());
}

#[test]
fn weights_that_are_no_numbers_give_no_vectors() {
    let dir = tempfile::tempdir().unwrap();
    copy(&case("late-stanford"), dir.path());
    let path = dir.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let model = MultiVector::load(dir.path(), LoadOptions::default()).unwrap();
    check(model.encode(&["a", "the cat"], &EncodeOptions::default()).err().unwrap(), &["text", "not finite"]);
    let path = dir.path().join("artifact.metadata");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"query_maxlen\": 12", "\"query_maxlen\": 41")).unwrap();
    check(MultiVector::load(dir.path(), LoadOptions::default()).err().unwrap(), &["filled up to 41", "takes 40"]);
}

#[track_caller]
fn check(error: mlx_embed::Error, parts: &[&str]) {
    let error = error.to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn the_other_kind_of_model_is_named() {
    let load_late = |name| MultiVector::load(case(name), LoadOptions::default());
    check(load_late("bert-mean").err().unwrap(), &["bert-mean", "one vector"]);
    check(load(case("late-own")).err().unwrap(), &["late-own", "MultiVector"]);
    let model = load_late("late-own").unwrap();
    let options = EncodeOptions { truncate_dim: Some(9), ..EncodeOptions::default() };
    check(model.encode(&["a"], &options).err().unwrap(), &["8", "9"]);
    let options = EncodeOptions { max_tokens: Some(41), ..EncodeOptions::default() };
    check(model.encode(&["a"], &options).err().unwrap(), &["40", "41"]);
}
