//! The least of an HTTP client.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// An answer.
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The body of an answer that should be good.
    #[track_caller]
    pub fn good(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }
}

/// Sends a request; `header` is whole lines.
pub fn start(address: SocketAddr, method: &str, path: &str, header: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n{header}\r\n"
    );
    stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).unwrap();
    stream
}

/// Waits for the answer.
#[track_caller]
pub fn finish(mut stream: TcpStream) -> Answer {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{head}"));
    Answer { status, text: body.to_owned() }
}

#[track_caller]
pub fn post(address: SocketAddr, path: &str, body: &Value) -> Answer {
    finish(start(address, "POST", path, "", &body.to_string()))
}

#[track_caller]
pub fn get(address: SocketAddr, path: &str) -> Answer {
    finish(start(address, "GET", path, "", ""))
}

/// A line of /metrics.
#[track_caller]
pub fn metric(address: SocketAddr, name: &str) -> f64 {
    let page = get(address, "/metrics").text;
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("{name} is not in {page}"))
}
