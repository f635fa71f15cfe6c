//! From texts to ids, on all cores.

use crate::Overlong;
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Texts that a thread takes at a time.
const BLOCK: usize = 16;

/// A tokenizer that keeps to a limit. Cheap to clone.
#[derive(Clone)]
pub struct TextEncoder {
    tokenizer: Tokenizer,
    /// Tokens that stand in front of and behind every text.
    around: [usize; 2],
}

/// How to treat one text.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    pub prompt: &'a str,
    pub max_tokens: usize,
    pub overlong: Overlong,
    /// What the first text is called in errors.
    pub first: usize,
}

impl TextEncoder {
    pub fn new(tokenizer: Tokenizer) -> Result<Self> {
        let (inner, whole) = (tokenizer.encode("a", false)?, tokenizer.encode("a", true)?);
        let front = whole.windows(inner.len().max(1)).position(|ids| ids == inner).unwrap_or(0);
        let around = [front, whole.len().saturating_sub(front + inner.len())];
        Ok(Self { tokenizer, around })
    }

    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// How many of a text's tokens are those of the prompt before it and of what stands in front.
    pub fn prompt_tokens(&self, prompt: &str) -> Result<usize> {
        if prompt.is_empty() {
            return Ok(0);
        }
        let ids = self.tokenizer.encode(prompt, true)?;
        Ok(ids.len() - usize::from(ids.last().is_some_and(|&id| self.tokenizer.is_special(id))))
    }

    /// The ids of each text.
    pub fn encode_all<S: AsRef<str> + Sync>(&self, texts: &[S], limits: Limits<'_>) -> Result<Vec<Vec<u32>>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(texts.len().div_ceil(BLOCK));
        let next = AtomicUsize::new(0);
        let work = || {
            let mut blocks = Vec::new();
            loop {
                let at = next.fetch_add(BLOCK, Ordering::Relaxed);
                let Some(block) = texts.get(at..texts.len().min(at + BLOCK)).filter(|block| !block.is_empty()) else {
                    return Ok::<_, Error>(blocks);
                };
                let ids = |(i, text): (usize, &S)| self.encode(limits.first + at + i, text.as_ref(), limits);
                blocks.push((at, block.iter().enumerate().map(ids).collect::<Result<Vec<_>>>()?));
            }
        };
        let mut blocks: Vec<(usize, Vec<Vec<u32>>)> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut blocks = work()?;
            for other in others {
                blocks.extend(other.join().map_err(|_| Error::msg("A thread that split texts panicked."))??);
            }
            Ok::<_, Error>(blocks)
        })?;
        blocks.sort_by_key(|&(at, _)| at);
        Ok(blocks.into_iter().flat_map(|(_, ids)| ids).collect())
    }

    fn encode(&self, i: usize, text: &str, limits: Limits<'_>) -> Result<Vec<u32>> {
        let prompt = limits.prompt;
        let joined;
        let text = match prompt {
            "" => text,
            prompt => {
                joined = [prompt, text].concat();
                &joined
            }
        };
        let mut ids = self.tokenizer.encode(text, true)?;
        self.fit(i, &mut ids, limits)?;
        Ok(ids)
    }

    /// Brings the ids of text `i` under the limit: what stands around the text stays.
    pub fn fit(&self, i: usize, ids: &mut Vec<u32>, limits: Limits<'_>) -> Result<()> {
        let Limits { max_tokens, overlong, .. } = limits;
        let length = ids.len();
        if length == 0 {
            return Err(Error::msg(format!("Text {i} has no token, and the model adds none.")));
        }
        if length > max_tokens {
            if overlong == Overlong::Refuse {
                return Err(Error::msg(format!("Text {i} has {length} tokens; the model takes {max_tokens}.")));
            }
            let [front, behind] = self.around;
            if max_tokens < (front + behind).max(1) {
                let least = (front + behind).max(1);
                return Err(Error::msg(format!(
                    "{max_tokens} tokens leave no room for the {least} around every text."
                )));
            }
            let start = if overlong == Overlong::TruncateStart { front } else { max_tokens - behind };
            ids.drain(start..start + length - max_tokens);
        }
        Ok(())
    }
}
