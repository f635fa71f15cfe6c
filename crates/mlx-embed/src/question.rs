//! How a decoder is asked whether a document fits a query.

use crate::Overlong;
use crate::settings::optional;
use crate::text::{Limits, TextEncoder};
use mlx_nn::chat::{ChatTemplate, Message, Prompt};
use mlx_nn::tokenizer::{Encoded, Tokenizer};
use mlx_nn::{Config, Error, Result};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The text around a query and a document.
pub enum Question {
    /// The model's own chat template, which knows the roles `query` and `document`.
    Template { kwargs: Map<String, Value>, parts: bool },
    /// The words that Qwen's authors give for Qwen3-Reranker, whose chat template knows no such roles.
    Qwen { before: Vec<u32>, behind: Vec<u32> },
}

const BEFORE: &str = "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the \
                      Instruct provided. Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n";
const BEHIND: &str = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n";
/// What is asked where the caller says nothing else.
const INSTRUCT: &str = "Given a web search query, retrieve relevant passages that answer the query";

impl Question {
    /// How the model of a folder is asked; `None`: pairs are two texts, as for an encoder.
    pub fn read(dir: &Path, config: &Config, tokenizer: &Tokenizer) -> Result<Option<Self>> {
        let Some(template) = tokenizer.chat_template()? else { return Ok(None) };
        let processing = optional(&dir.join("sentence_bert_config.json"))?.object("processing_kwargs")?;
        let kwargs = processing.and_then(|p| p.value("chat_template").and_then(Value::as_object).cloned());
        let kwargs = kwargs.unwrap_or_default();
        for parts in [false, true] {
            let carried = render(template, &kwargs, parts, "", ["QUERY-PROBE", "DOCUMENT-PROBE"]);
            if carried.is_ok_and(|text| text.contains("QUERY-PROBE") && text.contains("DOCUMENT-PROBE")) {
                return Ok(Some(Self::Template { kwargs, parts }));
            }
        }
        if config.text("model_type")? == "qwen3" {
            let encode = |text| tokenizer.encode(text, false);
            return Ok(Some(Self::Qwen { before: encode(BEFORE)?, behind: encode(BEHIND)? }));
        }
        Err(Error::msg("the chat template leaves out messages of the roles `query` and `document`, which pairs need.")
            .in_file(dir))
    }

    /// The tokens of each pair in the question. The prompt is what is asked.
    pub fn encode<A, B>(&self, text: &TextEncoder, pairs: &[(A, B)], limits: Limits<'_>) -> Result<Vec<Encoded>>
    where
        A: AsRef<str> + Sync,
        B: AsRef<str> + Sync,
    {
        let ask = |i: usize, (a, b): &(A, B)| self.ask(text, i, [a.as_ref(), b.as_ref()], limits);
        let mut asked = text.map(pairs, ask)?;
        if let Self::Template { .. } = self {
            let tail = self.tail(text, limits.prompt)?;
            for pair in asked.iter_mut().filter(|pair| pair.left_out > 0) {
                let kept = tail.len().min(pair.ids.len());
                let at = pair.ids.len() - kept;
                pair.ids[at..].copy_from_slice(&tail[tail.len() - kept..]);
            }
        }
        Ok(asked)
    }

    fn ask(&self, text: &TextEncoder, i: usize, [query, document]: [&str; 2], limits: Limits<'_>) -> Result<Encoded> {
        let Limits { prompt, max_tokens, overlong, first } = limits;
        match self {
            Self::Template { kwargs, parts } => {
                let template = template(text.tokenizer())?;
                let rendered = render(template, kwargs, *parts, prompt, [query, document])?;
                let mut ids = text.tokenizer().encode(&rendered, false)?;
                let left_out = ids.len().saturating_sub(max_tokens);
                if left_out > 0 && overlong == Overlong::Refuse {
                    let (i, length) = (first + i, ids.len());
                    return Err(Error::msg(format!("Pair {i} has {length} tokens; the model takes {max_tokens}.")));
                }
                ids.truncate(max_tokens);
                Ok(Encoded { ids, types: Vec::new(), left_out })
            }
            Self::Qwen { before, behind } => {
                let instruct = if prompt.is_empty() { INSTRUCT } else { prompt };
                let inner = format!("<Instruct>: {instruct}\n<Query>: {query}\n<Document>: {document}");
                let around = before.len() + behind.len();
                let room = max_tokens.saturating_sub(around);
                if room == 0 {
                    let reason = format!("{max_tokens} tokens leave no room beside the {around} around every pair.");
                    return Err(Error::msg(reason));
                }
                let inner = text.encode(first + i, &inner, Limits { prompt: "", max_tokens: room, ..limits })?;
                Ok(Encoded { ids: [&before[..], &inner, behind].concat(), types: Vec::new(), left_out: 0 })
            }
        }
    }

    /// The tokens that end every rendering, which a cut would lose: what two unlike pairs end with in common.
    fn tail(&self, text: &TextEncoder, prompt: &str) -> Result<Vec<u32>> {
        let limits = Limits { prompt, max_tokens: usize::MAX, overlong: Overlong::Truncate, first: 0 };
        let ids = |filler| Ok::<_, Error>(self.ask(text, 0, [filler; 2], limits)?.ids);
        let (a, b) = (ids("0")?, ids("1 2 3 4")?);
        let count = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
        Ok(a[a.len() - count..].to_vec())
    }
}

fn template(tokenizer: &Tokenizer) -> Result<&ChatTemplate> {
    tokenizer.chat_template()?.ok_or_else(|| Error::msg("The model has no chat template."))
}

fn render(
    template: &ChatTemplate,
    kwargs: &Map<String, Value>,
    parts: bool,
    prompt: &str,
    [query, document]: [&str; 2],
) -> Result<String> {
    let message = |role, text: &str| match parts {
        true => Message::new(role, json!([{ "type": "text", "text": text }])),
        false => Message::new(role, text),
    };
    let mut messages = vec![message("query", query), message("document", document)];
    if !prompt.is_empty() {
        messages.insert(0, message("system", prompt));
    }
    let mut extra = kwargs.clone();
    let add_generation_prompt = extra.remove("add_generation_prompt").is_some_and(|value| value == true);
    template.render(&Prompt { messages, add_generation_prompt, extra, ..Prompt::default() })
}
