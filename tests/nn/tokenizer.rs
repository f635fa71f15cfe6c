//! Tokenizers against ids and text from the Python packages, on a small vocabulary.

use std::path::Path;

use mlx_nn::gguf::Header;
use mlx_nn::tokenizer::Tokenizer;
use serde_json::{Value, json};

use super::gguf::{Writer, read};

const FIXTURE: &str = include_str!("../fixtures/tokenizer/small.json");

fn fixture(part: &str) -> Value {
    serde_json::from_str::<Value>(FIXTURE).unwrap()[part].clone()
}

fn list<T: serde::de::DeserializeOwned>(value: &Value) -> Vec<T> {
    serde_json::from_value(value.clone()).unwrap()
}

fn vocabulary(model: &str, part: &Value) -> Writer {
    Writer::default()
        .str("tokenizer.ggml.model", model)
        .strs("tokenizer.ggml.tokens", &list::<String>(&part["tokens"]))
        .i32s("tokenizer.ggml.token_type", &list::<i32>(&part["types"]))
}

fn byte_level(pre: &str) -> Writer {
    let part = fixture("byte_level");
    vocabulary("gpt2", &part)
        .str("tokenizer.ggml.pre", pre)
        .strs("tokenizer.ggml.merges", &list::<String>(&part["merges"]))
}

fn sentence_piece() -> Writer {
    let part = fixture("sentence_piece");
    vocabulary("llama", &part).f32s("tokenizer.ggml.scores", &list::<f32>(&part["scores"]))
}

fn load(writer: &Writer) -> mlx_nn::Result<Tokenizer> {
    let header: Header = read(&writer.bytes(3))?;
    Tokenizer::from_gguf(&header)
}

#[track_caller]
fn check_encode(tokenizer: &Tokenizer, texts: &Value, ids: &Value) {
    for (text, ids) in list::<String>(texts).iter().zip(list::<Vec<u32>>(ids)) {
        assert_eq!(tokenizer.encode(text, false).unwrap(), ids, "{text:?}");
    }
}

/// Decoding at once and piece by piece, with and without special tokens.
#[track_caller]
fn check_decode(tokenizer: &Tokenizer, cases: &Value) {
    for (ids, with, without) in list::<(Vec<u32>, String, String)>(cases) {
        assert_eq!(tokenizer.decode(&ids, false).unwrap(), with, "{ids:?}");
        assert_eq!(tokenizer.decode(&ids, true).unwrap(), without, "{ids:?}");
        for (mut stream, expected) in [(tokenizer.stream().keep_special(), with), (tokenizer.stream(), without)] {
            let mut text: String = ids.iter().map(|&id| stream.push(id).unwrap()).collect();
            text += &stream.finish().unwrap();
            assert_eq!(text, expected, "{ids:?}");
        }
    }
}

#[test]
fn byte_level_matches_python() {
    let part = fixture("byte_level");
    for (pre, ids) in part["ids"].as_object().unwrap() {
        let tokenizer = load(&byte_level(pre)).unwrap();
        check_encode(&tokenizer, &part["texts"], ids);
        check_decode(&tokenizer, &part["decode"]);
    }
}

#[test]
fn sentence_piece_matches_python() {
    let part = fixture("sentence_piece");
    for prefix in [true, false] {
        let tokenizer = load(&sentence_piece().bool("tokenizer.ggml.add_space_prefix", prefix)).unwrap();
        check_encode(&tokenizer, &part["texts"], &part["ids"][prefix.to_string()]);
        check_decode(&tokenizer, &part["decode"][prefix.to_string()]);
    }
}

#[test]
fn characters_come_out_whole_and_at_once() {
    let tokenizer = load(&byte_level("gpt-2")).unwrap();
    let mut stream = tokenizer.stream();
    let ids = tokenizer.encode("😀", false).unwrap();
    let pieces: Vec<String> = ids.iter().map(|&id| stream.push(id).unwrap()).collect();
    assert_eq!(pieces, ["", "", "", "😀"]);
    assert_eq!(stream.finish().unwrap(), "");
}

#[test]
fn gguf_special_tokens_have_roles() {
    let plain = load(&byte_level("gpt-2")).unwrap();
    assert_eq!((plain.bos(), plain.eos()), (None, [].as_slice()));
    let (start, end) = (plain.id("<|start|>").unwrap(), plain.id("<|end|>").unwrap());
    assert!(plain.is_special(end) && !plain.is_special(plain.id("<tool>").unwrap()));
    assert_eq!(plain.token(end).unwrap(), "<|end|>");
    assert_eq!(plain.vocab_size(), list::<String>(&fixture("byte_level")["tokens"]).len());

    let roles = |pre| {
        byte_level(pre)
            .u32("tokenizer.ggml.bos_token_id", start)
            .u32("tokenizer.ggml.eos_token_id", end)
            .u32("tokenizer.ggml.eot_token_id", start)
            .str("tokenizer.chat_template", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}")
    };
    let tokenizer = load(&roles("gpt-2").bool("tokenizer.ggml.add_eos_token", true)).unwrap();
    assert_eq!(tokenizer.eos(), [end, start]);
    assert_eq!(tokenizer.encode("", true).unwrap(), [end]);
    let tokenizer = load(&roles("llama-bpe")).unwrap();
    assert_eq!(tokenizer.encode("", true).unwrap(), [start]);
    let tokenizer = load(&roles("llama-bpe").bool("tokenizer.ggml.add_bos_token", false)).unwrap();
    assert!(tokenizer.encode("", true).unwrap().is_empty());
    let prompt = mlx_nn::chat::Prompt { messages: vec![mlx_nn::chat::Message::user("x")], ..Default::default() };
    let text = tokenizer.chat_template().unwrap().unwrap().render(&prompt).unwrap();
    assert_eq!(text, "<|start|>x<|end|>");

    let spm = load(&sentence_piece()).unwrap();
    assert_eq!((spm.bos(), spm.eos()), (Some(1), [2].as_slice()));
    assert_eq!(spm.encode("", true).unwrap(), [1]);
}

#[test]
fn bad_gguf_tokenizers_are_named() {
    let unknown = |key: &str, value: &str| Writer::default().str(key, value).strs("tokenizer.ggml.tokens", &["a"]);
    for (writer, expected) in [
        (Writer::default(), "lacks the metadata key \"tokenizer.ggml.tokens\""),
        (unknown("x", "y"), "lacks the metadata key \"tokenizer.ggml.model\""),
        (unknown("tokenizer.ggml.model", "t5"), "has the tokenizer model \"t5\", but gpt2 or llama is expected"),
        (unknown("tokenizer.ggml.model", "gpt2"), "lacks \"tokenizer.ggml.merges\""),
        (unknown("tokenizer.ggml.model", "llama"), "lacks the metadata key \"tokenizer.ggml.scores\""),
        (
            unknown("x", "y").i32s("tokenizer.ggml.token_type", &[1, 1]),
            "has 2 entries in \"tokenizer.ggml.token_type\"",
        ),
        (byte_level("martian"), "has the unknown pre-tokenizer \"martian\"; known are default, gpt-2"),
        (byte_level("gpt-2").u32("tokenizer.ggml.eos_token_id", 9999), "\"tokenizer.ggml.eos_token_id\" = 9999"),
        (Writer::default().strs("tokenizer.ggml.tokens", &["a", "a"]), "has the token \"a\" twice, as 0 and 1"),
        (
            unknown("tokenizer.ggml.model", "gpt2").strs("tokenizer.ggml.merges", &["ab"]),
            "has the merge \"ab\", but two parts are expected",
        ),
        (unknown("tokenizer.ggml.model", "gpt2").strs("tokenizer.ggml.merges", &["a b"]), "merges that do not fit"),
    ] {
        let error = load(&writer).err().expect(expected).to_string();
        assert!(error.contains("model.gguf") && error.contains(expected), "{error}");
    }
    let broken = load(&byte_level("gpt-2").str("tokenizer.chat_template", "{% if %}")).unwrap();
    let error = broken.chat_template().err().unwrap().to_string();
    assert!(
        error.contains("model.gguf has a chat template that cannot be used") && error.contains("line 1"),
        "{error}"
    );
}

/// A folder with the byte-level vocabulary and the given files.
fn folder(files: &[(&str, Value)]) -> tempfile::TempDir {
    let part = fixture("byte_level");
    let tokens = list::<String>(&part["tokens"]);
    let id = |token: &str| tokens.iter().position(|t| t == token).unwrap();
    let vocab: serde_json::Map<_, _> = tokens.iter().enumerate().map(|(i, t)| (t.clone(), i.into())).collect();
    let added = ["<|end|>", "<|start|>"].map(|token| {
        json!({"id": id(token), "content": token, "special": token == "<|end|>", "normalized": false,
               "single_word": false, "lstrip": false, "rstrip": false})
    });
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    let model = json!({"type": "BPE", "vocab": vocab, "merges": part["merges"]});
    let tokenizer = json!({"version": "1.0", "added_tokens": added, "pre_tokenizer": byte_level, "decoder": byte_level,
                           "truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0},
                           "model": model});
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "tokenizer.json", &tokenizer);
    for (name, content) in files {
        write(dir.path(), name, content);
    }
    dir
}

fn write(dir: &Path, name: &str, content: &Value) {
    let text = content.as_str().map_or_else(|| content.to_string(), str::to_owned);
    std::fs::write(dir.join(name), text).unwrap();
}

#[test]
fn folders_match_python() {
    let part = fixture("byte_level");
    let tokenizer = Tokenizer::from_dir(folder(&[]).path()).unwrap();
    let texts: Vec<String> =
        list::<String>(&part["texts"]).into_iter().filter(|text| !text.contains("<tool>")).collect();
    let ids = load(&byte_level("gpt-2")).unwrap();
    for text in texts {
        assert_eq!(tokenizer.encode(&text, false).unwrap(), ids.encode(&text, false).unwrap(), "{text:?}");
    }
    assert!(tokenizer.eos().is_empty());
    assert!(tokenizer.chat_template().unwrap().is_none());
}

/// Decoders without a table of their own stream through a window of ids.
#[test]
fn other_decoders_stream_as_they_decode() {
    let metaspace = json!({"type": "Metaspace", "replacement": "Ġ", "prepend_scheme": "always", "split": true});
    let fallback = json!({"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]});
    for decoder in [metaspace, fallback, json!({"type": "WordPiece", "prefix": "##", "cleanup": false}), Value::Null] {
        let dir = folder(&[]);
        let path = dir.path().join("tokenizer.json");
        let mut tokenizer: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        tokenizer["decoder"] = decoder;
        write(dir.path(), "tokenizer.json", &tokenizer);
        let tokenizer = Tokenizer::from_dir(dir.path()).unwrap();
        let cases = list::<(Vec<u32>, String, String)>(&fixture("byte_level")["decode"]);
        let decoded = cases
            .iter()
            .map(|(ids, ..)| json!([ids, tokenizer.decode(ids, false).unwrap(), tokenizer.decode(ids, true).unwrap()]));
        check_decode(&tokenizer, &decoded.collect());
    }
}

#[test]
fn tokenizers_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Tokenizer>();
    shared::<mlx_nn::tokenizer::Detokenizer>();
}

#[test]
fn configs_give_roles_and_eos() {
    let end = json!({"eos_token": {"content": "<|end|>"}, "bos_token": "<|start|>", "add_bos_token": true});
    let config = ("tokenizer_config.json", end);
    for (files, eos) in [
        (vec![], vec!["<|end|>"]),
        (vec![("config.json", json!({"eos_token_id": 7}))], vec!["7", "<|end|>"]),
        (
            vec![("config.json", json!({"eos_token_id": 7})), ("generation_config.json", json!({}))],
            vec!["7", "<|end|>"],
        ),
        (
            vec![
                ("config.json", json!({"eos_token_id": 7})),
                ("generation_config.json", json!({"eos_token_id": [8, 9]})),
            ],
            vec!["8", "9", "<|end|>"],
        ),
    ] {
        let dir = folder(&[files, vec![config.clone()]].concat());
        let tokenizer = Tokenizer::from_dir(dir.path()).unwrap();
        let id = |name: &&str| name.parse().unwrap_or_else(|_| tokenizer.id(name).unwrap());
        assert_eq!(tokenizer.eos(), eos.iter().map(id).collect::<Vec<u32>>());
        assert_eq!(tokenizer.encode("", true).unwrap(), [tokenizer.bos().unwrap()]);
        assert!(!tokenizer.is_special(tokenizer.bos().unwrap()));
    }
}

#[test]
fn config_adds_and_corrects_tokens() {
    let start = list::<String>(&fixture("byte_level")["tokens"]).iter().position(|t| t == "<|start|>").unwrap();
    let entry = |content: &str| json!({"content": content, "special": true, "normalized": false});
    let added = json!({start.to_string(): entry("<|start|>"), (start + 2).to_string(): entry("<|new|>")});
    let dir = folder(&[("tokenizer_config.json", json!({"added_tokens_decoder": added}))]);
    let tokenizer = Tokenizer::from_dir(dir.path()).unwrap();
    assert!(tokenizer.is_special(start as u32));
    assert_eq!(tokenizer.encode("<|new|>", false).unwrap(), [start as u32 + 2]);
}

#[test]
fn chat_templates_have_an_order() {
    let config = ("tokenizer_config.json", json!({"chat_template": "config", "eos_token": "<|end|>"}));
    let named = json!({"chat_template": [{"name": "default", "template": "d"}, {"name": "tool_use", "template": "t"}]});
    for (files, plain, tools) in [
        (vec![config.clone()], "config", "config"),
        (vec![config, ("chat_template.jinja", json!("file{{ eos_token }}"))], "file<|end|>", "file<|end|>"),
        (vec![("tokenizer_config.json", named)], "d", "t"),
    ] {
        let tokenizer = Tokenizer::from_dir(folder(&files).path()).unwrap();
        let messages = vec![mlx_nn::chat::Message::user("x")];
        let mut prompt = mlx_nn::chat::Prompt { messages, ..Default::default() };
        let template = tokenizer.chat_template().unwrap().unwrap();
        assert_eq!(template.render(&prompt).unwrap(), plain);
        prompt.tools = Some(vec![]);
        assert_eq!(template.render(&prompt).unwrap(), tools);
    }
}

#[test]
fn bad_folders_are_named() {
    let empty = tempfile::tempdir().unwrap();
    let error = Tokenizer::from_dir(empty.path()).err().unwrap().to_string();
    assert!(error.contains("tokenizer.json cannot be read"), "{error}");
    for (name, content, expected) in [
        ("tokenizer.json", json!("{"), "tokenizer.json cannot be loaded"),
        ("tokenizer_config.json", json!("[]"), "tokenizer_config.json is not a JSON object"),
        ("tokenizer_config.json", json!({"eos_token": 5}), "has \"eos_token\" = 5, but a token is expected"),
        ("config.json", json!({"eos_token_id": "x"}), "config.json has an \"eos_token_id\" that is neither"),
        ("tokenizer_config.json", json!({"added_tokens_decoder": {"a": {}}}), "bad added token \"a\""),
    ] {
        let error = Tokenizer::from_dir(folder(&[(name, content)]).path()).err().expect(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_beginning_of_a_text_has_its_first_tokens() {
    let text = "The house of 12 words, the 3rd caf\u{e9} and its \u{65e5}\u{672c} guests: nobody's fault";
    let whole = load(&byte_level("gpt-2")).unwrap();
    assert!(whole.splits_at_spaces());
    let ids = whole.encode(text, false).unwrap();
    let mut cuts = 0;
    for (at, _) in text.match_indices(' ') {
        let near = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        if near(text[..at].chars().next_back()) && near(text[at + 1..].chars().next()) {
            let part = whole.encode(&text[..at], false).unwrap();
            assert!(ids.starts_with(&part), "{:?}", &text[..at]);
            cuts += 1;
        }
    }
    assert!(cuts > 8, "{cuts}");
    // SentencePiece joins what it likes, across spaces too.
    assert!(!load(&sentence_piece()).unwrap().splits_at_spaces());
}
