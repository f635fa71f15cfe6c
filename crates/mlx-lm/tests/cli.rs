//! The command as a person or a program uses it. Needs the real model that `cargo xtask test` fetches.
#![cfg(feature = "cli")]

use serde_json::Value;
use std::io::Write;
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
