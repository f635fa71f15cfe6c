//! What is wrong is said, in the words of either interface.

use super::client::{finish, get, post, start};
use super::{anywhere, case, serve};
use mlx_embed::load;
use mlx_embed::serve::{ServeOptions, Server};
use serde_json::{Value, json};

#[test]
fn what_is_wrong_is_named() {
    let options = ServeOptions { max_texts: 4, max_body_bytes: 2000, ..anywhere() };
    let server = serve("bert-mean", &options);
    let long = "the cat ".repeat(50);
    for (path, body, status, part) in [
        ("/v1/embeddings", "{\"input\": ", 400, "JSON"),
        ("/v1/embeddings", "{}", 400, "`input`"),
        ("/v1/embeddings", r#"{"input": ["a", {}]}"#, 400, "`input[1]` is an object"),
        ("/v1/embeddings", r#"{"input": []}"#, 400, "`input` is empty"),
        ("/v1/embeddings", r#"{"input": [1, 999]}"#, 400, "Text 0 has the id 999"),
        ("/v1/embeddings", r#"{"input": [[5], []]}"#, 400, "Text 1 has no token"),
        ("/v1/embeddings", r#"{"input": "a", "dimensions": 17}"#, 400, "17"),
        ("/v1/embeddings", r#"{"input": "a", "dimensions": 0}"#, 400, "`dimensions`"),
        ("/v1/embeddings", r#"{"input": "a", "dimensions": -1}"#, 400, "-1"),
        ("/v1/embeddings", r#"{"input": "a", "encoding_format": "hex"}"#, 400, "`hex`"),
        ("/v1/embeddings", r#"{"input": "a", "prompt_name": "query"}"#, 400, "`query`"),
        ("/v1/embeddings", r#"{"input": ["a", "a", "a", "a", "a"]}"#, 413, "may have 4"),
        ("/v1/rerank", r#"{"query": "a", "documents": ["a"]}"#, 424, "no reranker"),
        ("/v1/nothing", "{}", 404, "nothing"),
        ("/embed", r#"{"inputs": []}"#, 400, "`inputs` is empty"),
        ("/embed", r#"{"inputs": "a", "dimensions": 17}"#, 422, "17"),
        ("/embed", r#"{"inputs": "a", "truncation_direction": "up"}"#, 422, "up"),
        ("/embed", &format!(r#"{{"inputs": ["a", "{long}"], "truncate": false}}"#), 422, "Text 1 has 102 tokens"),
        ("/embed", r#"{"inputs": ["a", "a", "a", "a", "a"]}"#, 413, "may have 4"),
        ("/embed", &format!(r#"{{"inputs": "{}"}}"#, "a".repeat(3000)), 413, "body"),
        ("/similarity", r#"{"inputs": {"source_sentence": "a", "sentences": []}}"#, 400, "sentences"),
        ("/rerank", r#"{"query": "a", "texts": ["a"]}"#, 424, "no reranker"),
        ("/tokenize", r#"{"inputs": [1]}"#, 422, "ids"),
        ("/info", "", 405, "method"),
    ] {
        let answer = finish(start(server.address(), "POST", path, "", body));
        let json = answer.json();
        let (message, known) = match path.starts_with("/v1/") {
            true => (&json["error"]["message"], json["error"]["type"].is_string()),
            false => (&json["error"], json["error_type"].is_string()),
        };
        let message = message.as_str().unwrap_or_else(|| panic!("{path}: {}", answer.text));
        assert!(answer.status == status && message.contains(part) && known, "{path} {body}: {} {json}", answer.status);
    }
    // After all that it answers.
    post(server.address(), "/embed", &json!({ "inputs": "a" })).good();
    let field = post(server.address(), "/v1/embeddings", &json!({ "input": "a", "dimensions": 17 })).json();
    assert_eq!(field["error"]["param"], "dimensions");
}

#[test]
fn long_texts_are_refused_where_the_server_is_told_to() {
    let options = ServeOptions { overlong: mlx_embed::Overlong::Refuse, ..anywhere() };
    let server = serve("bert-mean", &options);
    let long = "the cat ".repeat(50);
    let answer = post(server.address(), "/v1/embeddings", &json!({ "input": long }));
    assert!(answer.status == 400 && answer.text.contains("Text 0 has 102 tokens"), "{}", answer.text);
    post(server.address(), "/embed", &json!({ "inputs": long, "truncate": true })).good();
}

#[test]
fn a_key_is_asked_for() {
    let server = serve("bert-mean", &ServeOptions { api_key: Some("secret".into()), ..anywhere() });
    let ask = |header: &str| finish(start(server.address(), "GET", "/v1/models", header, "")).status;
    assert_eq!(ask(""), 401);
    assert_eq!(ask("Authorization: Bearer secreT\r\n"), 401);
    assert_eq!(ask("Authorization: Bearer secret2\r\n"), 401);
    assert_eq!(ask("Authorization: Bearer secret\r\n"), 200);
    assert_eq!(get(server.address(), "/health").status, 200);
}

/// A copy of a model in which the word `cat` is no number.
fn spoiled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(case("bert-bare")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    let path = dir.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let tensors: Value = serde_json::from_slice(&bytes[8..header]).unwrap();
    let (_, table) = tensors.as_object().unwrap().iter().find(|(name, _)| name.contains("word_embeddings")).unwrap();
    let start = header + table["data_offsets"][0].as_u64().unwrap() as usize;
    let row = 4 * table["shape"][1].as_u64().unwrap() as usize;
    let cat = load(case("bert-bare")).unwrap().tokenizer().id("cat").unwrap() as usize;
    bytes[start + cat * row..start + (cat + 1) * row].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    dir
}

#[test]
fn a_vector_that_is_no_number_is_an_error_for_its_request_alone() {
    let dir = spoiled();
    let path = dir.path().to_owned();
    let server = Server::embedder("spoiled", move || load(path), &anywhere()).unwrap();
    let address = server.address();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                let answer = post(address, "/v1/embeddings", &json!({ "input": ["a dog", "a", "the cat"] }));
                assert!(answer.status == 500 && answer.text.contains("text 2 is not finite"), "{}", answer.text);
            });
            scope.spawn(move || post(address, "/embed", &json!({ "inputs": ["a dog", "a"] })).good());
        }
    });
    let answer = post(address, "/embed", &json!({ "inputs": ["the cat"] }));
    assert!(answer.status == 500 && answer.json()["error_type"] == "Backend", "{}", answer.text);
}

#[test]
fn a_server_without_model_or_port_does_not_start() {
    let failed = |options: &ServeOptions, dir: &str| {
        let dir = dir.to_owned();
        Server::embedder("none", move || load(dir), options).err().unwrap().to_string()
    };
    let error = failed(&anywhere(), "nowhere");
    assert!(error.contains("nowhere") && error.contains("existing folder"), "{error}");
    let server = serve("bert-mean", &anywhere());
    let port = server.address().port();
    let error = failed(&ServeOptions { port, ..anywhere() }, "nowhere");
    assert!(error.contains(&port.to_string()) && error.contains("listened"), "{error}");
}
