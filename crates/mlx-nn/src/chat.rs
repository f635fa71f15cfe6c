//! Chat templates: messages to the text a model was trained on, as transformers' `apply_chat_template` renders it.

mod filters;
mod methods;
mod python;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::Value as Jinja;
use minijinja::{Environment, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Error, Result};

/// One turn, as OpenAI's API writes it. Fields beyond role and content (`tool_calls`, `name`, `tool_call_id`,
/// `reasoning_content`, ..) reach the template unchanged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks: `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Text, a list of parts such as `{"type": "text", "text": ".."}`, or null.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub content: Value,
    /// Further fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Message {
    /// A message of the given role.
    pub fn new(role: impl Into<String>, content: impl Into<Value>) -> Self {
        Self { role: role.into(), content: content.into(), extra: Map::new() }
    }

    /// A message that says how to answer.
    pub fn system(content: impl Into<Value>) -> Self {
        Self::new("system", content)
    }

    /// A question.
    pub fn user(content: impl Into<Value>) -> Self {
        Self::new("user", content)
    }

    /// An answer.
    pub fn assistant(content: impl Into<Value>) -> Self {
        Self::new("assistant", content)
    }
}

/// What to render besides the template's own text.
#[derive(Debug, Clone, Default)]
pub struct Prompt {
    /// The conversation in order.
    pub messages: Vec<Message>,
    /// JSON schemas. `None` and an empty list differ: a list selects the template named `tool_use`.
    pub tools: Option<Vec<Value>>,
    /// Documents for templates that retrieve from them.
    pub documents: Option<Vec<Value>>,
    /// Ends with the header of the assistant's turn.
    pub add_generation_prompt: bool,
    /// Ends within the last message, for the model to continue it.
    pub continue_final: bool,
    /// Further variables, such as `enable_thinking`. They win over the special tokens.
    pub extra: Map<String, Value>,
}

/// A compiled chat template, or several by name.
#[derive(Clone)]
pub struct ChatTemplate {
    env: Arc<Environment<'static>>,
    tokens: BTreeMap<String, String>,
}

const DEFAULT: &str = "default";
const TOOL_USE: &str = "tool_use";

/// Marks the end of the last message while it is rendered; the space shows whether the template trims it.
const CONTINUE: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// The names under which a message carries its reasoning, the usual one first.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

impl ChatTemplate {
    /// Compiles one template. It sees no special tokens: see [`ChatTemplate::named`].
    pub fn new(source: impl Into<String>) -> Result<Self> {
        Self::named(vec![(DEFAULT.to_owned(), source.into())], BTreeMap::new())
    }

    /// Compiles templates by name (`default`, `tool_use`, ..). `tokens` are variables such as `bos_token`.
    pub fn named(templates: Vec<(String, String)>, tokens: BTreeMap<String, String>) -> Result<Self> {
        let mut env = python::environment();
        for (name, source) in templates {
            let source = source::without_generation_tags(source);
            env.add_template_owned(name, source)
                .map_err(|e| Error::msg(format!("The chat template does not parse: {}.", explain(&e))))?;
        }
        Ok(Self { env: Arc::new(env), tokens })
    }

    /// The text of a conversation. Where the template calls `raise_exception`, the error carries its message.
    pub fn render(&self, prompt: &Prompt) -> Result<String> {
        if prompt.messages.is_empty() {
            return Err(Error::msg("A chat template needs at least one message."));
        }
        if prompt.continue_final && prompt.add_generation_prompt {
            return Err(Error::msg(
                "A prompt either continues the final message or adds a generation prompt, not both.",
            ));
        }
        let mut messages: Vec<Value> = prompt.messages.iter().map(message).collect::<Result<_>>()?;
        let last = if prompt.continue_final { Some(mark_final(&mut messages)?) } else { None };

        let mut context: BTreeMap<&str, Jinja> = BTreeMap::new();
        context.extend(self.tokens.iter().map(|(name, token)| (name.as_str(), Jinja::from(token.as_str()))));
        context.extend(prompt.extra.iter().map(|(name, value)| (name.as_str(), jinja(value))));
        context.insert("messages", jinja(&messages));
        context.insert("tools", jinja(&prompt.tools));
        context.insert("documents", jinja(&prompt.documents));
        context.insert("add_generation_prompt", prompt.add_generation_prompt.into());

        let template = self.template(prompt.tools.is_some())?;
        let text = template
            .render(Jinja::from_pairs(context))
            .map_err(|e| Error::msg(format!("The chat template cannot render these messages: {}.", explain(&e))))?;
        match last {
            Some(last) => cut_final(text, &last),
            None => Ok(text),
        }
    }

    fn template(&self, tools: bool) -> Result<minijinja::Template<'_, '_>> {
        let wanted = self.env.get_template(TOOL_USE).ok().filter(|_| tools);
        wanted.map_or_else(|| self.env.get_template(DEFAULT), Ok).map_err(|_| {
            let names: Vec<_> = self.env.templates().map(|(name, _)| name).collect();
            Error::msg(format!("The model has no default chat template, only {}.", names.join(", ")))
        })
    }
}

fn jinja(value: &impl Serialize) -> Jinja {
    Jinja::from(minijinja::value::Serde(value))
}

/// A message as templates see it: without null fields, and with its reasoning under every name templates read.
fn message(message: &Message) -> Result<Value> {
    let bad = |e| Error::msg(format!("A chat message cannot be written as JSON: {e}."));
    let mut fields = match serde_json::to_value(message).map_err(bad)? {
        Value::Object(fields) => fields,
        other => return Ok(other),
    };
    fields.retain(|_, value| !value.is_null());
    let Some(reasoning) = REASONING.iter().find_map(|name| fields.get(*name)).cloned() else {
        return Ok(fields.into());
    };
    let mut aliased = Map::new();
    aliased.insert("thinking".to_owned(), reasoning.clone());
    aliased.extend(fields);
    aliased.insert("reasoning_content".to_owned(), reasoning);
    Ok(aliased.into())
}

/// Appends the mark to the last text of the last message, and returns that text.
fn mark_final(messages: &mut [Value]) -> Result<String> {
    let none = || Error::msg("The final message has no text to continue.");
    let content = messages.last_mut().and_then(|last| last.get_mut("content")).ok_or_else(none)?;
    let text = match content {
        Value::Array(parts) => parts.iter_mut().rev().find_map(|part| part.get_mut("text")).ok_or_else(none)?,
        content => content,
    };
    let last = text.as_str().ok_or_else(none)?.to_owned();
    *text = json!(format!("{last}{CONTINUE}"));
    Ok(last)
}

/// Cuts the text at the mark; a template that trims the mark's space trims the message as well.
fn cut_final(mut text: String, last: &str) -> Result<String> {
    let at = text.rfind(CONTINUE.trim_end()).filter(|_| text.contains(last.trim())).ok_or_else(|| {
        Error::msg("The final message cannot be continued, since the chat template changes or drops it.")
    })?;
    let kept = text[at..].starts_with(CONTINUE);
    text.truncate(at);
    if !kept {
        text.truncate(text.trim_end().len());
    }
    Ok(text)
}

/// What the template said, and on which line.
fn explain(error: &minijinja::Error) -> String {
    let mut said = match (error.detail(), error.kind()) {
        // raise_exception's own words need no comment.
        (Some(detail), ErrorKind::InvalidOperation) => detail.to_owned(),
        (Some(detail), kind) => format!("{kind}: {detail}"),
        (None, kind) => kind.to_string(),
    };
    if let Some(cause) = std::error::Error::source(error) {
        said.push_str(&format!(" ({cause})"));
    }
    match error.line() {
        Some(line) => format!("line {line}: {said}"),
        None => said,
    }
}
