//! What is wrong is said; nothing comes out that is no number.

use mlx_embed::{EncodeOptions, Overlong, Prompt, load};
use mlx_tests::fixtures;
use std::path::{Path, PathBuf};

pub fn case(name: &str) -> PathBuf {
    fixtures().join("embed").join(name)
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { std::fs::copy(&path, &to).map(drop).unwrap() }
    }
}

/// Encodes with a copy of a case in which `file` was changed.
#[track_caller]
pub fn check_file(name: &str, file: &str, change: impl Fn(Vec<u8>) -> Vec<u8>, parts: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    copy(&case(name), dir.path());
    let path = dir.path().join(file);
    std::fs::write(&path, change(std::fs::read(&path).unwrap())).unwrap();
    let done = load(dir.path()).and_then(|model| model.encode(&["the cat", "a dog"], &EncodeOptions::default()));
    let error = done.unwrap_err().to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[track_caller]
pub fn check_text(name: &str, file: &str, from: &str, to: &str, parts: &[&str]) {
    let change = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(from), "{text}");
        text.replace(from, to).into_bytes()
    };
    check_file(name, file, change, parts);
}

#[test]
fn files_that_are_wrong_are_named() {
    check_text("bert-mean", "config.json", "\"bert\"", "\"bart\"", &["config.json", "bart", "mpnet"]);
    check_text("bert-mean", "config.json", "\"num_attention_heads\": 2", "\"num_attention_heads\": 3", &["16", "3"]);
    check_text("bert-mean", "modules.json", "models.Normalize", "models.CNN", &["2_Normalize", "CNN"]);
    check_text("bert-mean", "modules.json", "models.Pooling", "models.WordWeights", &["1_Pooling", "WordWeights"]);
    check_text("bert-mean", "modules.json", "models.Transformer", "models.BoW", &["modules.json", "Transformer"]);
    check_text("bert-mean", "1_Pooling/config.json", ": 16", ": 17", &["1_Pooling", "word_embedding_dimension", "17"]);
    check_text("bert-prompts", "1_Pooling/config.json", "weightedmean", "median", &["pooling_mode", "median"]);
    check_text("bert-all-modes", "2_Dense/config.json", "activation.Tanh", "activation.Mish", &["2_Dense", "Mish"]);
    check_text("bert-all-modes", "2_Dense/config.json", ": 96", ": 32", &["2_Dense", "in_features", "96"]);
    check_text("qwen3-last", "config.json", "\"qwen3\"", "\"qwen3_moe\"", &["config.json", "qwen3_moe", "gemma3_text"]);
    check_text("qwen3-last", "config.json", "\"rms_norm_eps\"", "\"eps\"", &["config.json", "rms_norm_eps"]);
    check_text("qwen3-last", "config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", &["layers.2."]);
    check_text(
        "mistral-both-ways",
        "config.json",
        "\"is_causal\"",
        "\"hidden_act\": \"relu\", \"x\"",
        &["hidden_act", "relu"],
    );
    check_text(
        "lfm2-both-ways",
        "config.json",
        "\"conv\"",
        "\"convolution\"",
        &["config.json", "layer_types", "convolution"],
    );
    check_text("lfm2-both-ways", "config.json", "\"conv_L_cache\": 3", "\"conv_L_cache\": 4", &["4 tokens", "centred"]);
    check_text("roberta-cls", "config.json", "\"pad_token_id\": 1", "\"pad_token_id\": 70", &["pad_token_id"]);
}

#[test]
fn weights_that_are_no_numbers_give_no_vector() {
    let spoil = |mut bytes: Vec<u8>| {
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        bytes[8 + header as usize..].fill(0xff);
        bytes
    };
    check_file("bert-bare", "model.safetensors", spoil, &["text", "not finite"]);
    check_file("bert-bare", "model.safetensors", |bytes| bytes[..bytes.len() / 2].to_vec(), &["truncated"]);
}

#[track_caller]
fn check_options(texts: &[&str], options: EncodeOptions, parts: &[&str]) {
    let error = load(case("bert-mean")).unwrap().encode(texts, &options).unwrap_err().to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn options_that_do_not_fit_are_named() {
    let default = EncodeOptions::default;
    check_options(&["a"], EncodeOptions { truncate_dim: Some(17), ..default() }, &["16", "17"]);
    check_options(&["a"], EncodeOptions { truncate_dim: Some(0), ..default() }, &["16", "0"]);
    check_options(&["a"], EncodeOptions { max_tokens: Some(41), ..default() }, &["40", "41"]);
    check_options(&["a"], EncodeOptions { max_tokens: Some(1), ..default() }, &["room", "2"]);
    check_options(&["a"], EncodeOptions { prompt: Prompt::Named("query".into()), ..default() }, &["`query`"]);
    let long = "the cat ".repeat(50);
    let refuse = EncodeOptions { overlong: Overlong::Refuse, ..default() };
    check_options(&["a", &long], refuse, &["Text 1", "102", "24"]);
}

#[test]
fn few_or_no_texts_are_fine() {
    let model = load(case("bert-mean")).unwrap();
    let none = model.encode::<&str>(&[], &EncodeOptions::default()).unwrap();
    assert_eq!((none.len(), none.dims()), (0, 16));
    // A budget below any text's length: each goes alone.
    let options = EncodeOptions { batch_tokens: 0, ..EncodeOptions::default() };
    let vectors = model.encode(&["", "the cat"], &options).unwrap();
    assert!(vectors.values().iter().all(|x| x.is_finite()) && vectors.len() == 2);
    let mut iter = model.encode_iter(Vec::<String>::new(), &options).unwrap();
    assert!(iter.next().is_none());
}
