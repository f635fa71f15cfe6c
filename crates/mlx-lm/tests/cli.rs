//! The command as a person or a program uses it. Needs the real model that `cargo xtask test` fetches.
#![cfg(feature = "cli")]

use serde_json::Value;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn model() -> Option<String> {
    let dir = PathBuf::from(std::env::var_os("MLX_TEST_DATA")?);
    let path = dir.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    path.exists().then(|| path.to_str().unwrap().to_owned())
}

macro_rules! model_or_skip {
    () => {
        match model() {
            Some(model) => model,
            None => {
                assert!(std::env::var_os("CI").is_none(), "the model is not there: run `cargo xtask test`");
                eprintln!("skipped: `cargo xtask test` fetches the model");
                return;
            }
        }
    };
}

fn run(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlx-lm"));
    let pipes = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_completion_as_text_and_as_json() {
    let model = model_or_skip!();
    let prompt = "Photosynthesis is the process by which";
    let common = ["generate", "--model", &model, "--raw", "-m", "12"];
    let plain = run(&[&common[..], &["-p", prompt]].concat(), "");
    assert!(plain.status.success(), "{}", text(&plain.stderr));
    assert_eq!(text(&plain.stdout), " plants convert sunlight into energy. This process is essential for life\n");
    assert!(text(&plain.stderr).contains("12 tokens, "), "{}", text(&plain.stderr));

    let json = run(&[&common[..], &["-p", "-", "--json", "--stop", " energy"]].concat(), prompt);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["text"], " plants convert sunlight into");
    assert_eq!(json["finish_reason"], "stop");
    assert_eq!(json["prompt_tokens"], 7);
}

#[test]
fn a_chat_answers_line_by_line() {
    let model = model_or_skip!();
    let chat = run(&["chat", "--model", &model, "-m", "8", "--json"], "Hello!\n\nWhat is 2 + 2?\n/reset\nHi.\n/quit\n");
    assert!(chat.status.success(), "{}", text(&chat.stderr));
    let answers: Vec<Value> = text(&chat.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 3);
    let prompt = |i: usize| answers[i]["prompt_tokens"].as_u64().unwrap();
    assert!(prompt(1) < prompt(0) + 15, "the second turn computes only what is new: {answers:?}");
}

#[test]
fn a_bench_measures_what_its_lists_name() {
    let model = model_or_skip!();
    let lists = ["-p", "8,16", "--context", "24", "--sequences", "1,2", "-g", "4", "--repeats", "1"];
    let bench = run(&[&["bench", "--model", &model, "--json"], &lists[..]].concat(), "");
    assert!(bench.status.success(), "{}", text(&bench.stderr));
    let json: Value = serde_json::from_slice(&bench.stdout).unwrap();
    for (group, sizes) in [("prefill", &["8", "16"][..]), ("decode", &["24"]), ("sequences", &["1", "2"])] {
        let rates = json[group].as_object().unwrap();
        assert_eq!(rates.keys().map(String::as_str).collect::<Vec<_>>(), sizes, "{group}");
        assert!(rates.values().all(|rate| rate.as_f64().unwrap() > 0.0), "{group}: {rates:?}");
    }
    // 30 layers with 3 heads of 64 keys and 64 values, in f32, of 24 positions and half of the 4 generated.
    assert_eq!(json["cache_bytes"]["24"], 30 * 2 * 3 * 64 * 4 * 26);
    assert_eq!(json["prompt_tps"], json["prefill"]["8"]);
    refused(&["bench", "--model", &model, "-p", "9000"], "more than the 8192");
    refused(&["bench", "--model", &model, "-p", "8", "--sequences", "2", "-g", "9000"], "more than the 8192");
}

/// Ctrl-C ends the answer; the conversation goes on.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_answer_and_keeps_the_session() {
    let model = model_or_skip!();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlx-lm"));
    command.args(["chat", "--model", &model, "-m", "4000"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"Count from one to one thousand in words.\n").unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 8]).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    input.write_all(b"/quit\n").unwrap();
    drop(input);
    let mut answer = String::new();
    out.read_to_string(&mut answer).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    assert_eq!(stderr.matches("Generation: ").count(), 1, "{stderr}");
    assert!(answer.ends_with('\n') && answer.len() < 4000, "{answer}");
}

/// A model in the hub's cache loads by its id without a network.
#[test]
fn a_cached_hub_model_needs_no_network() {
    let home = tempfile::tempdir().unwrap();
    let repo = home.path().join("hub/models--somebody--tiny");
    let snapshot = repo.join("snapshots/0123abcd");
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::create_dir_all(repo.join("refs")).unwrap();
    std::fs::write(repo.join("refs/main"), "0123abcd").unwrap();
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/lm/llama-q4-sharded");
    for entry in std::fs::read_dir(fixture).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, snapshot.join(path.file_name().unwrap())).unwrap();
    }
    let vocab: serde_json::Map<String, Value> = (0..64).map(|i| (format!("w{i}"), i.into())).collect();
    let tokenizer = serde_json::json!({
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "w0"},
    });
    std::fs::write(snapshot.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let generate = |extra: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlx-lm"));
        command.env("HF_HOME", home.path()).args(["generate", "--model", "somebody/tiny", "-p", "w1 w2", "-m", "4"]);
        command.args(extra).output().unwrap()
    };
    let output = generate(&["--offline"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), text(&generate(&[]).stdout), "complete, so the network is not asked");
    std::fs::remove_file(snapshot.join("model-00002-of-00003.safetensors")).unwrap();
    let output = generate(&["--offline"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`somebody/tiny` (main) is not in the cache"), "{}", text(&output.stderr));
}

#[track_caller]
fn refused(args: &[&str], words: &str) {
    let output = run(args, "");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains(words), "{words:?} is not in: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn wrong_input_ends_with_status_2_and_says_what() {
    refused(&["generate", "--model", "./nowhere", "-p", "x"], "./nowhere");
    refused(&["generate", "--model", "nobody/nothing", "--offline", "-p", "x"], "not in the cache");
    refused(&["generate", "--model", "."], "--prompt");
    refused(&["generate", "--model", ".", "-p", ""], "`--prompt` is empty");
    refused(&["generate", "--model", ".", "-p", "x"], "config.json");
    refused(&["generate", "--model", ".", "-p", "x", "--dtype", "i4"], "`i4` is not f32, f16 or bf16");
    refused(&["shout"], "shout");
    let model = model_or_skip!();
    refused(&["generate", "--model", &model, "-p", "x", "--temp", "-1"], "unexpected argument");
    refused(&["generate", "--model", &model, "-p", "x", "--temp=-1"], "`temperature` should be 0 or more");
    refused(&["generate", "--model", &model, "-p", "x", "--top-p", "2"], "`top_p` should be between 0 and 1");
    refused(&["generate", "--model", &model, "--raw", "-p", &"word ".repeat(9000)], "more than the 8192");
}
