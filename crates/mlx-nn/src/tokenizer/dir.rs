//! A tokenizer from a Hugging Face model folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tokenizers::{AddedToken, PostProcessor};

use super::{Special, Tokenizer};
use crate::chat::ChatTemplate;
use crate::{Error, Result};

const CONFIG: &str = "tokenizer_config.json";

/// The names under which transformers hands tokens to chat templates.
const ROLES: [&str; 7] = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

pub(super) fn load(dir: &Path) -> Result<Tokenizer> {
    let folder = Folder::read(dir)?;
    let mut model = folder.model()?;
    folder.add_tokens(&mut model)?;
    let roles = folder.roles()?;
    let special = folder.special(&model, &roles)?;
    let chat = folder.chat(roles);
    Tokenizer::new(model, special, chat)
}

struct Folder {
    dir: PathBuf,
    config: Map<String, Value>,
}

impl Folder {
    fn read(dir: &Path) -> Result<Self> {
        let mut config = json(&dir.join("special_tokens_map.json"))?.unwrap_or_default();
        config.extend(json(&dir.join(CONFIG))?.unwrap_or_default());
        Ok(Self { dir: dir.to_path_buf(), config })
    }

    fn model(&self) -> Result<tokenizers::Tokenizer> {
        let path = self.dir.join("tokenizer.json");
        let bytes = std::fs::read(&path).map_err(|e| {
            Error::msg(format!(
                "Tokenizer file {} cannot be read: {e}. A folder with only tokenizer.model or vocab.json must be saved \
                 once with transformers to get it.",
                path.display()
            ))
        })?;
        let fail = |e| Error::msg(format!("Tokenizer file {} cannot be loaded: {e}.", path.display()));
        let mut model = tokenizers::Tokenizer::from_bytes(bytes).map_err(fail)?;
        // Some files keep the truncation and padding of their training; transformers switches both off.
        model.with_truncation(None).map_err(fail)?;
        model.with_padding(None);
        Ok(model)
    }

    /// tokenizer_config.json may know tokens, or properties of tokens, that tokenizer.json lacks.
    fn add_tokens(&self, model: &mut tokenizers::Tokenizer) -> Result<()> {
        let Some(Value::Object(entries)) = self.config.get("added_tokens_decoder") else { return Ok(()) };
        let known = model.get_added_tokens_decoder();
        let mut tokens = BTreeMap::new();
        for (key, value) in entries {
            let bad = |what: String| self.error(CONFIG, format!("has a bad added token \"{key}\": {what}"));
            let id: u32 = key.parse().map_err(|_| bad("the key should be a token id".into()))?;
            let Some(content) = value.get("content").and_then(Value::as_str) else {
                return Err(bad("\"content\" should be a string".into()));
            };
            let flag = |name: &str, default| value.get(name).and_then(Value::as_bool).unwrap_or(default);
            let special = flag("special", false);
            let token = AddedToken::from(content, special)
                .normalized(flag("normalized", !special))
                .single_word(flag("single_word", false))
                .lstrip(flag("lstrip", false))
                .rstrip(flag("rstrip", false));
            if !known.get(&id).is_some_and(|old| same(old, &token)) {
                tokens.insert(id, token);
            }
        }
        if !tokens.is_empty() {
            model
                .add_tokens(tokens.into_values())
                .map_err(|e| self.error(CONFIG, format!("has bad added tokens: {e}")))?;
        }
        Ok(())
    }

    /// Role to token text: the named roles, and the model's own such as `image_token`.
    fn roles(&self) -> Result<BTreeMap<String, String>> {
        let mut roles = BTreeMap::new();
        if let Some(Value::Object(extra)) = self.config.get("extra_special_tokens") {
            roles.extend(extra.iter().filter_map(|(role, token)| Some((role.clone(), text(token)?))));
        }
        for role in ROLES {
            match self.config.get(role) {
                None | Some(Value::Null) => {}
                Some(token) => {
                    let token = text(token).ok_or_else(|| {
                        self.error(CONFIG, format!("has \"{role}\" = {token}, but a token is expected"))
                    })?;
                    roles.insert(role.to_owned(), token);
                }
            }
        }
        Ok(roles)
    }

    fn special(&self, model: &tokenizers::Tokenizer, roles: &BTreeMap<String, String>) -> Result<Special> {
        let id = |role: &str| roles.get(role).and_then(|token| model.token_to_id(token));
        let (bos, eos) = (id("bos_token"), id("eos_token"));
        let mut ends = self.eos_ids()?;
        ends.extend(eos.filter(|id| !ends.contains(id)));

        // Where tokenizer.json adds tokens around a text, transformers does not heed what the other file says of them.
        let adds = model.get_post_processor().is_some_and(|post| post.added_tokens(false) > 0);
        let flag = |name: &str| self.config.get(name).filter(|_| !adds).map(|value| value.as_bool().unwrap_or(false));
        let around = match (flag("add_bos_token"), flag("add_eos_token")) {
            (None, None) => None,
            (add_bos, add_eos) => {
                let one = |add: Option<bool>, id: Option<u32>| id.filter(|_| add == Some(true)).into_iter().collect();
                Some((one(add_bos, bos), one(add_eos, eos)))
            }
        };
        // The class that transformers has for any tokenizer gives no types unless its file says so.
        let class = self.config.get("tokenizer_class").and_then(Value::as_str);
        let typed = match self.config.get("model_input_names").and_then(Value::as_array) {
            Some(names) => names.iter().any(|name| name == "token_type_ids"),
            None => !matches!(class, Some("TokenizersBackend" | "PreTrainedTokenizerFast")),
        };
        let (pad, unk, mask) = (id("pad_token"), id("unk_token"), id("mask_token"));
        Ok(Special { bos, pad, unk, mask, eos: ends, typed, around })
    }

    /// `eos_token_id` of generation_config.json, or else of config.json: one id or a list.
    fn eos_ids(&self) -> Result<Vec<u32>> {
        for name in ["generation_config.json", "config.json"] {
            let config = json(&self.dir.join(name))?.unwrap_or_default();
            let value = config.get("eos_token_id").cloned().unwrap_or_default();
            let values = match value {
                Value::Null => continue,
                Value::Array(values) if values.is_empty() => continue,
                Value::Array(values) => values,
                one => vec![one],
            };
            let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
            return values.iter().map(id).collect::<Option<_>>().ok_or_else(|| {
                self.error(name, "has an \"eos_token_id\" that is neither a token id nor a list of them".into())
            });
        }
        Ok(Vec::new())
    }

    /// chat_template.jinja and its folder of named templates, or else tokenizer_config.json's.
    fn chat(&self, roles: BTreeMap<String, String>) -> Result<Option<ChatTemplate>> {
        let mut templates = Vec::new();
        let mut file = "chat_template.jinja";
        if let Some(source) = read(&self.dir.join(file))? {
            templates.push(("default".to_owned(), source));
        }
        templates.extend(self.named_files()?);
        if templates.is_empty() {
            file = CONFIG;
            templates = self.configured_templates()?;
        }
        if templates.is_empty() {
            return Ok(None);
        }
        ChatTemplate::named(templates, roles).map(Some).map_err(|e| {
            self.error(
                file,
                format!("has a chat template that cannot be used: {}", e.to_string().trim_end_matches('.')),
            )
        })
    }

    fn named_files(&self) -> Result<Vec<(String, String)>> {
        let Ok(entries) = std::fs::read_dir(self.dir.join("additional_chat_templates")) else { return Ok(Vec::new()) };
        let mut named = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            if let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jinja")) {
                named.extend(read(&path)?.map(|source| (name.to_owned(), source)));
            }
        }
        Ok(named)
    }

    fn configured_templates(&self) -> Result<Vec<(String, String)>> {
        let bad = || {
            let expected = "a string or a list of objects with \"name\" and \"template\" is expected";
            self.error(CONFIG, format!("has a bad \"chat_template\": {expected}"))
        };
        match self.config.get("chat_template") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::String(source)) => Ok(vec![("default".to_owned(), source.clone())]),
            Some(Value::Array(list)) => {
                let one = |item: &Value| {
                    let field = |name: &str| item.get(name)?.as_str().map(str::to_owned);
                    Some((field("name")?, field("template")?))
                };
                list.iter().map(one).collect::<Option<_>>().ok_or_else(bad)
            }
            Some(_) => Err(bad()),
        }
    }

    fn error(&self, file: &str, what: String) -> Error {
        Error::msg(format!("Tokenizer file {} {what}.", self.dir.join(file).display()))
    }
}

fn same(a: &AddedToken, b: &AddedToken) -> bool {
    let flags = |t: &AddedToken| (t.single_word, t.lstrip, t.rstrip, t.normalized, t.special);
    a.content == b.content && flags(a) == flags(b)
}

/// A token is written as its text, or as an object with properties.
fn text(token: &Value) -> Option<String> {
    token.as_str().or_else(|| token.get("content")?.as_str()).map(str::to_owned)
}

fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::msg(format!("Tokenizer file {} cannot be read: {e}.", path.display()))),
    }
}

fn json(path: &Path) -> Result<Option<Map<String, Value>>> {
    let Some(text) = read(path)? else { return Ok(None) };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|e| Error::msg(format!("Tokenizer file {} is not a JSON object: {e}.", path.display())))
}
