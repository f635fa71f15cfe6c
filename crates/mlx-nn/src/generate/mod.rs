//! The one generation loop: chunked prefill, then one step of lookahead.

pub mod sample;
mod text;

pub use sample::{Sampler, Sampling};
pub use text::{Finish, Statistics, TextStream};

use crate::cache::KvCache;
use crate::decoder::{Input, Language, Logits, Step};
use crate::{Error, Result};
use mlx_ops::{Device, Tensor, async_eval, eval, memory};
use std::ops::ControlFlow;

/// Changes logits `(1, vocab)` before the sampler sees them, given the tokens so far.
pub type Processor = Box<dyn FnMut(&[u32], Tensor) -> Result<Tensor>>;

/// Called during prefill with the prompt tokens done and in all; `Break` ends the generation.
pub type Progress = Box<dyn FnMut(usize, usize) -> ControlFlow<()>>;

/// How to generate.
pub struct Options {
    /// The most tokens to produce.
    pub max_tokens: usize,
    /// How many prompt tokens one forward pass takes.
    pub prefill_step: usize,
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// Text ends before any of these.
    pub stop: Vec<String>,
    /// What else changes the logits. Each call waits for the token before it, so that a list here costs the lookahead.
    pub processors: Vec<Processor>,
    /// Hears of the prompt's progress.
    pub progress: Option<Progress>,
}

/// How many prompt tokens one forward pass takes unless told: 256 on a CPU, where more of them only take memory, else 2048.
pub fn prefill_step() -> usize {
    match Device::current() {
        Ok(Device::Cpu) => 256,
        _ => 2048,
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_tokens: 256,
            prefill_step: prefill_step(),
            sampling: Sampling::default(),
            stop: Vec::new(),
            processors: Vec::new(),
            progress: None,
        }
    }
}

/// An iterator of tokens. While a token is read, the next one is being computed.
pub struct Generation<'a> {
    model: &'a dyn Language,
    caches: Vec<KvCache>,
    sampler: Sampler,
    processors: Vec<Processor>,
    tokens: Vec<u32>,
    ahead: Option<Tensor>,
    produced: usize,
    max_tokens: usize,
}

impl<'a> Generation<'a> {
    /// Runs the prompt past what the caches hold (its beginning), and starts on the first token.
    ///
    /// Errors: an empty prompt, an id outside the vocabulary, a prompt beyond the model's context, an option out of range.
    pub fn new(model: &'a dyn Language, caches: Vec<KvCache>, prompt: &[u32], options: Options) -> Result<Self> {
        let seen = caches.first().map_or(0, KvCache::offset) as usize;
        let max_tokens = check(model, prompt, seen, &options)?;
        let mut caches = caches;
        // The last token is drawn and never run.
        let positions = prompt.len() + max_tokens.saturating_sub(1).min(256);
        caches.iter_mut().for_each(|cache| cache.reserve(positions as i32));
        let mut generation = Self {
            model,
            caches,
            sampler: Sampler::new(&options.sampling, prompt)?,
            processors: options.processors,
            tokens: prompt.to_vec(),
            ahead: None,
            produced: 0,
            max_tokens,
        };
        let progress = options.progress.unwrap_or_else(|| Box::new(|_, _| ControlFlow::Continue(())));
        generation.prefill(&prompt[seen..], options.prefill_step.max(1), progress)?;
        Ok(generation)
    }

    fn prefill(&mut self, prompt: &[u32], step: usize, mut progress: Progress) -> Result<()> {
        let mut done = 0;
        for chunk in prompt.chunks(step) {
            if progress(done, prompt.len()).is_break() {
                self.max_tokens = 0;
                return Ok(());
            }
            let ids = Tensor::from_slice(chunk, [1, chunk.len() as i32])?;
            done += chunk.len();
            if done < prompt.len() {
                self.model.forward(&Step { input: Input::Tokens(&ids), logits: Logits::Skip }, &mut self.caches)?;
                // Bounds the graph and the memory: logits of these positions are never computed.
                eval(self.caches.iter().flat_map(KvCache::buffers))?;
                memory::clear_cache()?;
            } else if self.max_tokens > 0 {
                self.ahead = Some(self.step(&ids)?);
            }
        }
        if let Some(first) = &self.ahead {
            first.eval()?;
        }
        let _ = progress(done, prompt.len());
        Ok(())
    }

    /// One forward pass and one draw, scheduled but not waited for.
    fn step(&mut self, ids: &Tensor) -> Result<Tensor> {
        let step = Step { input: Input::Tokens(ids), logits: Logits::Last };
        let logits = self.model.forward(&step, &mut self.caches)?;
        let logits = logits.ok_or_else(|| Error::msg("The model gave no logits."))?;
        let mut logits = logits.i((.., -1))?; // (1, vocab)
        for processor in &mut self.processors {
            logits = processor(&self.tokens, logits)?;
        }
        let token = self.sampler.sample(&logits)?;
        async_eval([&token])?;
        Ok(token)
    }

    /// The tokens so far: the prompt and what was produced.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Ends the generation and gives the caches back, with the tokens that they hold: the beginning of the tokens so far.
    pub fn take_caches(&mut self) -> (Vec<KvCache>, Vec<u32>) {
        self.ahead = None;
        let held = self.caches.first().map_or(0, KvCache::offset) as usize;
        (std::mem::take(&mut self.caches), self.tokens[..held.min(self.tokens.len())].to_vec())
    }

    fn advance(&mut self) -> Result<Option<u32>> {
        if self.produced == self.max_tokens {
            return Ok(None);
        }
        let Some(token) = self.ahead.take() else { return Ok(None) };
        let more = self.produced + 1 < self.max_tokens;
        let lookahead = self.processors.is_empty();
        if more && lookahead {
            self.ahead = Some(self.step(&token.reshape([1, 1])?)?);
        }
        let id = token.item::<u32>()?;
        self.tokens.push(id);
        self.produced += 1;
        if more && !lookahead {
            self.ahead = Some(self.step(&token.reshape([1, 1])?)?);
        }
        if self.produced.is_multiple_of(256) {
            memory::clear_cache()?;
        }
        Ok(Some(id))
    }
}

impl Iterator for Generation<'_> {
    type Item = Result<u32>;

    fn next(&mut self) -> Option<Result<u32>> {
        self.advance().transpose()
    }
}

/// Checks the request; returns how many tokens may be produced within the context.
fn check(model: &dyn Language, prompt: &[u32], seen: usize, options: &Options) -> Result<usize> {
    if prompt.is_empty() {
        return Err(Error::msg("The prompt is empty: it needs at least one token."));
    }
    if seen >= prompt.len() {
        return Err(Error::msg(format!("The caches hold {seen} tokens already, and the prompt has {}.", prompt.len())));
    }
    let vocab = model.vocab_size();
    if let Some((at, id)) = prompt.iter().enumerate().find(|&(_, &id)| id as usize >= vocab) {
        return Err(Error::msg(format!(
            "Token {at} of the prompt has id {id}, and the model knows ids below {vocab}."
        )));
    }
    match model.context() {
        Some(context) if prompt.len() > context => Err(Error::msg(format!(
            "The prompt has {} tokens, more than the {context} that the model's context holds.",
            prompt.len()
        ))),
        Some(context) => Ok(options.max_tokens.min(context - prompt.len() + 1)),
        None => Ok(options.max_tokens),
    }
}
