//! Decoders that score sequences by their last token.

use crate::load::{LoadOptions, progress, tokenizer};
use crate::question::Question;
use crate::text::TextEncoder;
use mlx_nn::decoder::{Decoder, DecoderConfig, Input, Language, Logits, Step, presets};
use mlx_nn::encoder::heads::labels;
use mlx_nn::encoder::presets as encoders;
use mlx_nn::tokenizer::{Encoded, Tokenizer};
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Embedding, Error, Linear, Result, Weights};
use mlx_ops::{Matrix, Tensor, concatenate};
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
    decoder: Decoder,
    pub text: TextEncoder,
    pub max_tokens: usize,
    pub context: usize,
    pub labels: usize,
    /// The last token's logits are those of two words, whose difference is the score.
    differ: bool,
    /// How pairs are put to the model; `None`: as two texts.
    pub question: Option<Question>,
}

impl Causal {
    /// Loads a folder of `ForSequenceClassification`, or of `ForCausalLM` with the words that count (`yes` and `no` if none
    /// are given).
    pub fn load(dir: &Path, config: &Config, options: &mut LoadOptions, words: Option<Words>) -> Result<Self> {
        let model_type = config.text("model_type")?;
        let Some(preset) = presets::find(model_type) else {
            let known =
                encoders::PRESETS.iter().map(|(name, _)| *name).chain(presets::PRESETS.iter().map(|(name, _)| *name));
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(config.wrong("model_type", &format!("one of {known}"), format_args!("`{model_type}`")));
        };
        let described = preset(config)?;
        let context = described.context.unwrap_or(i32::MAX);
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
        let labels = if classifies { labels(config)? } else { 1 };
        let of = described.clone();
        let decoder = Decoder::with_output(described, &weights, |w, tokens| match words {
            None => w.linear("score", of.hidden_size, labels, false),
            Some(words) => rows(&of, words, w, tokens),
        })?;
        weights.finish(progress(options))?;
        let (text, differ) = (TextEncoder::new(tokenizer)?, words.is_some_and(|words| words.no.is_some()));
        let (config, labels, context) = (config.clone(), labels as usize, context as usize);
        Ok(Self { config, decoder, text, max_tokens, context, labels, differ, question })
    }

    /// A row of logits for each sequence, `(sequences, labels)`. Those of one length that adjoin go together.
    pub fn forward(&self, texts: &[&Encoded]) -> Result<Tensor> {
        let mut rows = Vec::new();
        for group in texts.chunk_by(|a, b| a.ids.len() == b.ids.len()) {
            let ids: Vec<i32> = group.iter().flat_map(|text| text.ids.iter().map(|&id| id as i32)).collect();
            let known = self.decoder.vocab_size();
            if let Some(id) = ids.iter().find(|&&id| id as usize >= known) {
                return Err(Error::msg(format!("A text has the id {id}; the model knows {known}.")));
            }
            if ids.is_empty() {
                return Err(Error::msg("A text has no token, and the model adds none."));
            }
            let (b, length) = (group.len() as i32, group[0].ids.len() as i32);
            let ids = Tensor::from_slice(&ids, [b, length])?;
            let step = Step { input: Input::Tokens(&ids), logits: Logits::Last };
            let logits = self.decoder.forward(&step, &mut self.decoder.caches())?;
            rows.extend(logits.map(|logits| logits.reshape([b, -1])).transpose()?); // (B, labels or words)
        }
        let rows = concatenate(&rows, 0)?;
        if !self.differ {
            return Ok(rows);
        }
        Ok((rows.i((.., ..1))? - rows.i((.., 1..))?)?)
    }
}

/// The rows of an output layer that belong to these words.
fn rows(c: &DecoderConfig, words: Words, w: &Weights, tokens: &Embedding) -> Result<Linear> {
    let ids: Vec<i32> = std::iter::once(words.yes).chain(words.no).map(|id| id as i32).collect();
    if let Some(id) = ids.iter().find(|&&id| id < 0 || id >= c.vocab_size) {
        return Err(Error::msg(format!("The token that answers has the id {id}; the model knows {}.", c.vocab_size)));
    }
    let ids = Tensor::from_slice(&ids, [ids.len() as i32])?;
    let rows = match Decoder::is_tied(c, w) {
        true => tokens.forward(&ids)?,
        false => w.embedding("lm_head", c.vocab_size, c.hidden_size)?.forward(&ids)?,
    };
    Ok(Linear::new(Matrix::dense(rows)?, None))
}
