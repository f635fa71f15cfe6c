//! A conversation that computes each token once.

use crate::Model;
use mlx_nn::Result;
use mlx_nn::cache::KvCache;
use mlx_nn::chat::Message;
use mlx_nn::generate::{Options, Statistics, TextStream};

/// A conversation with a model. Its caches stay between turns, so that a turn costs only what is new.
pub struct Chat<'m> {
    model: &'m Model,
    messages: Vec<Message>,
    caches: Vec<KvCache>,
    tokens: Vec<u32>,
}

impl<'m> Chat<'m> {
    pub(crate) fn new(model: &'m Model) -> Self {
        Self { model, messages: Vec::new(), caches: model.language().caches(), tokens: Vec::new() }
    }

    /// Begins with a system message.
    pub fn system(mut self, text: impl Into<String>) -> Self {
        self.messages.push(Message::system(text.into()));
        self
    }

    /// The messages so far.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Forgets everything but the system message.
    pub fn reset(&mut self) {
        self.messages.retain(|message| message.role == "system");
    }

    /// Asks, and answers piece by piece. What was answered when the [`Answer`] is dropped becomes part of the conversation.
    ///
    /// Errors as [`Model::stream`]; then the conversation is as before.
    pub fn ask(&mut self, text: impl Into<String>, options: Options) -> Result<Answer<'_>> {
        self.messages.push(Message::user(text.into()));
        match self.prepare() {
            Ok(prompt) => self.answer(prompt, options),
            Err(e) => {
                self.messages.pop();
                Err(e)
            }
        }
    }

    /// The ids of the conversation; what the caches hold beyond the common beginning is forgotten.
    fn prepare(&mut self) -> Result<Vec<u32>> {
        let prompt = self.model.chat_ids(self.messages.clone())?;
        let common = self.tokens.iter().zip(&prompt).take_while(|(a, b)| a == b).count();
        let keep = common.min(prompt.len().saturating_sub(1));
        let surplus = (self.tokens.len() - keep) as i32;
        match self.caches.iter().all(|cache| cache.can_trim(surplus)) {
            true => self.caches.iter_mut().for_each(|cache| cache.trim(surplus)),
            false => self.caches = self.model.language().caches(),
        }
        self.tokens.truncate(keep);
        Ok(prompt)
    }

    fn answer(&mut self, prompt: Vec<u32>, options: Options) -> Result<Answer<'_>> {
        let caches = std::mem::take(&mut self.caches);
        let (language, tokenizer) = (self.model.language(), self.model.tokenizer());
        match TextStream::new(language, tokenizer, caches, &prompt, options) {
            Ok(stream) => {
                let (caches, messages, tokens) = (&mut self.caches, &mut self.messages, &mut self.tokens);
                Ok(Answer { stream, caches, messages, tokens, text: String::new() })
            }
            Err(e) => {
                self.messages.pop();
                self.caches = language.caches();
                self.tokens.clear();
                Err(e)
            }
        }
    }
}

/// The pieces of an answer, then its statistics.
pub struct Answer<'a> {
    stream: TextStream<'a>,
    caches: &'a mut Vec<KvCache>,
    messages: &'a mut Vec<Message>,
    tokens: &'a mut Vec<u32>,
    text: String,
}

impl Answer<'_> {
    /// Ends the answer after the piece that was returned last.
    pub fn cancel(&mut self) {
        self.stream.cancel();
    }

    /// What the answer did so far.
    pub fn statistics(&self) -> Statistics {
        self.stream.statistics()
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Iterator for Answer<'_> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Result<String>> {
        let piece = self.stream.next()?;
        if let Ok(piece) = &piece {
            self.text.push_str(piece);
        }
        Some(piece)
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        (*self.caches, *self.tokens) = self.stream.take_caches();
        self.messages.push(Message::assistant(std::mem::take(&mut self.text)));
    }
}
