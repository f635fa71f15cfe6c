//! The commands `rerank`, `classify` and `sparse`, with tiny models of random weights.
#![cfg(feature = "cli")]

use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn model(case: &str) -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/embed");
    fixtures.join(case).to_str().unwrap().to_owned()
}

fn run(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlx-embed"));
    let pipes = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // One that ends at wrong arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
fn lines(args: &[&str], input: &str) -> Vec<String> {
    let out = run(args, input);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[track_caller]
fn objects(args: &[&str], input: &str) -> Vec<Value> {
    lines(args, input).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn expected(case: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(Path::new(&model(case)).join("expect.json")).unwrap()).unwrap()
}

#[track_caller]
fn near(found: &Value, expected: &Value) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() < 1e-4, "{found} {expected}");
}

#[test]
fn documents_come_in_the_references_order() {
    let (model, expected) = (model("rerank-bert"), expected("rerank-bert"));
    let documents: Vec<&str> = expected["pairs"].as_array().unwrap().iter().map(|p| p[1].as_str().unwrap()).collect();
    let args = ["rerank", "--model", &model, "--query", "the dog", "--top-k", "4"];
    let found = objects(&[&args[..], &["--json"]].concat(), &(documents.join("\n") + "\n"));
    let indices: Vec<&Value> = found.iter().map(|line| &line["index"]).collect();
    assert_eq!(json!(indices), expected["ranked"]);
    found.iter().for_each(|line| assert_eq!(line["text"], documents[line["index"].as_u64().unwrap() as usize]));

    let input: String = documents.iter().map(|text| format!("{}\n", json!({ "d": text }))).collect();
    let table = lines(&[&args[..], &["--json-key", "d", "-"]].concat(), &input);
    assert_eq!(table.len(), 4);
    for (line, found) in table.iter().zip(&found) {
        let (score, text) = line.split_once('\t').unwrap();
        assert_eq!(found["text"], text);
        near(&json!(score.parse::<f64>().unwrap()), &found["score"]);
    }
    // A pair of the reference's, `the dog` and nothing, before the logistic function.
    let (model, expected) = (self::model("rerank-xlm-roberta"), self::expected("rerank-xlm-roberta"));
    let raw = objects(&["rerank", "--model", &model, "--query", "the dog", "--json", "--raw"], "\n");
    let score = 1.0 / (1.0 + (-raw[0]["score"].as_f64().unwrap()).exp());
    near(&json!(score), &expected["runs"][0]["scores"][2][0]);
}

#[test]
fn texts_get_their_labels() {
    let (model, expected) = (model("classify-modernbert"), expected("classify-modernbert"));
    let texts: Vec<&str> = expected["texts"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
    let args = ["classify", "--model", &model, "--top-k", "3", "--json"];
    let found = objects(&args, &(texts.join("\n") + "\n"));
    assert_eq!(found.len(), texts.len());
    for (i, line) in found.iter().enumerate() {
        assert_eq!(line["text"], texts[i]);
        for (label, expected) in
            line["labels"].as_array().unwrap().iter().zip(expected["labels"][i].as_array().unwrap())
        {
            assert_eq!(label["label"], expected[0]);
            near(&label["score"], &expected[1]);
        }
    }
    let table = lines(&args[..3], &format!("{}\n", texts[0]));
    let best = found[0]["labels"][0]["label"].as_str().unwrap();
    assert!(table.len() == 1 && table[0].starts_with(best) && table[0].ends_with(texts[0]), "{table:?}");
}

#[test]
fn words_get_their_weights() {
    let (model, expected) = (model("sparse-bert"), expected("sparse-bert"));
    let text = format!("{}\n", expected["texts"][0].as_str().unwrap());
    let args = ["sparse", "--model", &model, "--max-active-dims", "5"];
    let found = objects(&args, &text);
    let expected = expected["runs"][1]["vectors"][0].as_array().unwrap();
    assert_eq!(expected.len(), 5);
    for (i, entry) in expected.iter().enumerate() {
        assert_eq!(found[0]["indices"][i], entry[0]);
        near(&found[0]["values"][i], &entry[1]);
    }
    let words = objects(&[&args[..], &["--words"]].concat(), &text);
    let largest = expected.iter().map(|entry| entry[1].as_f64().unwrap()).fold(0.0, f64::max);
    near(&words[0][0][1], &json!(largest));
}

#[track_caller]
fn check_error(args: &[&str], input: &str, parts: &[&str]) {
    let out = run(args, input);
    let error = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{error}");
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn errors_name_what_is_wrong() {
    let [bert, three, plain] = ["rerank-bert", "rerank-modernbert-mean", "bert-mean"].map(model);
    check_error(&["rerank", "--model", &three, "--query", "a"], "a\n", &["3 scores"]);
    check_error(&["rerank", "--model", &plain, "--query", "a"], "a\n", &["1_Pooling", "`Pooling`"]);
    check_error(&["rerank", "--model", &bert, "--query", "a", "no.txt"], "", &["no.txt"]);
    let long = "the cat ".repeat(20);
    check_error(&["rerank", "--model", &bert, "--query", "a", "--refuse-overlong"], &long, &["Pair 0", "44", "24"]);
    check_error(&["sparse", "--model", &bert], "a\n", &["cls.predictions.transform.dense.weight"]);
    check_error(&["sparse", "--model", &plain], "a\n", &["modules.json", "SpladePooling", "Pooling"]);
    check_error(&["sparse", "--model", &model("sparse-bert"), "--max-active-dims", "0"], "a\n", &["max_active_dims"]);
    check_error(&["classify", "--model", &model("fill-bert")], "a\n", &["classifier.weight"]);
}
