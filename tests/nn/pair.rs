//! Two texts as one sequence, against ids and types that transformers 5.23.0 gave for the fixtures' tokenizers.

use mlx_nn::tokenizer::Tokenizer;
use mlx_tests::fixtures;
use serde_json::{Value, json};
use std::path::Path;

fn tokenizer(case: &str) -> Tokenizer {
    Tokenizer::from_dir(fixtures().join("embed").join(case)).unwrap()
}

#[track_caller]
fn check(case: &str, pair: [&str; 2], limit: usize, ids: &[u32], types: &[u32], left_out: usize) {
    let found = tokenizer(case).encode_pair(pair[0], pair[1], limit).unwrap();
    assert_eq!((&found.ids[..], &found.types[..], found.left_out), (ids, types, left_out));
}

#[test]
fn templates_join_pairs() {
    let texts = ["a cat", "the dog"];
    check("rerank-bert", texts, 24, &[1, 6, 8, 2, 5, 9, 2], &[0, 0, 0, 0, 1, 1, 1], 0);
    // RoBERTa's marks stand twice between the texts, and its files ask for no types.
    check("rerank-xlm-roberta", texts, 24, &[0, 6, 8, 2, 2, 5, 9, 2], &[], 0);
    check("rerank-bert", ["", ""], 3, &[1, 2, 2], &[0, 0, 1], 0);
}

#[test]
fn the_longer_text_ends_first() {
    let [short, long] = ["a cat", "the dog and the cat sat"]; // 2 and 6 tokens
    check("rerank-bert", [short, long], 8, &[1, 6, 8, 2, 5, 9, 7, 2], &[0, 0, 0, 0, 1, 1, 1, 1], 3);
    check("rerank-bert", [long, short], 8, &[1, 5, 9, 7, 2, 6, 8, 2], &[0, 0, 0, 0, 0, 1, 1, 1], 3);
    check("rerank-bert", [long, long], 8, &[1, 5, 9, 2, 5, 9, 7, 2], &[0, 0, 0, 0, 1, 1, 1, 1], 7);
    let error = tokenizer("rerank-bert").encode_pair(short, long, 2).unwrap_err().to_string();
    assert!(error.contains("2 tokens leave no room") && error.contains("3 around"), "{error}");
}

fn with_config(change: impl Fn(&mut Value, &mut Value)) -> Tokenizer {
    let from = fixtures().join("embed/rerank-bert");
    let dir = tempfile::tempdir().unwrap();
    let read = |name: &str| std::fs::read_to_string(from.join(name)).unwrap();
    let write = |dir: &Path, name: &str, text: String| std::fs::write(dir.join(name), text).unwrap();
    let [mut model, mut config] =
        ["tokenizer.json", "tokenizer_config.json"].map(|name| serde_json::from_str::<Value>(&read(name)).unwrap());
    change(&mut config, &mut model);
    write(dir.path(), "tokenizer.json", model.to_string());
    write(dir.path(), "tokenizer_config.json", config.to_string());
    Tokenizer::from_dir(dir.path()).unwrap()
}

#[track_caller]
fn check_typed(names: Value, class: &str, typed: bool) {
    let tokenizer = with_config(|config, _| {
        config["model_input_names"] = names.clone();
        config["tokenizer_class"] = class.into();
    });
    assert_eq!(tokenizer.encode_pair("a", "a", 9).unwrap().types.is_empty(), !typed, "{names} {class}");
}

#[test]
fn files_say_whether_texts_have_types() {
    check_typed(json!(["input_ids", "token_type_ids"]), "PreTrainedTokenizerFast", true);
    check_typed(json!(["input_ids"]), "BertTokenizer", false);
    check_typed(Value::Null, "BertTokenizer", true);
    check_typed(Value::Null, "TokenizersBackend", false);
}

#[test]
fn roles_put_tokens_around_both_texts() {
    let tokenizer = with_config(|config, model| {
        model["post_processor"] = Value::Null;
        config["bos_token"] = "[MASK]".into();
        config["add_bos_token"] = true.into();
    });
    let pair = tokenizer.encode_pair("a cat", "a", 5).unwrap();
    assert_eq!((&pair.ids[..], &pair.types[..], pair.left_out), (&[4, 6, 8, 4, 6][..], &[0, 0, 0, 1, 1][..], 0));
    assert_eq!(tokenizer.mask(), Some(4));
}
