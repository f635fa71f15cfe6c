//! From texts to weights of words. Follows sentence_transformers' sparse_encoder/model.py.

use crate::fill_mask::load_masked;
use crate::headed::{Headed, limit};
use crate::load::LoadOptions;
use crate::settings::{Settings, modules, optional};
use crate::splade::Splade;
use crate::text::Limits;
use crate::{Overlong, Prompt, pipeline};
use mlx_nn::encoder::heads::MaskedLm;
use mlx_nn::tokenizer::{Encoded, Tokenizer};
use mlx_nn::{Config, Error, Result};
use std::path::Path;

/// A model from texts to sparse vectors.
pub struct SparseEncoder {
    model: Headed<MaskedLm>,
    splade: Splade,
    settings: Settings,
    max_active_dims: Option<usize>,
}

/// The weights of the words that count for a text; those of all others are 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseVector {
    /// The words' token ids, in rising order.
    pub indices: Vec<u32>,
    /// Their weights.
    pub weights: Vec<f32>,
}

/// How to encode into sparse vectors.
#[derive(Clone, Debug)]
pub struct SparseOptions {
    /// What stands in front of each text.
    pub prompt: Prompt,
    /// The most words of a vector, those of the largest weights; `None`: as many as the model's files say, or all.
    pub max_active_dims: Option<usize>,
    /// The most tokens of a text, those around it included; `None`: as many as the model's files say.
    pub max_tokens: Option<usize>,
    /// What becomes of longer texts.
    pub overlong: Overlong,
    /// The most tokens that go through the model together. More take more memory.
    pub batch_tokens: usize,
}

impl Default for SparseOptions {
    fn default() -> Self {
        let (prompt, overlong) = (Prompt::Default, Overlong::Truncate);
        Self { prompt, max_active_dims: None, max_tokens: None, overlong, batch_tokens: 1024 }
    }
}

impl SparseVector {
    /// The numbers of a dense vector that are not 0, the `most` largest of them by size. Of equal ones the first stay.
    pub fn new(dense: &[f32], most: Option<usize>) -> Self {
        let mut kept: Vec<(u32, f32)> = (0..).zip(dense.iter().copied()).filter(|&(_, x)| x != 0.0).collect();
        if let Some(most) = most.filter(|&most| most < kept.len()) {
            kept.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
            kept.truncate(most);
            kept.sort_by_key(|&(i, _)| i);
        }
        let (indices, weights) = kept.into_iter().unzip();
        Self { indices, weights }
    }

    /// The sum of the products of the weights of common words.
    pub fn dot(&self, other: &Self) -> f32 {
        let mut others = other.indices.iter().zip(&other.weights).peekable();
        let mut sum = 0.0;
        for (i, weight) in self.indices.iter().zip(&self.weights) {
            while others.next_if(|(j, _)| *j < i).is_some() {}
            if let Some((_, b)) = others.next_if(|(j, _)| *j == i) {
                sum += weight * b;
            }
        }
        sum
    }
}

impl SparseEncoder {
    /// Loads a sentence-transformers folder, or one with a masked language model alone, whose words' largest weights then
    /// count.
    pub fn load(dir: impl AsRef<Path>, options: LoadOptions) -> Result<Self> {
        let dir = dir.as_ref();
        let modules = modules(dir)?;
        let kinds: Vec<&str> = modules.iter().map(|module| module.kind.as_str()).collect();
        let splade = match kinds[..] {
            ["Transformer"] => Splade::largest(),
            ["Transformer" | "MLMTransformer", "SpladePooling"] => {
                Splade::read(&Config::read(&modules[1].dir.join("config.json"))?)?
            }
            _ => {
                let expected = "a Transformer and a SpladePooling";
                let what = format!("the modules of a sparse encoder should be {expected}, not {}.", kinds.join(", "));
                return Err(Error::msg(what).in_file(dir.join("modules.json")));
            }
        };
        let saved = optional(&dir.join("config_sentence_transformers.json"))?;
        let max_active_dims = saved.opt_int("max_active_dims")?.map(|most| most as usize);
        let model = load_masked(&modules[0].dir, options)?;
        Ok(Self { model, splade, settings: Settings::read(dir)?, max_active_dims })
    }

    /// A sparse vector for each text, in the order of the texts.
    ///
    /// An error names the text that is too long, where that is not allowed, or whose weights would not be finite.
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S], options: &SparseOptions) -> Result<Vec<SparseVector>> {
        let most = options.max_active_dims.or(self.max_active_dims);
        if most == Some(0) {
            return Err(Error::msg("The option `max_active_dims` should be 1 or more."));
        }
        let prompt = self.settings.prompt(&options.prompt)?;
        let context = self.model.encoder.config().context as usize;
        let max_tokens = limit(options.max_tokens, self.model.max_tokens, context)?;
        let limits = Limits { prompt, max_tokens, overlong: options.overlong, first: 0 };
        let ids = self.model.text.encode_all(texts, limits)?;
        let texts: Vec<_> = ids.into_iter().map(|ids| Encoded { ids, types: Vec::new(), left_out: 0 }).collect();
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        let mut vectors = vec![SparseVector::default(); texts.len()];
        let forward = |bin: &[usize]| {
            let (hidden, segments) = self.model.hidden(&bin.iter().map(|&i| &texts[i]).collect::<Vec<_>>())?;
            self.splade.forward(&self.model.head, &hidden, &segments)
        };
        let take = |i: usize, row: &[f32]| vectors[i] = SparseVector::new(row, most);
        pipeline::run(&lengths, options.batch_tokens, "vector", 0, forward, take)?;
        Ok(vectors)
    }

    /// [`SparseEncoder::encode`] with the model's prompt for queries.
    pub fn encode_query<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        options: &SparseOptions,
    ) -> Result<Vec<SparseVector>> {
        self.encode(texts, &SparseOptions { prompt: Prompt::Query, ..options.clone() })
    }

    /// [`SparseEncoder::encode`] with the model's prompt for documents.
    pub fn encode_document<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        options: &SparseOptions,
    ) -> Result<Vec<SparseVector>> {
        self.encode(texts, &SparseOptions { prompt: Prompt::Document, ..options.clone() })
    }

    /// The words of a vector, as the vocabulary spells them, the weightiest first, `top_k` of them or all.
    pub fn decode(&self, vector: &SparseVector, top_k: Option<usize>) -> Vec<(String, f32)> {
        let mut pairs: Vec<(u32, f32)> = vector.indices.iter().copied().zip(vector.weights.iter().copied()).collect();
        pairs.sort_by(|a, b| b.1.total_cmp(&a.1));
        pairs.truncate(top_k.unwrap_or(usize::MAX));
        // The embedding may have rows beyond the vocabulary.
        let spell = |id| self.tokenizer().token(id).unwrap_or_default();
        pairs.into_iter().map(|(id, weight)| (spell(id), weight)).collect()
    }

    /// Words that a vector may have.
    pub fn dims(&self) -> usize {
        self.model.encoder.config().vocab_size as usize
    }

    /// The most tokens of a text, those around it included, that the model's files allow.
    pub fn max_tokens(&self) -> usize {
        self.model.max_tokens
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.model.text.tokenizer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_numbers_stay_in_place() {
        let dense = [0.0, 1.0, 0.5, 0.0, 2.0, 1.0];
        let all = SparseVector::new(&dense, None);
        assert_eq!((&all.indices[..], &all.weights[..]), (&[1, 2, 4, 5][..], &[1.0, 0.5, 2.0, 1.0][..]));
        let two = SparseVector::new(&dense, Some(2));
        assert_eq!((&two.indices[..], &two.weights[..]), (&[1, 4][..], &[1.0, 2.0][..]));
        assert_eq!(SparseVector::new(&dense, Some(9)), all);
    }

    #[test]
    fn products_are_those_of_common_words() {
        let vector = |dense: &[f32]| SparseVector::new(dense, None);
        let a = vector(&[0.0, 1.0, 2.0, 0.0, 3.0]);
        assert_eq!(a.dot(&vector(&[5.0, 0.0, 7.0, 1.0, 2.0])), 20.0);
        assert_eq!(a.dot(&a), 14.0);
        assert_eq!(a.dot(&SparseVector::default()), 0.0);
    }
}
