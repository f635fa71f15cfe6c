//! Models by hub id: from a cache that is complete without a network, else from the hub, which a server here stands in for.
#![cfg(all(feature = "cli", feature = "hub"))]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where nothing answers.
const NOWHERE: &str = "http://127.0.0.1:9";

fn fixture(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/embed").join(case)
}

/// The files below a folder, by their names relative to it.
fn files(dir: &Path, below: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() { names.extend(files(&path, &format!("{name}/"))) } else { names.push(name) }
    }
    names
}

fn encode(home: &Path, endpoint: &str, extra: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlx-embed"));
    command.env("HF_HOME", home).env("HF_ENDPOINT", endpoint).env_remove("HF_HUB_OFFLINE");
    command.args(["similarity", "--model", "somebody/tiny", "--role", "query", "the cat", "a dog"]);
    command.args(extra).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Answers one request for the list of files or for one of them, as the hub does.
fn answer(stream: &mut TcpStream, dir: &Path) -> Option<String> {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next()?.unwrap();
    let path = request.split(' ').nth(1)?.to_owned();
    let mut range = (0, usize::MAX);
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(bytes) = line.to_lowercase().strip_prefix("range: bytes=") {
            let (from, to) = bytes.split_once('-')?;
            range = (from.parse().ok()?, to.parse().unwrap_or(usize::MAX));
        }
    }
    let (name, body) = match path.split_once("/resolve/main/") {
        Some((_, name)) => (name.to_owned(), std::fs::read(dir.join(name)).unwrap()),
        None => {
            let names: Vec<_> = files(dir, "").iter().map(|name| serde_json::json!({ "rfilename": name })).collect();
            (String::new(), serde_json::json!({ "siblings": names, "sha": "0123abcd" }).to_string().into_bytes())
        }
    };
    let (size, end) = (body.len(), body.len().min(range.1.saturating_add(1)));
    let body = &body[range.0.min(end)..end];
    let head = format!(
        "HTTP/1.1 {}\r\netag: \"{}\"\r\nx-repo-commit: 0123abcd\r\ncontent-range: bytes {}-{end}/{size}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        if range.1 == usize::MAX && range.0 == 0 { "200 OK" } else { "206 Partial Content" },
        name.replace('/', "-"),
        range.0,
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).ok()?;
    Some(name)
}

/// What `act` gives beside a server of the files of `dir`, and the names that were asked for. It must not panic, for the
/// server would wait for ever.
fn serve<T>(dir: &Path, act: impl FnOnce(&str) -> T) -> (T, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let mut names = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                match answer(&mut stream, dir) {
                    Some(name) => names.push(name),
                    None => return names,
                }
            }
            names
        });
        let given = act(&format!("http://{address}"));
        // A request without a line ends the server.
        TcpStream::connect(address).unwrap().shutdown(std::net::Shutdown::Both).unwrap();
        let mut names = server.join().unwrap();
        names.sort();
        names.dedup();
        (given, names)
    })
}

#[test]
fn what_modules_name_is_downloaded_once() {
    let (home, repo) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let add = |name: &str, bytes: &[u8]| {
        let path = repo.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for name in files(&fixture("router"), "") {
        add(&name, &std::fs::read(fixture("router").join(&name)).unwrap());
    }
    add("README.md", b"no");
    add("onnx/model.onnx", b"no");
    add("onnx/config.json", b"no");
    let (out, asked) = serve(repo.path(), |endpoint| encode(home.path(), endpoint, &[]));
    assert!(out.status.success(), "{}", text(&out.stderr));
    let again = encode(home.path(), NOWHERE, &["--offline"]);
    assert_eq!(text(&again.stdout), text(&out.stdout));
    assert!(asked.contains(&"document_0_Transformer/model.safetensors".to_owned()), "{asked:?}");
    assert!(asked.contains(&"query_0_StaticEmbedding/tokenizer.json".to_owned()), "{asked:?}");
    assert!(!asked.iter().any(|name| name.contains("onnx") || name.ends_with(".md")), "{asked:?}");
}

#[test]
fn a_cache_without_one_of_the_modules_is_not_complete() {
    let home = tempfile::tempdir().unwrap();
    let repo = home.path().join("hub/models--somebody--tiny");
    let snapshot = repo.join("snapshots/0123abcd");
    std::fs::create_dir_all(repo.join("refs")).unwrap();
    std::fs::write(repo.join("refs/main"), "0123abcd").unwrap();
    for name in files(&fixture("router"), "") {
        let path = snapshot.join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(fixture("router").join(&name), path).unwrap();
    }
    let out = encode(home.path(), NOWHERE, &[]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    for file in ["document_1_Pooling/config.json", "query_0_StaticEmbedding/model.safetensors"] {
        let kept = std::fs::read(snapshot.join(file)).unwrap();
        std::fs::remove_file(snapshot.join(file)).unwrap();
        let out = encode(home.path(), NOWHERE, &["--offline"]);
        assert_eq!(out.status.code(), Some(2));
        assert!(text(&out.stderr).contains("`somebody/tiny` (main) is not in the cache"), "{}", text(&out.stderr));
        std::fs::write(snapshot.join(file), kept).unwrap();
    }
    let other = encode(home.path(), NOWHERE, &["--offline", "--revision", "v2"]);
    assert!(text(&other.stderr).contains("(v2) is not in the cache"), "{}", text(&other.stderr));
}
