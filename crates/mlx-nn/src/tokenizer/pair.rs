//! Two texts as one sequence.

use super::Tokenizer;
use crate::{Error, Result};
use tokenizers::PostProcessor;
use tokenizers::utils::truncation::{TruncationParams, TruncationStrategy, truncate_encodings};

/// One text or two as one sequence, with what stands around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Which of the texts each token belongs to, as the model tells them apart: 0 or 1. Empty where its files say that it
    /// does not.
    pub types: Vec<u32>,
    /// Tokens that were left out.
    pub left_out: usize,
}

impl Tokenizer {
    /// Encodes `a` and `b` as tokenizer.json's template for pairs says, with at most `limit` tokens.
    ///
    /// The longer text loses its end first, then both do, as transformers' `longest_first` has it. An error if `limit`
    /// has no room for what stands around the texts.
    pub fn encode_pair(&self, a: &str, b: &str, limit: usize) -> Result<Encoded> {
        let failed = |e| Error::msg(format!("The pair of texts cannot be encoded: {e}."));
        let model = &self.0.model;
        let around = self.0.special.around.as_ref();
        let added = match around {
            Some((before, after)) => 2 * (before.len() + after.len()),
            None => model.get_post_processor().map_or(0, |processor| processor.added_tokens(true)),
        };
        if limit < added {
            return Err(Error::msg(format!("{limit} tokens leave no room for the {added} around every pair.")));
        }
        let encode = |text| model.encode_fast(text, false).map_err(failed);
        let (a, mut b) = (encode(a)?, encode(b)?);
        // Where no template says otherwise, the second text is of the second type.
        b.set_type_ids(vec![1; b.len()]);
        let whole = a.len() + b.len();
        let strategy = TruncationStrategy::LongestFirst;
        let params = TruncationParams { max_length: limit - added, strategy, ..TruncationParams::default() };
        let (a, b) = truncate_encodings(a, Some(b), &params).map_err(failed)?;
        let b = b.unwrap_or_default();
        let left_out = whole - a.len() - b.len();
        let (ids, types) = match around {
            Some((before, after)) => {
                let ids = [before, a.get_ids(), after, before, b.get_ids(), after].concat();
                let first = before.len() + a.len() + after.len();
                let types = (0..ids.len()).map(|i| u32::from(i >= first)).collect();
                (ids, types)
            }
            None => {
                let joined = model.post_process(a, Some(b), true).map_err(failed)?;
                (joined.get_ids().to_vec(), joined.get_type_ids().to_vec())
            }
        };
        let types = if self.0.special.typed { types } else { Vec::new() };
        Ok(Encoded { ids, types, left_out })
    }
}
