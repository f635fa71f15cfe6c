//! What a sentence-transformers folder says beside the weights: the order of its modules, limits and prompts.

use crate::{Prompt, Similarity};
use mlx_nn::{Config, Error, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A line of modules.json.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// The last word of its Python class.
    pub kind: String,
    /// Its folder.
    pub dir: PathBuf,
}

/// The modules of a folder in order. Without modules.json they are the model and the mean of its tokens.
pub fn modules(dir: &Path) -> Result<Vec<Module>> {
    let path = dir.join("modules.json");
    if !path.is_file() {
        let c = optional(&dir.join("config.json"))?;
        let kinds: &[&str] = match c.opt_text("model_type")? {
            Some("model2vec") if c.flag("normalize")? => &["StaticEmbedding", "Normalize"],
            Some("model2vec") => &["StaticEmbedding"],
            _ => &["Transformer"],
        };
        return Ok(kinds.iter().map(|&kind| Module { kind: kind.into(), dir: dir.to_owned() }).collect());
    }
    let unreadable = |e: String| Error::msg(e).in_file(&path);
    let text = std::fs::read_to_string(&path).map_err(|e| unreadable(e.to_string()))?;
    let list: Vec<Value> =
        serde_json::from_str(&text).map_err(|e| unreadable(format!("it is not a JSON list: {e}.")))?;
    let module = |entry: &Value| {
        let kind = entry.get("type")?.as_str()?.rsplit('.').next()?.to_owned();
        let path = entry.get("path")?.as_str()?;
        let dir = if ["", "."].contains(&path) { dir.to_owned() } else { dir.join(path) };
        Some(Module { kind, dir })
    };
    let missing = || unreadable("each module needs a `type` and a `path`.".into());
    list.iter().map(|entry| module(entry).ok_or_else(missing)).collect()
}

/// The configuration in a file that need not be there.
pub fn optional(path: &Path) -> Result<Config> {
    if path.is_file() { Config::read(path) } else { Ok(Config::new(serde_json::Map::new(), path)) }
}

/// config_sentence_transformers.json.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    prompts: BTreeMap<String, String>,
    default_prompt: Option<String>,
    pub similarity: Similarity,
}

impl Settings {
    pub fn read(dir: &Path) -> Result<Self> {
        let c = optional(&dir.join("config_sentence_transformers.json"))?;
        let mut prompts = BTreeMap::new();
        if let Some(Value::Object(entries)) = c.value("prompts") {
            for (name, text) in entries.iter().filter(|(_, text)| !text.is_null()) {
                let text = text.as_str().ok_or_else(|| c.wrong("prompts", "an object of strings", text))?;
                prompts.insert(name.clone(), text.to_owned());
            }
        }
        let default_prompt = c.opt_text("default_prompt_name")?.map(str::to_owned);
        if let Some(name) = default_prompt.as_ref().filter(|name| !prompts.contains_key(*name)) {
            return Err(c.wrong("default_prompt_name", "the name of a prompt", name));
        }
        let similarity = match c.opt_text("similarity_fn_name")? {
            // How lists of vectors are compared is no matter here.
            None | Some("maxsim" | "meanmaxsim") => Similarity::default(),
            Some(name) => Similarity::named(name)
                .ok_or_else(|| c.wrong("similarity_fn_name", "cosine, dot, euclidean or manhattan", name))?,
        };
        Ok(Self { prompts, default_prompt, similarity })
    }

    /// The prompt of this name, empty where there is none.
    pub fn named_prompt(&self, name: &str) -> &str {
        self.prompts.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Replaces the prompt of this name.
    pub fn set_prompt(&mut self, name: &str, text: String) {
        self.prompts.insert(name.to_owned(), text);
    }

    /// The text that a prompt is; empty for none.
    pub fn prompt<'a>(&'a self, prompt: &'a Prompt) -> Result<&'a str> {
        let named = |name: &str| self.prompts.get(name).map(String::as_str);
        Ok(match prompt {
            Prompt::Text(text) => text,
            Prompt::Default => self.default_prompt.as_deref().and_then(named).unwrap_or_default(),
            Prompt::Query => named("query").unwrap_or_default(),
            Prompt::Document => ["document", "passage", "corpus"].into_iter().find_map(named).unwrap_or_default(),
            Prompt::Named(name) => named(name).ok_or_else(|| {
                let known: Vec<&str> = self.prompts.keys().map(String::as_str).collect();
                Error::msg(format!("The model has no prompt `{name}`; it has: {}.", known.join(", ")))
            })?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, text: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(name), text).unwrap();
        dir
    }

    #[test]
    fn prompts_are_found_by_role_and_name() {
        let text = r#"{"prompts": {"query": "q: ", "passage": "p: ", "other": "o: ", "document": null},
            "default_prompt_name": "other", "similarity_fn_name": "dot"}"#;
        let dir = folder("config_sentence_transformers.json", text);
        let settings = Settings::read(dir.path()).unwrap();
        assert_eq!(settings.similarity, Similarity::Dot);
        let named = |name: &str| Prompt::Named(name.into());
        for (prompt, text) in [
            (Prompt::Default, "o: "),
            (Prompt::Query, "q: "),
            (Prompt::Document, "p: "),
            (named("query"), "q: "),
            (Prompt::Text("x".into()), "x"),
        ] {
            assert_eq!(settings.prompt(&prompt).unwrap(), text, "{prompt:?}");
        }
        let error = settings.prompt(&named("none")).unwrap_err().to_string();
        assert!(error.contains("`none`") && error.contains("passage"), "{error}");
        assert_eq!(Settings::default().prompt(&Prompt::Query).unwrap(), "");
    }

    #[track_caller]
    fn check_error(file: &str, text: &str, part: &str) {
        let dir = folder(file, text);
        let read = Settings::read(dir.path()).map(|_| ()).and_then(|()| modules(dir.path()).map(|_| ()));
        let error = read.unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(part), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let settings = "config_sentence_transformers.json";
        check_error(settings, r#"{"default_prompt_name": "query"}"#, "default_prompt_name");
        check_error(settings, r#"{"prompts": {"query": 1}}"#, "prompts");
        check_error(settings, r#"{"similarity_fn_name": "jaccard"}"#, "jaccard");
        check_error("modules.json", r#"{"0": "Transformer"}"#, "list");
        check_error("modules.json", r#"[{"path": ""}]"#, "`type`");
    }

    #[test]
    fn modules_are_known_by_the_last_word() {
        let old = r#"[{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]"#;
        let new = r#"[{"type": "sentence_transformers.base.modules.dense.Dense", "path": "2_Dense"}]"#;
        for (text, kind, path) in [(old, "Pooling", "1_Pooling"), (new, "Dense", "2_Dense")] {
            let dir = folder("modules.json", text);
            let expected = Module { kind: kind.into(), dir: dir.path().join(path) };
            assert_eq!(modules(dir.path()).unwrap(), [expected]);
        }
    }
}
