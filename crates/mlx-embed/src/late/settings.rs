//! What the files of a late-interaction model say: lengths, markers, how queries are filled up, and which tokens count.

use crate::Prompt;
use crate::load::limits_file;
use crate::settings::{Module, Settings, optional};
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::{Config, Error, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Whose files they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// sentence-transformers': every step is a module.
    Own,
    /// PyLate's: the settings of all steps are in config_sentence_transformers.json.
    PyLate,
    /// Stanford's: one folder, with the settings in artifact.metadata.
    Stanford,
}

const SETTINGS: &str = "config_sentence_transformers.json";
/// Keys of which PyLate writes some.
const PYLATE: [&str; 6] = [
    "query_prefix",
    "document_prefix",
    "do_query_expansion",
    "attend_to_expansion_tokens",
    "attend_to_mask_tokens",
    "skiplist_words",
];
/// What Python calls punctuation.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
/// Tokens of a query, where files do not say.
const QUERY_LENGTH: usize = 32;

impl Form {
    pub fn of(dir: &Path) -> Result<Option<Self>> {
        let c = optional(&dir.join(SETTINGS))?;
        let is_pylate = PYLATE.iter().any(|key| c.value(key).is_some());
        Ok(match c.opt_text("model_type")? {
            Some("ColBERT") => Some(Self::PyLate),
            Some("MultiVectorEncoder") => Some(Self::Own),
            _ if is_pylate => Some(Self::PyLate),
            _ => {
                let architectures = optional(&dir.join("config.json"))?.opt_texts("architectures")?;
                let is_stanford = architectures.is_some_and(|names| names.iter().any(|name| name == "HF_ColBERT"));
                is_stanford.then_some(Self::Stanford)
            }
        })
    }

    /// Whether a module of this kind runs on tokens; the others' settings are read elsewhere, or they make one vector of them.
    pub fn keeps(self, kind: &str) -> bool {
        match self {
            Self::Own => kind != "MultiVectorMask",
            Self::PyLate | Self::Stanford => !["MultiVectorMask", "Pooling", "Normalize"].contains(&kind),
        }
    }
}

/// How short queries are filled up.
#[derive(Debug, PartialEq)]
pub struct Expansion {
    /// Longer queries are cut, so that all have this length.
    pub fixed: bool,
    pub length: usize,
    /// Whether other tokens see what was filled in.
    pub attend: bool,
    token: Option<String>,
}

/// The settings of late interaction.
pub struct Late {
    pub query_length: Option<usize>,
    pub document_length: Option<usize>,
    pub expansion: Option<Expansion>,
    /// Texts that stand in front, in which the first word may be a token.
    pub markers: Vec<String>,
    /// Whether scores are divided by the number of a query's tokens.
    pub mean: bool,
    skip: Vec<String>,
    skips_queries: bool,
    skips_documents: bool,
    only: Option<BTreeSet<u32>>,
}

impl Late {
    /// Reads the settings, and puts markers into the prompts.
    pub fn read(dir: &Path, form: Form, first: &Module, rest: &[Module], settings: &mut Settings) -> Result<Self> {
        let c = match form {
            Form::Stanford => optional(&dir.join("artifact.metadata"))?,
            _ => optional(&dir.join(SETTINGS))?,
        };
        let own = limits_file(&first.dir)?;
        let length = |key: &str| Ok::<_, Error>(own.opt_int(key)?.or(c.opt_int(key)?).map(|length| length as usize));
        let mut late = Self {
            query_length: length("query_length")?,
            document_length: length("document_length")?,
            expansion: own.object("query_expansion")?.or(c.object("query_expansion")?).map(expansion).transpose()?,
            markers: Vec::new(),
            mean: c.opt_text("similarity_fn_name")? == Some("meanmaxsim"),
            skip: Vec::new(),
            skips_queries: false,
            skips_documents: true,
            only: None,
        };
        match form {
            Form::Own => {}
            Form::PyLate => late.read_pylate(&c, settings)?,
            Form::Stanford => late.read_stanford(&c, settings)?,
        }
        if let Some(module) = rest.iter().find(|module| module.kind == "MultiVectorMask") {
            late.read_mask(&optional(&module.dir.join("config.json"))?)?;
        }
        Ok(late)
    }

    fn read_pylate(&mut self, c: &Config, settings: &mut Settings) -> Result<()> {
        for (key, role) in [("query_prefix", "query"), ("document_prefix", "document")] {
            let Some(prefix) = c.opt_text(key)? else { continue };
            let prompt = settings.named_prompt(role);
            let prompt = [prefix, prompt.strip_prefix(prefix).unwrap_or(prompt)].concat();
            settings.set_prompt(role, prompt);
            self.markers.push(prefix.to_owned());
        }
        if self.expansion.is_none() && c.opt_flag("do_query_expansion")? != Some(false) {
            let attend = c.opt_flag("attend_to_expansion_tokens")?.or(c.opt_flag("attend_to_mask_tokens")?);
            let length = self.query_length.take().unwrap_or(QUERY_LENGTH);
            self.expansion = Some(Expansion { fixed: true, length, attend: attend.unwrap_or(false), token: None });
        }
        self.skip = c.opt_texts("skiplist_words")?.unwrap_or_else(punctuation);
        Ok(())
    }

    fn read_stanford(&mut self, c: &Config, settings: &mut Settings) -> Result<()> {
        for (key, role, usual) in [("query_token_id", "query", "[unused0]"), ("doc_token_id", "document", "[unused1]")]
        {
            let marker = format!("{} ", c.opt_text(key)?.unwrap_or(usual));
            settings.set_prompt(role, marker.clone());
            self.markers.push(marker);
        }
        let length = |key: &str| Ok::<_, Error>(c.opt_int(key)?.map(|length| length as usize));
        self.document_length = length("doc_maxlen")?;
        self.expansion = Some(Expansion {
            fixed: true,
            length: length("query_maxlen")?.unwrap_or(QUERY_LENGTH),
            attend: c.flag("attend_to_mask_tokens")?,
            token: None,
        });
        if c.opt_flag("mask_punctuation")?.unwrap_or(true) {
            self.skip = punctuation();
        }
        Ok(())
    }

    fn read_mask(&mut self, c: &Config) -> Result<()> {
        self.skip = c.opt_texts("skiplist_words")?.unwrap_or_default();
        if let Some(tasks) = c.opt_texts("skiplist_tasks")? {
            let has = |name: &str| tasks.iter().any(|task| task == name);
            (self.skips_queries, self.skips_documents) = (has("query"), has("document"));
        }
        self.only = match c.value("keep_only_token_ids") {
            None => None,
            Some(value) => {
                let id = |id: &Value| id.as_u64().and_then(|id| u32::try_from(id).ok());
                let ids = value.as_array().and_then(|ids| ids.iter().map(id).collect::<Option<BTreeSet<_>>>());
                Some(ids.ok_or_else(|| c.wrong("keep_only_token_ids", "a list of ids", value))?)
                    .filter(|ids| !ids.is_empty())
            }
        };
        Ok(())
    }

    /// The id that queries are filled up with.
    pub fn filler(&self, tokenizer: &Tokenizer) -> Result<u32> {
        let Some(expansion) = &self.expansion else { return Ok(0) };
        match &expansion.token {
            Some(token) => tokenizer.id(token).ok_or_else(|| {
                Error::msg(format!("Queries are filled up with `{token}`, which the tokenizer does not know."))
            }),
            None => tokenizer.mask().or(tokenizer.eos().first().copied()).ok_or_else(|| {
                Error::msg("Queries are filled up, but the tokenizer has no mask token and none that ends a text.")
            }),
        }
    }

    /// The ids of the words that do not count. A word that is no token of its own is none of them.
    pub fn skipped(&self, tokenizer: &Tokenizer) -> BTreeSet<u32> {
        self.skip.iter().filter_map(|word| tokenizer.id(word)).collect()
    }

    /// Whether a token of a text with this prompt has a vector.
    pub fn counts(&self, id: u32, prompt: &Prompt, skipped: &BTreeSet<u32>) -> bool {
        let is_query = *prompt == Prompt::Query;
        let skips = if is_query { self.skips_queries } else { self.skips_documents };
        let is_kept = is_query || self.only.as_ref().is_none_or(|only| only.contains(&id));
        is_kept && !(skips && skipped.contains(&id))
    }
}

fn punctuation() -> Vec<String> {
    PUNCTUATION.chars().map(String::from).collect()
}

fn expansion(c: Config) -> Result<Expansion> {
    let fixed = match c.text("strategy")? {
        "fixed" => true,
        "min" => false,
        other => return Err(c.wrong("strategy", "fixed or min", other)),
    };
    let token = c.opt_text("token")?.map(str::to_owned);
    Ok(Expansion { fixed, length: c.int("length")? as usize, attend: c.flag("attend")?, token })
}
