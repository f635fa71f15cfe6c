//! Wrong files: each error names the file, the key or the tensor.

use mlx_lm::{LoadOptions, Model, load_language};
use mlx_tests::fixtures;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// A copy of a fixture, to be damaged.
fn copy(name: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixtures().join("lm").join(name)).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "expect.safetensors" {
            std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    dir
}

#[track_caller]
fn check(name: &str, damage: impl FnOnce(&Path), texts: &[&str]) {
    let dir = copy(name);
    damage(dir.path());
    let error = load_language(dir.path(), LoadOptions::default()).err().expect("an error was expected").to_string();
    for text in texts {
        assert!(error.contains(text), "{text:?} is not in: {error}");
    }
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(path, value.to_string()).unwrap();
}

fn cut(path: &Path, length: u64) {
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

const DENSE: &str = "llama-dense-single";
const SHARDED: &str = "llama-q4-sharded";
const FILE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

#[test]
fn damaged_weight_files() {
    let length = std::fs::metadata(fixtures().join("lm").join(DENSE).join(FILE)).unwrap().len();
    for at in [0, 1, 7, 8, 9, 100, length / 2, length - 1] {
        check(DENSE, |dir| cut(&dir.join(FILE), at), &[FILE]);
    }
    check(DENSE, |dir| cut(&dir.join(FILE), 0), &[FILE, "has only 0 bytes"]);
    check(DENSE, |dir| cut(&dir.join(FILE), length - 1), &[FILE, "is truncated"]);
    check(DENSE, |dir| std::fs::write(dir.join(FILE), [0xff; 64]).unwrap(), &[FILE, "truncated"]);
    check(DENSE, |dir| std::fs::remove_file(dir.join(FILE)).unwrap(), &["holds no model*.safetensors file"]);
}

#[test]
fn damaged_indexes() {
    let shard = "model-00002-of-00003.safetensors";
    check(SHARDED, |dir| std::fs::remove_file(dir.join(shard)).unwrap(), &[shard, "cannot be read"]);
    check(
        SHARDED,
        |dir| edit(&dir.join(INDEX), |index| index["weight_map"]["model.extra.weight"] = json!(shard)),
        &[INDEX, "`model.extra.weight`", shard],
    );
    check(SHARDED, |dir| edit(&dir.join(INDEX), |index| index["weight_map"] = json!(3)), &[INDEX, "`weight_map`"]);
    check(SHARDED, |dir| std::fs::write(dir.join(INDEX), "{").unwrap(), &[INDEX, "not valid JSON"]);
}

#[test]
fn configurations_that_do_not_fit() {
    let config = |change: fn(&mut Value)| move |dir: &Path| edit(&dir.join("config.json"), change);
    check(
        DENSE,
        config(|c| c["intermediate_size"] = json!(100)),
        &["mlp.gate_proj.weight", "has shape", "expected [100, "],
    );
    check(SHARDED, config(|c| c["intermediate_size"] = json!(100)), &["mlp.gate_proj.weight", "expected [100, "]);
    check(
        DENSE,
        config(|c| c["num_hidden_layers"] = json!(3)),
        &["not there", "model.layers.2.self_attn.q_proj.weight"],
    );
    check(DENSE, config(|c| c["num_hidden_layers"] = json!(1)), &["does not use", "model.layers.1."]);
    check(
        DENSE,
        config(|c| c["hidden_size"] = json!(-4)),
        &["config.json", "`hidden_size` should be a positive integer"],
    );
    check(DENSE, config(|c| c["rms_norm_eps"] = json!("small")), &["`rms_norm_eps` should be a number, not \"small\""]);
    check(
        DENSE,
        config(|c| c["model_type"] = json!("perceptron")),
        &["`model_type` should be one of llama", "`perceptron`"],
    );
    check(DENSE, config(|c| c["quantization_config"] = json!({"quant_method": "awq"})), &["quant_method", "awq"]);
    check(DENSE, |dir| std::fs::remove_file(dir.join("config.json")).unwrap(), &["config.json", "cannot be read"]);
    check(DENSE, |dir| std::fs::write(dir.join("config.json"), "[]").unwrap(), &["config.json", "not a JSON object"]);
    for key in ["model_type", "hidden_size", "num_attention_heads", "vocab_size", "rms_norm_eps", "num_hidden_layers"] {
        let damage = |dir: &Path| edit(&dir.join("config.json"), |c| drop(c.as_object_mut().unwrap().remove(key)));
        check(DENSE, damage, &["config.json", &format!("the key `{key}` is missing")]);
    }
}

#[track_caller]
fn model_fails(source: &str, texts: &[&str]) {
    let error = Model::load(source, LoadOptions { offline: true, ..LoadOptions::default() }).err();
    let error = error.expect("an error was expected").to_string();
    for text in texts {
        assert!(error.contains(text), "{text:?} is not in: {error}");
    }
}

#[test]
fn tokenizers_and_sources() {
    let dir = copy(DENSE);
    let source = dir.path().to_str().unwrap();
    model_fails(source, &["tokenizer.json"]);
    std::fs::write(dir.path().join("tokenizer.json"), "{\"model\": 1}").unwrap();
    model_fails(source, &["tokenizer.json"]);
    model_fails("./nowhere/model.gguf", &["./nowhere/model.gguf", "neither an existing folder"]);
    model_fails("nobody/nothing", &["nobody/nothing", "not in the cache"]);
    let empty = dir.path().join("empty.gguf");
    std::fs::write(&empty, "").unwrap();
    model_fails(empty.to_str().unwrap(), &["empty.gguf"]);
    std::fs::write(&empty, b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f").unwrap();
    model_fails(empty.to_str().unwrap(), &["empty.gguf"]);
}
