//! From texts to ids, on all cores.

use crate::Overlong;
use crate::cut::{self, Cut};
use mlx_nn::tokenizer::{Encoded, Tokenizer};
use mlx_nn::{Error, Result};
use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Texts that a thread takes at a time.
const BLOCK: usize = 16;
/// Bytes of a text whose tokens are all counted before it is refused.
const COUNTED: usize = 1 << 16;

/// A tokenizer that keeps to a limit. Cheap to clone.
#[derive(Clone)]
pub struct TextEncoder {
    tokenizer: Tokenizer,
    /// Tokens that stand in front of and behind every text.
    around: [usize; 2],
    /// Nothing stands around a text, and one without tokens is none that is wrong.
    bare: bool,
    cut: Option<Cut>,
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
        let cut = Cut::new(&tokenizer);
        Ok(Self { tokenizer, around, bare: false, cut })
    }

    /// A tokenizer that puts nothing around texts.
    pub fn bare(tokenizer: Tokenizer) -> Self {
        let cut = Cut::new(&tokenizer);
        Self { tokenizer, around: [0, 0], bare: true, cut }
    }

    /// The same where `markers`, or their first words, that are tokens are taken as such wherever they are written.
    pub fn with_markers(self, markers: &[String]) -> Result<Self> {
        let mut special = Vec::new();
        for marker in markers {
            let word = marker.split_whitespace().next().unwrap_or_default();
            let token = [marker.as_str(), word].into_iter().find(|text| self.tokenizer.id(text).is_some());
            if let Some(token) = token.filter(|token| !token.trim().is_empty())
                && self.tokenizer.encode(token, false)?.len() != 1
            {
                special.push(token.to_owned());
            }
        }
        match special.is_empty() {
            true => Ok(self),
            false => Self::new(self.tokenizer.with_special(&special)?),
        }
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
        self.map(texts, |i, text| self.encode(limits.first + i, text.as_ref(), limits))
    }

    /// The ids and types of each pair, whose first text is the one with the prompt.
    pub fn encode_pairs<A, B>(&self, pairs: &[(A, B)], limits: Limits<'_>) -> Result<Vec<Encoded>>
    where
        A: AsRef<str> + Sync,
        B: AsRef<str> + Sync,
    {
        let Limits { prompt, max_tokens, overlong, first } = limits;
        self.map(pairs, |i, (a, b)| {
            let a = with_prompt(prompt, a.as_ref());
            let pair = self.tokenizer.encode_pair(&a, b.as_ref(), max_tokens)?;
            if pair.left_out > 0 && overlong == Overlong::Refuse {
                let (i, length) = (first + i, pair.ids.len() + pair.left_out);
                return Err(Error::msg(format!("Pair {i} has {length} tokens; the model takes {max_tokens}.")));
            }
            Ok(pair)
        })
    }

    /// What `f` gives for each item and its number, in order, on all cores.
    pub fn map<T: Sync, R: Send>(&self, items: &[T], f: impl Fn(usize, &T) -> Result<R> + Sync) -> Result<Vec<R>> {
        if items.len() <= BLOCK {
            // To ask for the number of cores is to read files.
            return items.iter().enumerate().map(|(i, item)| f(i, item)).collect();
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len().div_ceil(BLOCK));
        let next = AtomicUsize::new(0);
        let work = || {
            let mut blocks = Vec::new();
            loop {
                let at = next.fetch_add(BLOCK, Ordering::Relaxed);
                let Some(block) = items.get(at..items.len().min(at + BLOCK)).filter(|block| !block.is_empty()) else {
                    return Ok::<_, Error>(blocks);
                };
                let results = block.iter().enumerate().map(|(i, item)| f(at + i, item));
                blocks.push((at, results.collect::<Result<Vec<_>>>()?));
            }
        };
        let mut blocks: Vec<(usize, Vec<R>)> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut blocks = work()?;
            for other in others {
                blocks.extend(other.join().map_err(|_| Error::msg("A thread that split texts panicked."))??);
            }
            Ok::<_, Error>(blocks)
        })?;
        blocks.sort_by_key(|&(at, _)| at);
        Ok(blocks.into_iter().flat_map(|(_, results)| results).collect())
    }

    /// The ids of one text, which errors call number `i`.
    pub fn encode(&self, i: usize, text: &str, limits: Limits<'_>) -> Result<Vec<u32>> {
        let least = match limits.overlong {
            Overlong::Truncate => 0,
            Overlong::Refuse => COUNTED,
            // Its end is what stays.
            Overlong::TruncateStart => usize::MAX,
        };
        let (mut ids, is_whole) = self.ids(&with_prompt(limits.prompt, text), limits.max_tokens, least)?;
        self.fit(i, &mut ids, is_whole, limits)?;
        Ok(ids)
    }

    /// Brings the ids of text `i`, or of its beginning, under the limit: what stands around the text stays.
    pub fn fit(&self, i: usize, ids: &mut Vec<u32>, is_whole: bool, limits: Limits<'_>) -> Result<()> {
        let Limits { max_tokens, overlong, .. } = limits;
        let length = ids.len();
        if length == 0 && !self.bare {
            return Err(Error::msg(format!("Text {i} has no token, and the model adds none.")));
        }
        if length > max_tokens {
            if overlong == Overlong::Refuse {
                let more = if is_whole { "" } else { " or more" };
                return Err(Error::msg(format!("Text {i} has {length} tokens{more}; the model takes {max_tokens}.")));
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

    /// The ids of a text, or of so much of it, from `least` bytes on, that they exceed `most`; whether they are all.
    fn ids(&self, text: &str, most: usize, least: usize) -> Result<(Vec<u32>, bool)> {
        let Some(cut) = &self.cut else { return Ok((self.tokenizer.encode(text, !self.bare)?, true)) };
        let mut size = most.saturating_mul(cut::BYTES).max(least);
        loop {
            let part = cut.part(text, size);
            let ids = self.tokenizer.encode(part, !self.bare)?;
            if part.len() == text.len() || ids.len() > most {
                return Ok((ids, part.len() == text.len()));
            }
            size = size.saturating_mul(4);
        }
    }
}

/// A text behind its prompt.
pub fn with_prompt<'a>(prompt: &str, text: &'a str) -> Cow<'a, str> {
    if prompt.is_empty() { Cow::Borrowed(text) } else { Cow::Owned([prompt, text].concat()) }
}
