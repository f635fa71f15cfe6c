//! Generation as text: pieces as they become readable, stop strings, and what it cost.

use super::{Generation, Options};
use crate::Result;
use crate::cache::KvCache;
use crate::decoder::Language;
use crate::tokenizer::{Detokenizer, Tokenizer};
use mlx_ops::memory;
use std::time::{Duration, Instant};

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// An end token or a stop string.
    Stop,
    /// The most tokens, or the end of the context.
    Length,
    /// The caller wanted no more.
    Cancelled,
}

impl Finish {
    /// The word that servers use: `stop`, `length` or `cancelled`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What a generation did and cost.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Prompt tokens that were computed (not found in a cache).
    pub prompt_tokens: usize,
    /// From the start of the prompt to the first token.
    pub prompt_time: Duration,
    /// Tokens produced, the end token included.
    pub generation_tokens: usize,
    /// From the first token to the last.
    pub generation_time: Duration,
    /// The most memory that arrays have used in this process, bytes.
    pub peak_memory: usize,
    /// Why it ended.
    pub finish: Finish,
}

impl Statistics {
    /// Prompt tokens per second.
    pub fn prompt_tps(&self) -> f64 {
        self.prompt_tokens as f64 / self.prompt_time.as_secs_f64().max(1e-9)
    }

    /// Tokens per second after the first.
    pub fn generation_tps(&self) -> f64 {
        self.generation_tokens.saturating_sub(1) as f64 / self.generation_time.as_secs_f64().max(1e-9)
    }
}

/// An iterator of text pieces: whole characters, never part of a stop string. Afterwards, [`TextStream::statistics`].
pub struct TextStream<'a> {
    generation: Generation<'a>,
    detokenizer: Option<Detokenizer>,
    end: Vec<u32>,
    stops: StopStrings,
    first: Instant,
    last: Instant,
    prompt_tokens: usize,
    prompt_time: Duration,
    produced: usize,
    finish: Option<Finish>,
}

impl<'a> TextStream<'a> {
    /// Runs the prompt past what the caches hold; errors as [`Generation::new`].
    pub fn new(
        model: &'a dyn Language,
        tokenizer: &Tokenizer,
        caches: Vec<KvCache>,
        prompt: &[u32],
        options: Options,
    ) -> Result<Self> {
        let start = Instant::now();
        let stops = StopStrings::new(&options.stop);
        let seen = caches.first().map_or(0, KvCache::offset) as usize;
        let generation = Generation::new(model, caches, prompt, options)?;
        let first = Instant::now();
        Ok(Self {
            generation,
            detokenizer: Some(tokenizer.stream()),
            end: tokenizer.eos().to_vec(),
            stops,
            first,
            last: first,
            prompt_tokens: prompt.len() - seen,
            prompt_time: first - start,
            produced: 0,
            finish: None,
        })
    }

    /// Ends the stream after the piece that was returned last.
    pub fn cancel(&mut self) {
        self.finish.get_or_insert(Finish::Cancelled);
    }

    /// The tokens so far: the prompt and what was produced.
    pub fn tokens(&self) -> &[u32] {
        self.generation.tokens()
    }

    /// Ends the stream and gives the caches back, with the tokens that they hold: the beginning of the tokens so far.
    pub fn take_caches(&mut self) -> (Vec<KvCache>, Vec<u32>) {
        self.cancel();
        self.generation.take_caches()
    }

    /// What the generation did so far.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            prompt_tokens: self.prompt_tokens,
            prompt_time: self.prompt_time,
            generation_tokens: self.produced,
            generation_time: self.last - self.first,
            peak_memory: memory::peak_memory().unwrap_or(0),
            finish: self.finish.unwrap_or(Finish::Cancelled),
        }
    }

    fn piece(&mut self) -> Result<Option<String>> {
        while self.finish.is_none() {
            let Some(id) = self.generation.next().transpose()? else {
                self.finish = Some(Finish::Length);
                break;
            };
            self.last = Instant::now();
            self.produced += 1;
            if self.end.contains(&id) {
                self.finish = Some(Finish::Stop);
                break;
            }
            let text = match &mut self.detokenizer {
                Some(detokenizer) => detokenizer.push(id)?,
                None => String::new(),
            };
            let (text, stopped) = self.stops.push(&text);
            if stopped {
                self.finish = Some(Finish::Stop);
                self.detokenizer = None;
            }
            if stopped || !text.is_empty() {
                return Ok(Some(text));
            }
        }
        match self.detokenizer.take() {
            Some(detokenizer) => Ok(Some(self.stops.finish(&detokenizer.finish()?))),
            None => Ok(None),
        }
    }
}

impl Iterator for TextStream<'_> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Result<String>> {
        self.piece().transpose()
    }
}

/// Holds text back while it may be the beginning of a stop string.
struct StopStrings {
    stops: Vec<String>,
    held: String,
}

impl StopStrings {
    fn new(stops: &[String]) -> Self {
        Self { stops: stops.iter().filter(|stop| !stop.is_empty()).cloned().collect(), held: String::new() }
    }

    /// What may be shown after more text arrived, and whether a stop string was complete.
    fn push(&mut self, text: &str) -> (String, bool) {
        if self.stops.is_empty() {
            return (text.to_owned(), false);
        }
        self.held.push_str(text);
        if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min() {
            let shown = self.held[..at].to_owned();
            self.held.clear();
            return (shown, true);
        }
        let keep = self.stops.iter().map(|stop| overlap(&self.held, stop)).max().unwrap_or(0);
        (self.held.drain(..self.held.len() - keep).collect(), false)
    }

    /// What is left to show when no more text will come.
    fn finish(&mut self, text: &str) -> String {
        let (mut shown, stopped) = self.push(text);
        if !stopped {
            shown.push_str(&std::mem::take(&mut self.held));
        }
        shown
    }
}

/// The length in bytes of the longest end of `text` that begins `stop`.
fn overlap(text: &str, stop: &str) -> usize {
    let longest = text.len().min(stop.len());
    (1..=longest).rev().find(|&n| text.as_bytes().ends_with(&stop.as_bytes()[..n])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::StopStrings;

    #[track_caller]
    fn check(stops: &[&str], pieces: &[&str], expected: &str, stopped: bool) {
        let stops: Vec<String> = stops.iter().map(|stop| stop.to_string()).collect();
        let (mut filter, mut shown) = (StopStrings::new(&stops), String::new());
        for piece in pieces {
            let (text, stop) = filter.push(piece);
            shown.push_str(&text);
            if stop {
                assert!(stopped, "stopped after {shown:?}");
                return assert_eq!(shown, expected);
            }
        }
        shown.push_str(&filter.finish(""));
        assert!(!stopped);
        assert_eq!(shown, expected);
    }

    #[test]
    fn stop_strings() {
        check(&[], &["a", "b"], "ab", false);
        check(&["END"], &["one E", "N", "D two"], "one ", true);
        check(&["END"], &["one E", "NX"], "one ENX", false);
        check(&["END"], &["one EN"], "one EN", false);
        check(&["aab"], &["a", "a", "a", "b"], "a", true);
        check(&["\n\n", "###"], &["x\n", "y\n\nz"], "x\ny", true);
        check(&["é!"], &["caf", "é", "?"], "café?", false);
        check(&[""], &["a"], "a", false);
    }
}
