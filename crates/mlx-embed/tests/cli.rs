//! The command as a person or a program uses it, with a tiny model of random weights.
#![cfg(feature = "cli")]

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn model(case: &str) -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/embed");
    fixtures.join(case).to_str().unwrap().to_owned()
}

fn run(args: &[&str], input: &str) -> Output {
    run_bytes(args, input.as_bytes())
}

fn run_bytes(args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlx-embed"));
    let pipes = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn lines(args: &[&str], input: &str) -> Vec<Vec<f64>> {
    let out = run(args, input);
    // A bar is for terminals.
    assert!(out.status.success() && out.stderr.is_empty(), "{}", text(&out.stderr));
    text(&out.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn expected(case: &str) -> Value {
    let text = std::fs::read_to_string(Path::new(&model(case)).join("expect.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn same(found: &[f64], expected: &Value) {
    let expected: Vec<f64> = serde_json::from_value(expected.clone()).unwrap();
    let near = found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(found.len() == expected.len() && near, "{found:?} {expected:?}");
}

#[test]
fn lines_and_json_become_vectors() {
    let (model, expected) = (model("bert-mean"), expected("bert-mean"));
    let vectors = &expected["runs"][0]["vectors"];
    let found = lines(&["encode", "--model", &model], "A small test of words.\n\na\n");
    assert_eq!(found.len(), 3);
    found.iter().enumerate().for_each(|(i, row)| same(row, &vectors[i]));

    let short = ["encode", "--model", &model, "--json-key", "t", "--truncate-dim", "8", "--normalize", "-"];
    let found = lines(&short, "{\"t\": \"A small test of words.\"}\n{\"t\": \"\"}\n");
    found.iter().enumerate().for_each(|(i, row)| same(row, &expected["runs"][2]["vectors"][i]));
}

#[test]
fn prompts_and_bits() {
    let (model, expected) = (model("bert-prompts"), expected("bert-prompts"));
    let found = lines(&["encode", "--model", &model, "--role", "query"], "A small test of words.\n");
    same(&found[0], &expected["runs"][4]["vectors"][0]);
    let bits = lines(&["encode", "--model", &model, "--precision", "ubinary"], "A small test of words.\n");
    same(&bits[0], &expected["quantized"]["ubinary"][0]);
}

#[test]
fn a_matrix_is_written_for_numpy() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in.txt"), dir.path().join("out.npy"));
    std::fs::write(&input, "A small test of words.\n\na\n").unwrap();
    let out =
        run(&["encode", "--model", &model("bert-mean"), input.to_str().unwrap(), "-o", output.to_str().unwrap()], "");
    assert!(out.status.success() && out.stdout.is_empty(), "{}", text(&out.stderr));
    let bytes = std::fs::read(&output).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00") && header.is_multiple_of(64) && bytes[header - 1] == b'\n');
    assert!(text(&bytes[10..header]).contains("'descr': '<f4', 'fortran_order': False, 'shape': (3, 16)"));
    let first = f32::from_le_bytes(bytes[header..header + 4].try_into().unwrap());
    same(&[f64::from(first)], &serde_json::json!([expected("bert-mean")["runs"][0]["vectors"][0][0]]));
    assert_eq!(bytes.len(), header + 3 * 16 * 4);
}

#[test]
fn the_most_alike_comes_first() {
    let model = model("bert-mean");
    let out = run(&["similarity", "--model", &model, "the cat and the dog", "a", "dog the and cat the"], "");
    let out = text(&out.stdout);
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines.len() == 2 && lines[0].ends_with("\tdog the and cat the") && lines[1].ends_with("\ta"), "{out}");
}

#[track_caller]
fn check_error(args: &[&str], input: &str, parts: &[&str]) {
    let out = run(args, input);
    let error = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{error}");
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn errors_name_the_file_and_the_line() {
    let model = model("bert-mean");
    check_error(&["encode", "--model", "nowhere"], "a\n", &["`nowhere`", "neither an existing folder"]);
    check_error(&["encode", "--model", &model, "no.txt"], "", &["no.txt"]);
    check_error(&["encode", "--model", &model, "--json-key", "t"], "{\"t\": \"a\"}\n{\"u\": 1}\n", &["line 2", "`t`"]);
    check_error(&["encode", "--model", &model, "--precision", "int8"], "a\n", &["two or more"]);
    check_error(&["encode", "--model", &model, "--prompt-name", "query"], "a\n", &["`query`"]);
}

#[test]
fn bytes_that_are_no_text_are_named() {
    let (model, dir) = (model("bert-mean"), tempfile::tempdir().unwrap());
    let input = b"the cat\n\xff\xfe\n";
    let out = run_bytes(&["encode", "--model", &model], input);
    assert_eq!((out.status.code(), text(&out.stdout).lines().count()), (Some(2), 1));
    assert!(text(&out.stderr).contains("-, line 2") && text(&out.stderr).contains("UTF-8"), "{}", text(&out.stderr));
    let file = dir.path().join("texts.txt");
    std::fs::write(&file, input).unwrap();
    check_error(&["encode", "--model", &model, file.to_str().unwrap()], "", &["texts.txt, line 2", "UTF-8"]);
    check_error(&["encode", "--model", file.to_str().unwrap()], "", &["texts.txt", "not a folder"]);
}

#[test]
fn a_vector_for_each_token() {
    let model = model("late-stanford");
    let expected = format!("{model}/late.json");
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(expected).unwrap()).unwrap();
    let input = "the cat, and the dog.\n\na\n";
    let out = run(&["encode", "--model", &model, "--role", "document"], input);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let found: Vec<Vec<Vec<f64>>> = text(&out.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (i, matrix) in found.iter().enumerate() {
        let rows = expected["runs"][1]["vectors"][i].as_array().unwrap();
        assert_eq!(matrix.len(), rows.len());
        matrix.iter().zip(rows).for_each(|(row, expected)| same(row, expected));
    }
    let dir = tempfile::tempdir().unwrap();
    let (output, lengths) = (dir.path().join("out.npy"), dir.path().join("out.lengths.npy"));
    let out = run(&["encode", "--model", &model, "--role", "document", "-o", output.to_str().unwrap()], input);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let (rows, lengths) = (std::fs::read(output).unwrap(), std::fs::read(lengths).unwrap());
    let count: usize = found.iter().map(Vec::len).sum();
    let shape = |bytes: &[u8], shape: &str| text(&bytes[10..128]).contains(&format!("'shape': {shape}, }}"));
    assert!(shape(&rows, &format!("({count}, 8)")) && rows.len() == 128 + count * 8 * 4);
    assert!(shape(&lengths, "(3,)") && text(&lengths[10..128]).contains("'<i8'"));
    let numbers: Vec<u64> = lengths[128..].as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect();
    assert_eq!(numbers, found.iter().map(|matrix| matrix.len() as u64).collect::<Vec<_>>());
    check_error(&["encode", "--model", &model, "--precision", "int8"], "a\n", &["--precision"]);
    check_error(&["similarity", "--model", &model, "a", "b"], "", &["late-stanford", "MultiVector"]);
}

/// The lines that a search prints, as JSON, and what it says beside them.
#[track_caller]
fn search(dir: &Path, cache: &Path, query: &str) -> (Vec<Value>, String) {
    let [dir, cache] = [dir, cache].map(|path| path.to_str().unwrap());
    let model = model("bert-mean");
    let out = run(&["search", "--model", &model, dir, "-q", query, "--cache", cache, "--json", "-k", "3"], "");
    assert!(out.status.success(), "{}", text(&out.stderr));
    (text(&out.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect(), text(&out.stderr))
}

/// The best passage should be this one, the very words of the query.
#[track_caller]
fn found(lines: &[Value], path: &Path, line: u64, text: &str) {
    let first = &lines[0];
    assert_eq!((&first["path"], &first["line"]), (&path.to_str().unwrap().into(), &line.into()), "{lines:?}");
    assert!(first["text"] == text && (first["score"].as_f64().unwrap() - 1.0).abs() < 1e-5, "{lines:?}");
}

#[test]
fn a_folder_is_searched_and_remembered() {
    let (dir, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| dir.path().join(name);
    let long = "the dog sat on a mat in the sun and the rain all day";
    std::fs::create_dir(at("below")).unwrap();
    std::fs::write(at("a.txt"), format!("{long}\n{long}\n\nthe cat and a mat\n\n{long}\n{long}\n")).unwrap();
    std::fs::write(at("below/page.html"), "<p>\n<b>rain</b>\nall &amp; day</p>\n").unwrap();
    std::fs::write(at("bytes.bin"), b"cat\0cat").unwrap();
    std::fs::write(at("latin.txt"), b"caf\xe9").unwrap();
    std::fs::write(at(".hidden.txt"), "the cat and a dog").unwrap();
    let ask = |query: &str| search(dir.path(), cache.path(), query);

    let (lines, beside) = ask("rain all & day");
    assert!(lines.len() == 3 && beside.contains("2 of 4 files are no text"), "{lines:?} {beside}");
    found(&lines, &at("below/page.html"), 2, "rain all & day");
    let scores: Vec<f64> = lines.iter().map(|line| line["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert_eq!(ask("rain all & day").0, lines);

    // A file that looks as before is not read again.
    let time = std::fs::metadata(at("below/page.html")).unwrap().modified().unwrap();
    std::fs::write(at("below/page.html"), "<p>\n<b>cats</b>\nall &amp; day</p>\n").unwrap();
    std::fs::File::options().append(true).open(at("below/page.html")).unwrap().set_modified(time).unwrap();
    assert_eq!(ask("rain all & day").0, lines);

    // One that does not is.
    std::fs::write(at("new.md"), "\n\nthe cat sat on the cat\n").unwrap();
    std::fs::remove_file(at("below/page.html")).unwrap();
    let (lines, _) = ask("the cat sat on the cat");
    found(&lines, &at("new.md"), 3, "the cat sat on the cat");
    assert!(lines.iter().all(|line| line["path"] != at("below/page.html").to_str().unwrap()), "{lines:?}");

    // What was kept may be broken.
    let kept = std::fs::read_dir(cache.path()).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&kept).unwrap();
    for length in [4, 20, bytes.len() - 3] {
        std::fs::write(&kept, &bytes[..length]).unwrap();
        found(&ask("the cat sat on the cat").0, &at("new.md"), 3, "the cat sat on the cat");
    }
    assert_eq!(std::fs::read(&kept).unwrap().len(), bytes.len());
}

#[test]
fn a_folder_without_texts_has_no_passages() {
    let (dir, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(search(dir.path(), cache.path(), "a").0.is_empty());
    check_error(&["search", "--model", &model("bert-mean"), "nowhere", "-q", "a"], "", &["nowhere", "cannot be read"]);
}

#[cfg(feature = "serve")]
#[test]
fn a_server_ends_with_a_signal() {
    use std::io::{BufRead, BufReader, Read};
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlx-embed"));
    let mut child =
        command.args(["serve", "--port", "0", "--model", &model("bert-mean")]).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit("http://").next().unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap_or_else(|e| panic!("{line}: {e}"));
    stream.write_all(b"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"bert-mean\""), "{answer}");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}
