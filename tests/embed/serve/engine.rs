//! Requests that wait for each other, shown with a scorer that waits until it is told to go on.

use super::anywhere;
use super::client::{finish, get, metric, post, start};
use mlx_embed::serve::{Score, ServeOptions, Server};
use mlx_embed::{Error, Result};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long to wait for what should come at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the scorer has seen, and how many batches it may yet take.
#[derive(Default)]
struct Scorer {
    batches: Mutex<Vec<Vec<String>>>,
    allowed: Mutex<usize>,
    changed: Condvar,
}

impl Scorer {
    /// How many of the query's words a text has, once it may.
    fn score(&self, pairs: &[(&str, &str)]) -> Result<Vec<Score>> {
        self.batches.lock().unwrap().push(pairs.iter().map(|(_, text)| (*text).to_owned()).collect());
        // A test that has failed leaves nobody to allow it.
        let (mut allowed, waited) =
            self.changed.wait_timeout_while(self.allowed.lock().unwrap(), PATIENCE, |allowed| *allowed == 0).unwrap();
        if waited.timed_out() {
            return Err(Error::msg("Nobody allows this batch."));
        }
        *allowed -= 1;
        drop(allowed);
        if pairs.iter().any(|(_, text)| *text == "panic") {
            panic!("as the test asks for");
        }
        if pairs.iter().any(|(_, text)| *text == "error") {
            return Err(Error::msg("As the test asks for."));
        }
        let score = |(query, text): &(&str, &str)| {
            let raw = match *text {
                "nan" => f32::NAN,
                text => text.split(' ').filter(|word| query.split(' ').any(|other| other == *word)).count() as f32,
            };
            Score { raw, activated: raw / (1.0 + raw) }
        };
        Ok(pairs.iter().map(score).collect())
    }

    fn allow(&self, batches: usize) {
        *self.allowed.lock().unwrap() += batches;
        self.changed.notify_all();
    }

    fn seen(&self) -> Vec<Vec<String>> {
        self.batches.lock().unwrap().clone()
    }
}

fn serve(options: &ServeOptions) -> (Server, Arc<Scorer>) {
    let scorer = Arc::new(Scorer::default());
    let theirs = Arc::clone(&scorer);
    let load = move || Ok(move |pairs: &[(&str, &str)]| theirs.score(pairs));
    (Server::reranker("overlap", load, options).unwrap(), scorer)
}

#[track_caller]
fn until(what: &str, met: impl Fn() -> bool) {
    let start = Instant::now();
    while !met() {
        assert!(start.elapsed() < PATIENCE, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ask(address: SocketAddr, texts: &[&str]) -> std::net::TcpStream {
    start(address, "POST", "/rerank", "", &json!({ "query": "a b", "texts": texts }).to_string())
}

/// Starts a request and waits until the scorer has it.
fn first(address: SocketAddr, scorer: &Scorer) -> std::net::TcpStream {
    let stream = ask(address, &["first"]);
    until("the first batch", || scorer.seen().len() == 1);
    stream
}

#[test]
fn pairs_are_ranked_in_both_forms() {
    let (server, scorer) = serve(&anywhere());
    scorer.allow(100);
    let body = json!({ "query": "a b c", "texts": ["x", "a b", "c"], "return_text": true });
    let expected = json!([
        { "index": 1, "text": "a b", "score": 2f32 / 3.0 },
        { "index": 2, "text": "c", "score": 0.5 },
        { "index": 0, "text": "x", "score": 0.0 },
    ]);
    let near = |found: &serde_json::Value, expected: &serde_json::Value| {
        (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs() < 1e-6
    };
    let found = post(server.address(), "/rerank", &body).good();
    for (found, expected) in found.as_array().unwrap().iter().zip(expected.as_array().unwrap()) {
        assert_eq!((&found["index"], &found["text"]), (&expected["index"], &expected["text"]));
        assert!(near(&found["score"], &expected["score"]), "{found}");
    }
    let raw = json!({ "query": "a b c", "texts": ["x", "a b"], "raw_scores": true });
    let raw = post(server.address(), "/rerank", &raw).good();
    assert_eq!(raw, json!([{ "index": 1, "score": 2.0 }, { "index": 0, "score": 0.0 }]));

    let body = json!({
        "query": "a b c", "documents": ["x", { "text": "c" }, "a b"], "top_n": 2, "return_documents": true, "model": "m",
    });
    let found = post(server.address(), "/v1/rerank", &body).good();
    assert_eq!(found["results"].as_array().unwrap().len(), 2);
    assert_eq!(found["results"][1]["document"], json!({ "text": "c" }));
    assert_eq!(found["results"][1]["relevance_score"], 0.5);
    let wrong = post(server.address(), "/v1/rerank", &json!({ "query": "a", "documents": [1] }));
    assert!(wrong.status == 400 && wrong.text.contains("documents"), "{}", wrong.text);
    let other = post(server.address(), "/embed", &json!({ "inputs": "a" }));
    assert!(other.status == 424 && other.text.contains("reranker"), "{}", other.text);
}

#[test]
fn what_came_meanwhile_goes_together() {
    let (server, scorer) = serve(&anywhere());
    let address = server.address();
    let one = first(address, &scorer);
    let others: Vec<_> = ["a", "b", "c"].iter().map(|text| ask(address, &[text, "a b"])).collect();
    until("six texts in the queue", || metric(address, "mlx_embed_queue_size") == 6.0);
    scorer.allow(2);
    assert_eq!(finish(one).status, 200);
    for other in others {
        assert_eq!(finish(other).good().as_array().unwrap().len(), 2);
    }
    let seen = scorer.seen();
    assert!(seen.len() == 2 && seen[1].len() == 6, "{seen:?}");
}

#[test]
fn a_large_request_does_not_hold_up_a_small_one() {
    // A pair takes four tokens or more of the budget.
    let (server, scorer) = serve(&ServeOptions { max_batch_tokens: 16, ..anywhere() });
    let address = server.address();
    let one = first(address, &scorer);
    let large = ask(address, &["a"; 40]);
    until("the large request", || metric(address, "mlx_embed_queue_size") == 40.0);
    let small = ask(address, &["b"]);
    until("the small request", || metric(address, "mlx_embed_queue_size") == 41.0);
    scorer.allow(2);
    assert_eq!(finish(one).status, 200);
    assert_eq!(finish(small).status, 200);
    let seen = scorer.seen();
    assert!(seen[1].contains(&"b".to_owned()) && seen[1].len() == 4, "{seen:?}");
    scorer.allow(40);
    assert_eq!(finish(large).good().as_array().unwrap().len(), 40);
}

#[test]
fn a_full_server_says_so() {
    let (server, scorer) = serve(&ServeOptions { max_requests: 2, ..anywhere() });
    let address = server.address();
    let one = first(address, &scorer);
    let two = ask(address, &["a"]);
    until("both requests", || metric(address, "mlx_embed_queue_size") == 1.0);
    let refused = post(address, "/rerank", &json!({ "query": "a", "texts": ["a"] }));
    assert!(refused.status == 429 && refused.json()["error_type"] == "Overloaded", "{}", refused.text);
    assert_eq!(get(address, "/health").status, 200);
    scorer.allow(2);
    assert_eq!((finish(one).status, finish(two).status), (200, 200));
    assert_eq!(metric(address, "mlx_embed_requests_total{path=\"/rerank\",status=\"429\"}"), 1.0);
}

#[test]
fn the_work_of_a_client_that_went_away_is_dropped() {
    let (server, scorer) = serve(&anywhere());
    let address = server.address();
    let one = first(address, &scorer);
    let gone = ask(address, &["nobody waits for this"]);
    until("the second request", || metric(address, "mlx_embed_queue_size") == 1.0);
    drop(gone);
    until("its end", || metric(address, "mlx_embed_requests_open") == 1.0);
    let three = ask(address, &["third"]);
    scorer.allow(2);
    assert_eq!((finish(one).status, finish(three).status), (200, 200));
    assert_eq!(scorer.seen(), [["first"], ["third"]]);
}

#[test]
fn a_failure_is_its_requests_own() {
    let (server, scorer) = serve(&anywhere());
    let address = server.address();
    let one = first(address, &scorer);
    let [good, panics, fails, nan] =
        [["a", "b"], ["a", "panic"], ["error", "a"], ["a", "nan"]].map(|texts| ask(address, &texts));
    until("all texts in the queue", || metric(address, "mlx_embed_queue_size") == 8.0);
    scorer.allow(100);
    assert_eq!((finish(one).status, finish(good).status), (200, 200));
    for (stream, part) in
        [(panics, "panicked on input 1"), (fails, "As the test asks for"), (nan, "text 1 is not finite")]
    {
        let answer = finish(stream);
        assert!(answer.status == 500 && answer.text.contains(part), "{}", answer.text);
    }
    assert_eq!(post(address, "/rerank", &json!({ "query": "a", "texts": ["a"] })).status, 200);
}

#[test]
fn a_server_that_stops_answers_what_has_come() {
    let (server, scorer) = serve(&anywhere());
    let address = server.address();
    let one = first(address, &scorer);
    let two = ask(address, &["a"]);
    until("the second request", || metric(address, "mlx_embed_queue_size") == 1.0);
    let stopping = std::thread::spawn(move || server.stop());
    until("the end of new connections", || std::net::TcpStream::connect(address).is_err());
    scorer.allow(2);
    assert_eq!((finish(one).status, finish(two).status), (200, 200));
    stopping.join().unwrap().unwrap();
}
