//! Decoders that score sequences by their last token.

use crate::load::{LoadOptions, progress, tokenizer};
use crate::model;
use crate::question::Question;
use crate::text::TextEncoder;
use mlx_nn::decoder::{Backbone, DecoderConfig};
use mlx_nn::encoder::heads::labels;
use mlx_nn::tokenizer::{Encoded, Tokenizer};
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Embedding, Error, Linear, Result, Weights};
use mlx_ops::{Matrix, Tensor};
use std::path::Path;

/// Whose logits make the score: that of a word, less that of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    pub yes: u32,
    pub no: Option<u32>,
}

impl Words {
    /// The configuration of a LogitScore module.
    pub fn read(c: &Config) -> Result<Self> {
        let id = |key: &str| -> Result<Option<u32>> {
            let whole = |x: f64| x >= 0.0 && x.fract() == 0.0 && x <= f64::from(u32::MAX);
            match c.opt_float(key)? {
                Some(id) if !whole(id) => Err(c.wrong(key, "a token id", id)),
                id => Ok(id.map(|id| id as u32)),
            }
        };
        let yes = id("true_token_id")?.ok_or_else(|| c.missing("true_token_id"))?;
        Ok(Self { yes, no: id("false_token_id")? })
    }

    fn usual(tokenizer: &Tokenizer) -> Result<Self> {
        let id = |word| tokenizer.id(word).ok_or_else(|| Error::msg(format!("The vocabulary has no token `{word}`.")));
        Ok(Self { yes: id("yes")?, no: Some(id("no")?) })
    }
}

/// A decoder whose output layer is a classifier's, or the rows of a few words.
pub struct Causal {
    pub config: Config,
    backbone: Backbone,
    output: Linear,
    pub text: TextEncoder,
    pub max_tokens: usize,
    pub context: usize,
    pub labels: usize,
    /// The words whose logits the last token's are; `None`: those of labels.
    words: Option<Words>,
    /// How pairs are put to the model; `None`: as two texts.
    pub question: Option<Question>,
}

impl Causal {
    /// Loads a folder of `ForSequenceClassification`, or of `ForCausalLM` with the words that count (`yes` and `no` if none
    /// are given).
    pub fn load(dir: &Path, config: &Config, options: &mut LoadOptions, words: Option<Words>) -> Result<Self> {
        let described = model::decoder(config)?;
        let context = described.context.unwrap_or(i32::MAX) as usize;
        let (tokenizer, max_tokens) = tokenizer(dir, context)?;
        let architecture = config.opt_texts("architectures")?.unwrap_or_default().into_iter().next();
        let classifies =
            words.is_none() && architecture.is_some_and(|name| name.ends_with("ForSequenceClassification"));
        let words = match (classifies, words) {
            (true, _) => None,
            (false, None) => Some(Words::usual(&tokenizer)?),
            (false, words) => words,
        };
        let question = match classifies {
            true => None,
            false => Question::read(dir, config, &tokenizer)?,
        };
        let weights = Checkpoint::folder(dir)?.weights(options.dtype()?);
        let w = weights.for_many_rows(options.sums()?);
        let labels = if classifies { labels(config)? } else { 1 };
        let of = described.clone();
        let (backbone, output) = Backbone::with_head(described, &w, |w, tokens| match words {
            None => w.linear("score", of.hidden_size, labels, false),
            Some(words) => rows(&of, words, w, tokens),
        })?;
        weights.finish(progress(options))?;
        let text = TextEncoder::new(tokenizer)?;
        let (config, labels) = (config.clone(), labels as usize);
        Ok(Self { config, backbone, output, words, text, max_tokens, context, labels, question })
    }

    /// A row of logits for each sequence, `(sequences, labels)`.
    pub fn forward(&self, texts: &[&Encoded]) -> Result<Tensor> {
        let ids: Vec<&[u32]> = texts.iter().map(|text| &text.ids[..]).collect();
        let hidden = self.backbone.encode(&self.backbone.batch(&ids)?)?; // (T, hidden)
        let lengths = ids.iter().map(|ids| ids.len() as i32);
        let ends: Vec<i32> = lengths
            .scan(-1, |end, length| {
                Some({
                    *end += length;
                    *end
                })
            })
            .collect();
        let last = hidden.take(&Tensor::from_slice(&ends, [ends.len() as i32])?, 0)?; // (sequences, hidden)
        let mut logits = self.output.forward(&last)?; // (sequences, labels or words)
        let Some(words) = self.words else { return Ok(logits) };
        if let Some(cap) = self.backbone.config().logit_softcap {
            logits = ((logits / cap)?.tanh()? * cap)?;
        }
        match words.no {
            Some(_) => Ok((logits.i((.., ..1))? - logits.i((.., 1..))?)?),
            None => Ok(logits),
        }
    }
}

/// The rows of an output layer that belong to these words.
fn rows(c: &DecoderConfig, words: Words, w: &Weights, tokens: &Embedding) -> Result<Linear> {
    let ids: Vec<i32> = std::iter::once(words.yes).chain(words.no).map(|id| id as i32).collect();
    if let Some(id) = ids.iter().find(|&&id| id < 0 || id >= c.vocab_size) {
        return Err(Error::msg(format!("The token that answers has the id {id}; the model knows {}.", c.vocab_size)));
    }
    let ids = Tensor::from_slice(&ids, [ids.len() as i32])?;
    let rows = match c.is_tied(w) {
        true => tokens.forward(&ids)?,
        false => w.embedding("lm_head", c.vocab_size, c.hidden_size)?.forward(&ids)?,
    };
    Ok(Linear::new(Matrix::dense(rows)?, None))
}
