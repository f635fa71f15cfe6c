//! A real model, all-MiniLM-L6-v2.

use mlx_embed::{EncodeOptions, load};
use mlx_ops::Dtype;
use mlx_tests::{embed_case::strings, fixtures, json, max_difference, real, tensors};

const FOLDER: &str = "all-MiniLM-L6-v2";

#[test]
fn the_real_model_equals_the_reference() {
    let Some(path) = real(FOLDER) else { return };
    let texts = strings(&json("embed/minilm.json")["texts"]);
    let expected = tensors(&fixtures().join("embed/minilm.safetensors"));
    let (first, mixed) = (&expected["vectors"], &expected["mixed"]);
    let exact = first.dim(0).unwrap() as usize;
    let first = first.to_vec::<f32>().unwrap();
    let mixed = mixed.astype(Dtype::F32).unwrap().to_vec::<f32>().unwrap();
    let model = load(path).unwrap();
    assert_eq!((model.dims(), model.max_tokens()), (384, 256));
    let found = model.encode(&texts, &EncodeOptions::default()).unwrap();
    assert_eq!((found.len(), texts.len(), first.len() + mixed.len()), (200, 200, 200 * 384));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    for (i, (ours, theirs)) in found.rows().zip(first.chunks_exact(384).chain(mixed.chunks_exact(384))).enumerate() {
        let cosine = dot(ours, theirs) / (dot(ours, ours) * dot(theirs, theirs)).sqrt();
        assert!((1.0 - cosine).abs() < 1e-5, "text {i}: cosine {cosine}");
        // The others are rounded to 16 bits, whose steps are below 2^-11 of a number.
        let most = if i < exact { 1e-5 } else { 3e-4 };
        let difference = max_difference(ours, theirs);
        assert!(difference < most, "text {i}: {difference:e}");
    }
    // What its authors publish for the first text.
    let published = [0.067657, 0.063496, 0.048713, 0.079305, 0.037448];
    assert!(max_difference(&found.row(0)[..5], &published) < 1e-6, "{:?}", &found.row(0)[..5]);
}

#[test]
fn a_stream_of_texts_gives_the_same_in_order() {
    let Some(path) = real(FOLDER) else { return };
    let model = load(path).unwrap();
    let words = ["red", "green apples", "three blue whales", "a", "one more line with a few more words in it"];
    // More than fit into one window, all kinds mixed.
    let texts = (0..2100usize).map(|i| words[i % 7 % words.len()]);
    let whole = model.encode(&words, &EncodeOptions::default()).unwrap();
    let mut count = 0;
    for (i, vector) in model.encode_iter(texts, &EncodeOptions::default()).unwrap().enumerate() {
        let difference = max_difference(&vector.unwrap(), whole.row(i % 7 % words.len()));
        assert!(difference < 1e-5, "text {i}: {difference:e}");
        count += 1;
    }
    assert_eq!(count, 2100);
}
