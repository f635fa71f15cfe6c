//! Chat templates against text that transformers rendered.

use std::collections::BTreeMap;

use mlx_nn::chat::{ChatTemplate, Message, Prompt};
use serde_json::{Map, Value, json};

const SNIPPETS: &str = include_str!("../fixtures/chat/snippets.json");
const FAMILIES: &str = include_str!("../fixtures/chat/families.json");

/// `expected` is null where transformers raises.
#[track_caller]
fn check(source: &str, tokens: &Value, prompt: &Prompt, expected: &Value) {
    let tokens: BTreeMap<String, String> = serde_json::from_value(tokens.clone()).unwrap();
    let templates = vec![("default".to_owned(), source.to_owned())];
    let text = ChatTemplate::named(templates, tokens).and_then(|template| template.render(prompt));
    match (text, expected.as_str()) {
        (Ok(text), Some(expected)) => assert_eq!(text, expected, "{source}"),
        (Ok(text), None) => panic!("{source} rendered {text:?}, but transformers raises"),
        (Err(_), None) => {}
        (Err(e), Some(expected)) => panic!("{source} failed: {e}; expected {expected:?}"),
    }
}

#[test]
fn language_matches_jinja() {
    let fixture: Value = serde_json::from_str(SNIPPETS).unwrap();
    let prompt = Prompt {
        messages: serde_json::from_value(fixture["messages"].clone()).unwrap(),
        extra: fixture["extra"].as_object().unwrap().clone(),
        ..Prompt::default()
    };
    let cases = fixture["cases"].as_array().unwrap();
    assert!(cases.len() > 300);
    for case in cases {
        check(case[0].as_str().unwrap(), &fixture["tokens"], &prompt, &case[1]);
    }
}

#[test]
fn families_match_transformers() {
    let fixture: Value = serde_json::from_str(FAMILIES).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert!(cases.len() > 100);
    for case in cases {
        let flag = |name: &str| case[name].as_bool() == Some(true);
        let list = |name: &str| flag(name).then(|| fixture[name].as_array().unwrap().clone());
        let prompt = Prompt {
            messages: serde_json::from_value(fixture["messages"][case["messages"].as_str().unwrap()].clone()).unwrap(),
            tools: list("tools"),
            documents: list("documents"),
            add_generation_prompt: flag("add_generation_prompt"),
            continue_final: flag("continue_final"),
            extra: case["extra"].as_object().cloned().unwrap_or_default(),
        };
        let source = fixture["templates"][case["template"].as_str().unwrap()].as_str().unwrap();
        check(source, &fixture["tokens"], &prompt, &case["expected"]);
    }
}

fn hello() -> Prompt {
    Prompt { messages: vec![Message::user("hello")], ..Prompt::default() }
}

#[test]
fn errors_say_what_the_template_said() {
    for (source, expected) in [
        ("a\n{{ raise_exception('No ' + messages[0].content) }}", "line 2: No hello"),
        ("a\n\n{% if %}", "line 3"),
        ("{{ messages[0].who.name }}", "`messages[0].who` is undefined"),
        ("x\n{{ 1 | frobnicate }}", "line 2: unknown filter: filter frobnicate is unknown"),
        ("{{ frobnicate(1) }}", "frobnicate"),
        ("{{ 'a'.frobnicate() }}", "frobnicate"),
        ("{{ 1 is frobnicate }}", "frobnicate"),
        ("{% include 'other' %}", "include"),
        ("{{ missing | tojson }}", "tojson cannot write undefined as JSON"),
    ] {
        let error = ChatTemplate::new(source).and_then(|template| template.render(&hello())).unwrap_err().to_string();
        assert!(error.contains(expected), "{source}: {error}");
    }
    let empty = ChatTemplate::new("x").unwrap().render(&Prompt::default()).unwrap_err().to_string();
    assert_eq!(empty, "A chat template needs at least one message.");
    let both = Prompt { continue_final: true, add_generation_prompt: true, ..hello() };
    assert!(ChatTemplate::new("x").unwrap().render(&both).unwrap_err().to_string().contains("not both"));
    let dropped = Prompt { continue_final: true, ..hello() };
    let error = ChatTemplate::new("x").unwrap().render(&dropped).unwrap_err().to_string();
    assert!(error.contains("cannot be continued"), "{error}");
}

#[test]
fn tools_choose_the_tool_template() {
    let named = [("default", "plain"), ("tool_use", "tools")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    let template = ChatTemplate::named(named.to_vec(), BTreeMap::new()).unwrap();
    assert_eq!(template.render(&hello()).unwrap(), "plain");
    let tools = Some(vec![json!({"type": "function"})]);
    assert_eq!(template.render(&Prompt { tools, ..hello() }).unwrap(), "tools");

    let named = vec![("rag".to_owned(), "x".to_owned())];
    let error = ChatTemplate::named(named, BTreeMap::new()).unwrap().render(&hello()).unwrap_err().to_string();
    assert!(error.contains("no default chat template, only rag"), "{error}");
}

#[test]
fn messages_are_openai_json() {
    let call = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "1"}], "name": "bob"});
    let message: Message = serde_json::from_value(call).unwrap();
    assert_eq!(message.role, "assistant");
    assert!(message.content.is_null());
    assert_eq!(message.extra.keys().collect::<Vec<_>>(), ["tool_calls", "name"]);
    let back = serde_json::to_value(&message).unwrap();
    assert_eq!(back, json!({"role": "assistant", "tool_calls": [{"id": "1"}], "name": "bob"}));
    let bare: Message = serde_json::from_value(json!({"role": "user"})).unwrap();
    assert_eq!(bare, Message { role: "user".into(), content: Value::Null, extra: Map::new() });
}

#[test]
fn dates_are_today() {
    let template = ChatTemplate::new("{{ strftime_now('%Y') }}").unwrap();
    let year: u32 = template.render(&hello()).unwrap().parse().unwrap();
    assert!((2024..2200).contains(&year));
}
