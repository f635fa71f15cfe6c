//! What comes back is what the library gives.

use super::client::{get, metric, post};
use super::{anywhere, case, serve};
use mlx_embed::serve::Server;
use mlx_embed::{EncodeOptions, LoadOptions, Overlong, Prompt, Reranker, ScoreOptions, Similarity, load};
use mlx_tests::max_difference;
use serde_json::{Value, json};

const TEXTS: [&str; 5] = ["the cat and the dog", "", "a", "the dog sat on a mat in the sun and the rain", "MIXED Case"];

fn numbers(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The vectors of OpenAI's answer, one after the other.
#[track_caller]
fn data(answer: &Value) -> Vec<f32> {
    let data = answer["data"].as_array().unwrap();
    let vector = |(i, entry): (usize, &Value)| {
        assert_eq!((&entry["index"], &entry["object"]), (&json!(i), &json!("embedding")));
        numbers(&entry["embedding"])
    };
    data.iter().enumerate().flat_map(vector).collect()
}

#[track_caller]
fn near(found: &[f32], expected: &[f32]) {
    let difference = max_difference(found, expected);
    assert!(difference < 1e-6, "{difference:e}");
}

/// A decoder of its own, to check the server's encoder.
fn bytes(base64: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |c: &u8| alphabet.iter().position(|d| d == c).unwrap() as u32;
    let chunk = |chunk: &[u8]| {
        let kept = chunk.iter().take_while(|&&c| c != b'=').count();
        let all = chunk[..kept].iter().fold(0, |all, c| all << 6 | digit(c)) << (6 * (4 - kept));
        all.to_be_bytes()[1..kept].to_vec()
    };
    base64.as_bytes().chunks(4).flat_map(chunk).collect()
}

#[test]
fn openais_vectors_are_the_librarys() {
    let (server, model) = (serve("bert-bare", &anywhere()), load(case("bert-bare")).unwrap());
    let ask = |body: Value| post(server.address(), "/v1/embeddings", &body).good();
    let unit = EncodeOptions { normalize: true, ..EncodeOptions::default() };
    let expected = model.encode(&TEXTS, &unit).unwrap();
    let answer = ask(json!({ "input": TEXTS, "model": "any", "user": "someone" }));
    near(&data(&answer), expected.values());
    let ids: Vec<Vec<u32>> = TEXTS.iter().map(|text| model.tokenizer().encode(text, true).unwrap()).collect();
    let count = ids.iter().map(Vec::len).sum::<usize>();
    assert_eq!(answer["usage"], json!({ "prompt_tokens": count, "total_tokens": count }));
    assert_eq!((&answer["object"], &answer["model"]), (&json!("list"), &json!("bert-bare")));

    near(&data(&ask(json!({ "input": ids }))), expected.values());
    near(&data(&ask(json!({ "input": ids[0] }))), expected.row(0));
    near(&data(&ask(json!({ "input": TEXTS[3], "encoding_format": "float" }))), expected.row(3));
    let short = EncodeOptions { truncate_dim: Some(5), ..unit };
    near(&data(&ask(json!({ "input": TEXTS, "dimensions": 5 }))), model.encode(&TEXTS, &short).unwrap().values());

    let models = get(server.address(), "/v1/models").good();
    assert_eq!(models["data"][0]["id"], "bert-bare");
}

#[test]
fn base64_holds_the_same_floats() {
    let server = serve("bert-mean", &anywhere());
    let ask = |format: &str| {
        let body = json!({ "input": TEXTS, "encoding_format": format });
        post(server.address(), "/v1/embeddings", &body).good()
    };
    let (floats, packed) = (ask("float"), ask("base64"));
    for i in 0..TEXTS.len() {
        let floats = numbers(&floats["data"][i]["embedding"]);
        let bytes = bytes(packed["data"][i]["embedding"].as_str().unwrap());
        // To the bit: the decimal numbers lose nothing.
        assert_eq!(bytes, floats.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>(), "text {i}");
    }
}

#[test]
fn the_other_interface_has_prompts_and_limits() {
    let (server, model) = (serve("bert-prompts", &anywhere()), load(case("bert-prompts")).unwrap());
    let ask = |body: Value| {
        let rows: Vec<Vec<f32>> = serde_json::from_value(post(server.address(), "/embed", &body).good()).unwrap();
        rows.concat()
    };
    let of = |options: &EncodeOptions| model.encode(&TEXTS, options).unwrap().values().to_vec();
    let default = EncodeOptions::default;
    near(&ask(json!({ "inputs": TEXTS, "normalize": false })), &of(&default()));
    near(&ask(json!({ "inputs": TEXTS })), &of(&EncodeOptions { normalize: true, ..default() }));
    let named = EncodeOptions { prompt: Prompt::Named("query".into()), truncate_dim: Some(3), ..default() };
    let body = json!({ "inputs": TEXTS, "normalize": false, "prompt_name": "query", "dimensions": 3 });
    near(&ask(body), &of(&named));

    let long = ["the cat ".repeat(10), "sat on a mat ".repeat(10)].concat();
    let mut found = Vec::new();
    for (direction, overlong) in [("Left", Overlong::TruncateStart), ("right", Overlong::Truncate)] {
        let expected = model.encode(&[&long], &EncodeOptions { overlong, normalize: true, ..default() }).unwrap();
        found.push(ask(json!({ "inputs": long, "truncate": true, "truncation_direction": direction })));
        near(&found[found.len() - 1], expected.values());
    }
    assert!(max_difference(&found[0], &found[1]) > 1e-3, "both ends were cut alike");
}

#[test]
fn sentences_tokens_and_the_model_are_told_of() {
    let (server, model) = (serve("bert-mean", &anywhere()), load(case("bert-mean")).unwrap());
    let body = json!({ "inputs": { "source_sentence": TEXTS[0], "sentences": &TEXTS[1..] } });
    let found = numbers(&post(server.address(), "/similarity", &body).good());
    let vectors = |texts: &[&str]| model.encode(texts, &EncodeOptions::default()).unwrap();
    near(&found, &Similarity::Cosine.between(&vectors(&TEXTS[..1]), &vectors(&TEXTS[1..])).unwrap());

    let tokens = post(server.address(), "/tokenize", &json!({ "inputs": ["é the cats"] })).good();
    let ids: Vec<u64> = tokens[0].as_array().unwrap().iter().map(|token| token["id"].as_u64().unwrap()).collect();
    let expected = model.tokenizer().encode("é the cats", true).unwrap();
    assert_eq!(ids, expected.iter().map(|&id| u64::from(id)).collect::<Vec<_>>());
    assert_eq!(tokens[0][0], json!({ "id": 1, "text": "[CLS]", "special": true, "start": null, "stop": null }));
    let the = tokens[0].as_array().unwrap().iter().find(|token| token["text"] == "the").unwrap();
    assert_eq!((&the["start"], &the["stop"]), (&json!(2), &json!(5)));
    let bare = json!({ "inputs": "the cat", "add_special_tokens": false });
    assert_eq!(post(server.address(), "/tokenize", &bare).good()[0].as_array().unwrap().len(), 2);

    let info = get(server.address(), "/info").good();
    assert_eq!((&info["model_id"], &info["max_input_length"]), (&json!("bert-mean"), &json!(24)));
    assert_eq!(info["model_type"]["embedding"]["dimensions"], 16);
    assert_eq!(get(server.address(), "/health").status, 200);
}

#[test]
fn many_clients_at_once_get_their_own_vectors() {
    let (server, model) = (serve("bert-mean", &anywhere()), load(case("bert-mean")).unwrap());
    let words = ["the", "cat", "dog", "sat", "on", "a", "mat", "rain"];
    let text = |i: usize| (0..1 + i % 7).map(|k| words[(i * 5 + k * 3) % words.len()]).collect::<Vec<_>>().join(" ");
    let (clients, each) = (12, 8);
    let texts: Vec<String> = (0..clients * each).map(text).collect();
    let expected = model.encode(&texts, &EncodeOptions::default()).unwrap();
    let address = server.address();
    std::thread::scope(|scope| {
        for client in 0..clients {
            let (texts, expected) = (&texts, &expected);
            scope.spawn(move || {
                for i in client * each..(client + 1) * each {
                    // Some ask for several texts, which start at their own.
                    let several = &texts[i..texts.len().min(i + 1 + i % 3)];
                    let found = data(&post(address, "/v1/embeddings", &json!({ "input": several })).good());
                    let difference = max_difference(&found, &expected.values()[i * 16..(i + several.len()) * 16]);
                    assert!(difference < 1e-5, "text {i}: {difference:e}");
                }
            });
        }
    });
    let asked: usize = (0..texts.len()).map(|i| (texts.len() - i).min(1 + i % 3)).sum();
    assert_eq!(metric(address, "mlx_embed_items_total"), asked as f64);
    assert_eq!(metric(address, "mlx_embed_queue_size"), 0.0);
    let count = "mlx_embed_requests_total{path=\"/v1/embeddings\",status=\"200\"}";
    assert_eq!(metric(address, count), texts.len() as f64);
    server.stop().unwrap();
}

#[test]
fn a_reranker_answers_as_the_library_does() {
    let dir = case("rerank-bert");
    assert!(Reranker::is_at(&dir).unwrap() && !Reranker::is_at(&case("bert-mean")).unwrap());
    let texts = ["a dog", "cats and dogs", "the bear is a mammal"];
    let model = Reranker::load(&dir, LoadOptions::default()).unwrap();
    let want = model.rank("a cat", &texts, None, &ScoreOptions::default()).unwrap();
    let load = move || Reranker::load(dir, LoadOptions::default())?.scorer();
    let server = Server::reranker("ranks", load, &anywhere()).unwrap();
    let answer = post(server.address(), "/rerank", &json!({ "query": "a cat", "texts": texts })).good();
    for (found, want) in answer.as_array().unwrap().iter().zip(&want) {
        assert_eq!(found["index"], want.index);
        near(&[found["score"].as_f64().unwrap() as f32], &[want.score]);
    }
    assert_eq!(answer.as_array().unwrap().len(), 3);
}
