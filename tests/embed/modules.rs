//! Modules beside encoder and pooling, and texts and folders that are out of the ordinary.

use super::errors::{case, check_file, check_text, copy};
use mlx_embed::{EncodeOptions, Overlong, Prompt, load};
use mlx_tests::max_difference;

#[track_caller]
fn error(result: mlx_embed::Result<impl Sized>, parts: &[&str]) {
    let error = result.err().expect("an error").to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn a_text_without_a_route_is_an_error() {
    let model = load(case("router")).unwrap();
    let options = EncodeOptions::default();
    error(model.encode(&["a"], &options), &["route", "query, document"]);
    error(model.encode_iter(["a"], &options), &["route"]);
    assert_eq!(model.encode_query(&["a"], &options).unwrap().dims(), 8);
    // The route of queries has no limit, that of documents has its own.
    let far = EncodeOptions { max_tokens: Some(41), ..options };
    assert!(model.encode_query(&["a"], &far).is_ok());
    error(model.encode_document(&["a"], &far), &["40", "41"]);
    check_text(
        "router",
        "router_config.json",
        "\"query_0_StaticEmbedding\"\n",
        "7\n",
        &["router_config.json", "structure"],
    );
    check_text("router", "router_config.json", "\"structure\"", "\"struct\"", &["router_config.json", "`structure`"]);
}

#[test]
fn a_table_knows_texts_without_tokens() {
    let model = load(case("static-model2vec")).unwrap();
    let vectors = model.encode(&["", "a cat", ""], &EncodeOptions::default()).unwrap();
    assert!(vectors.row(0).iter().chain(vectors.row(2)).all(|&x| x == 0.0));
    assert!(vectors.row(1).iter().any(|&x| x != 0.0));
}

#[test]
fn modules_that_are_not_there_are_named() {
    for (name, file, parts) in [
        ("bert-mean", "1_Pooling/config.json", &["1_Pooling", "config.json"][..]),
        ("bert-mean", "config.json", &["config.json"]),
        ("bert-mean", "model.safetensors", &["model*.safetensors", "pytorch_model"]),
        ("bert-mean", "tokenizer.json", &["tokenizer.json"]),
        ("bert-all-modes", "2_Dense/model.safetensors", &["2_Dense", "model*.safetensors"]),
        ("torch-sharded", "pytorch_model-00002-of-00003.bin", &["pytorch_model-00002-of-00003.bin"]),
        ("layers-bert", "1_WeightedLayerPooling/model.safetensors", &["1_WeightedLayerPooling"]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        copy(&case(name), dir.path());
        std::fs::remove_file(dir.path().join(file)).unwrap();
        error(load(dir.path()), parts);
    }
    check_file("bert-mean", "modules.json", |_| b"[]".to_vec(), &["modules.json", "Transformer"]);
    let layers = "1_WeightedLayerPooling/config.json";
    check_text("layers-bert", layers, "\"layer_start\": 0", "\"layer_start\": 5", &["layer_start", "5"]);
    let map = "pytorch_model.bin.index.json";
    check_text("torch-sharded", map, "\"weight_map\": {", "\"weight_map\": {\"x\": \"none.bin\", ", &["none.bin"]);
}

/// Ten megabytes are as many tokens as the model takes.
#[test]
fn a_huge_text_is_its_beginning() {
    let model = load(case("bert-mean")).unwrap();
    let options = EncodeOptions::default();
    let (short, huge) = ("the cat and the dog sat on ".repeat(8), "the cat and the dog sat on ".repeat(400_000));
    let [short, long] = [&short, &huge].map(|text| model.encode(&[text], &options).unwrap());
    assert_eq!(max_difference(short.values(), long.values()), 0.0);
    let refuse = EncodeOptions { overlong: Overlong::Refuse, prompt: Prompt::Text("a ".into()), ..options.clone() };
    error(model.encode(&["a", &huge], &refuse), &["Text 1", "or more", "24"]);
    // No place to cut: one word, a run of spaces.
    for text in ["x".repeat(1_000_000), " ".repeat(1_000_000)] {
        assert!(model.encode(&[text], &options).unwrap().values().iter().all(|x| x.is_finite()));
    }
}
