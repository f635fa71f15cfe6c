//! Models with heads: what is wrong is said, and nothing comes out that is no number.

use super::errors::{case, copy};
use mlx_embed::{
    Classifier, FillMask, LoadOptions, Overlong, Prompt, Reranker, Result, ScoreOptions, SparseEncoder, SparseOptions,
    SparseVector,
};
use serde_json::{Value, json};
use std::path::Path;

fn scores(dir: &Path) -> Result<()> {
    Reranker::load(dir, LoadOptions::default())?.predict(&[("a", "the cat")], &ScoreOptions::default()).map(drop)
}

fn labels(dir: &Path) -> Result<()> {
    Classifier::load(dir, LoadOptions::default())?.classify(&["the cat"], &ScoreOptions::default()).map(drop)
}

fn guesses(dir: &Path) -> Result<()> {
    FillMask::load(dir, LoadOptions::default())?.fill("the [MASK] sat", 3).map(drop)
}

fn weights(dir: &Path) -> Result<()> {
    SparseEncoder::load(dir, LoadOptions::default())?.encode(&["the cat"], &SparseOptions::default()).map(drop)
}

/// What `run` says of a copy of a case in which `change` was made.
#[track_caller]
fn check(name: &str, run: fn(&Path) -> Result<()>, change: impl Fn(&Path), parts: &[&str]) {
    run(&case(name)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    copy(&case(name), dir.path());
    change(dir.path());
    let error = run(dir.path()).unwrap_err().to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

fn set(file: &'static str, key: &'static str, value: Value) -> impl Fn(&Path) {
    move |dir| {
        let path = dir.join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".into());
        let mut config: Value = serde_json::from_str(&text).unwrap();
        config[key] = value.clone();
        std::fs::write(path, config.to_string()).unwrap();
    }
}

#[test]
fn files_that_are_wrong_are_named() {
    let config = "config.json";
    check("rerank-bert", scores, set(config, "id2label", json!([])), &["config.json", "id2label"]);
    check(
        "rerank-bert",
        scores,
        set(config, "id2label", json!({"0": "a", "1": "b"})),
        &["classifier.weight", "[2, 16]"],
    );
    let function = json!({ "activation_fn": "torch.nn.Mish" });
    check("rerank-bert", scores, set(config, "sentence_transformers", function), &["activation_fn", "Mish"]);
    check("rerank-bert", scores, set(config, "model_type", json!("bart")), &["model_type", "bart", "mpnet", "qwen3"]);
    check("rerank-bert", scores, set(config, "type_vocab_size", json!(3)), &["token_type_embeddings", "[3, 16]"]);
    check("rerank-modernbert-mean", scores, set(config, "classifier_pooling", json!("max")), &["classifier_pooling"]);
    check("classify-modernbert", labels, set(config, "problem_type", json!("ranking")), &["problem_type", "ranking"]);
    let unnamed = json!({"0": "a", "1": "b", "x": "c"});
    check("classify-modernbert", labels, set(config, "id2label", unnamed), &["id2label", "without 2"]);
    let pooling = "1_SpladePooling/config.json";
    check("sparse-bert", weights, set(pooling, "pooling_strategy", json!("mean")), &["1_SpladePooling", "mean"]);
    check("sparse-words", weights, set(config, "path", json!("idf.json")), &["`path`", "idf.json"]);
    check("fill-bert", guesses, set("tokenizer_config.json", "mask_token", Value::Null), &["mask_token"]);
    let untied = set(config, "tie_word_embeddings", json!(false));
    check("fill-bert", guesses, untied, &["cls.predictions.decoder.weight"]);
}

#[test]
fn decoders_that_cannot_answer_are_named() {
    check("rerank-qwen3-card", scores, |dir| std::fs::write(dir.join("chat_template.jinja"), "{{").unwrap(), &["chat"]);
    let llama = set("config.json", "model_type", json!("llama"));
    check("rerank-qwen3-card", scores, llama, &["`query`", "`document`"]);
    let modules = |words: Value| {
        move |dir: &Path| {
            let list = json!([{"type": "Transformer", "path": ""}, {"type": "LogitScore", "path": "1"}]);
            std::fs::write(dir.join("modules.json"), list.to_string()).unwrap();
            std::fs::create_dir(dir.join("1")).unwrap();
            std::fs::write(dir.join("1/config.json"), words.to_string()).unwrap();
        }
    };
    check("rerank-qwen3-card", scores, modules(json!({})), &["true_token_id"]);
    check("rerank-qwen3-card", scores, modules(json!({ "true_token_id": 0.5 })), &["true_token_id", "0.5"]);
    check("rerank-qwen3-card", scores, modules(json!({ "true_token_id": 100 })), &["100"]);
}

#[test]
fn weights_that_are_no_numbers_give_no_scores() {
    let spoil = |dir: &Path| {
        let path = dir.join("model.safetensors");
        let mut bytes = std::fs::read(&path).unwrap();
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        bytes[8 + header as usize..].fill(0xff);
        std::fs::write(path, bytes).unwrap();
    };
    check("rerank-bert", scores, spoil, &["score of text 0", "not finite"]);
    check("rerank-qwen3-card", scores, spoil, &["score of text 0", "not finite"]);
    check("classify-modernbert", labels, spoil, &["score of text 0", "not finite"]);
    check("fill-bert", guesses, spoil, &["not finite"]);
    check("sparse-bert", weights, spoil, &["vector of text 0", "not finite"]);
    check("sparse-words", weights, spoil, &["vector of text 0", "not finite"]);
}

#[track_caller]
fn check_options(name: &str, options: ScoreOptions, parts: &[&str]) {
    let model = Reranker::load(case(name), LoadOptions::default()).unwrap();
    let long = "the cat ".repeat(60);
    let error = model.predict(&[("a", "a"), ("a", &long)], &options).unwrap_err().to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn options_that_do_not_fit_are_named() {
    let default = ScoreOptions::default;
    let refuse = ScoreOptions { overlong: Overlong::Refuse, ..default() };
    check_options("rerank-bert", ScoreOptions { max_tokens: Some(41), ..default() }, &["40", "41"]);
    check_options("rerank-bert", ScoreOptions { max_tokens: Some(2), ..default() }, &["room", "3 around"]);
    check_options("rerank-bert", ScoreOptions { prompt: Prompt::Named("query".into()), ..default() }, &["`query`"]);
    check_options("rerank-bert", refuse.clone(), &["Pair 1", "124", "24"]);
    check_options("rerank-qwen3-card", refuse, &["Text 1", "120"]);
    check_options("rerank-qwen3-card", ScoreOptions { max_tokens: Some(150), ..default() }, &["150", "189 around"]);
    let model = SparseEncoder::load(case("sparse-words"), LoadOptions::default()).unwrap();
    let refuse = SparseOptions { overlong: Overlong::Refuse, ..SparseOptions::default() };
    let error = model.encode(&["the cat", &"a dog ".repeat(5)], &refuse).unwrap_err().to_string();
    assert!(error.contains("Text 1 has 10 tokens") && error.contains('9'), "{error}");
    let model = FillMask::load(case("fill-bert"), LoadOptions::default()).unwrap();
    let error = model.fill("the cat", 3).unwrap_err().to_string();
    assert!(error.contains("`[MASK]`"), "{error}");
}

#[test]
fn raw_scores_pass_through_no_function() {
    let model = Reranker::load(case("rerank-xlm-roberta"), LoadOptions::default()).unwrap();
    let raw = ScoreOptions { raw: true, ..ScoreOptions::default() };
    let predict = |options: &ScoreOptions| model.predict(&[("a cat", "the dog"), ("so", "")], options).unwrap();
    for (raw, score) in predict(&raw).into_iter().zip(predict(&ScoreOptions::default())) {
        assert!((1.0 / (1.0 + (-raw).exp()) - score).abs() < 1e-6 && (raw - score).abs() > 1e-3, "{raw} {score}");
    }
}

#[test]
fn few_or_no_texts_are_fine() {
    let (score, options) = (ScoreOptions { batch_tokens: 0, ..ScoreOptions::default() }, LoadOptions::default);
    let reranker = Reranker::load(case("rerank-bert"), options()).unwrap();
    assert!(reranker.predict::<&str, &str>(&[], &score).unwrap().is_empty());
    assert!(reranker.rank::<&str>("a", &[], None, &score).unwrap().is_empty());
    assert_eq!(reranker.rank("a", &["the", "cat"], Some(9), &score).unwrap().len(), 2);
    assert_eq!(reranker.rank("a", &["the", "cat"], Some(0), &score).unwrap(), []);
    let classifier = Classifier::load(case("classify-modernbert"), options()).unwrap();
    assert!(classifier.classify::<&str>(&[], &score).unwrap().is_empty());
    assert_eq!(classifier.labels(), ["contradiction", "entailment", "neutral"]);
    let sparse = SparseEncoder::load(case("sparse-bert"), options()).unwrap();
    assert!(sparse.encode::<&str>(&[], &SparseOptions::default()).unwrap().is_empty());
    let words = SparseEncoder::load(case("sparse-words"), options()).unwrap();
    assert_eq!(words.encode(&[""], &SparseOptions::default()).unwrap(), [SparseVector::default()]);
    let [vector] = &sparse.encode(&[""], &SparseOptions::default()).unwrap()[..] else { panic!("one vector") };
    assert!(vector.weights.iter().all(|weight| *weight > 0.0 && weight.is_finite()) && !vector.indices.is_empty());
}
