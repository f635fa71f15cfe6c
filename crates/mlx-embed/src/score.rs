//! From texts and pairs of texts to a model's scores for its labels.

use crate::causal::{Causal, Words};
use crate::headed::{Headed, limit};
use crate::text::{Limits, TextEncoder};
use crate::{LoadOptions, Overlong, Prompt, pipeline};
use mlx_nn::encoder::heads::{Classifier, ClassifierConfig};
use mlx_nn::encoder::presets;
use mlx_nn::tokenizer::Encoded;
use mlx_nn::{Config, Result};
use std::path::Path;

/// How to score texts.
#[derive(Clone, Debug)]
pub struct ScoreOptions {
    /// What stands in front of each text, and of the first text of each pair. A decoder that is asked whether documents fit is
    /// asked this, in place of its authors' words.
    pub prompt: Prompt,
    /// The most tokens of a text or pair, those around it included; `None`: as many as the model's files say.
    pub max_tokens: Option<usize>,
    /// What becomes of longer ones. Of a pair, the longer text loses its end first.
    pub overlong: Overlong,
    /// Gives logits as they are, without the function that makes scores of them.
    pub raw: bool,
    /// The most tokens that go through the model together. More take more memory.
    pub batch_tokens: usize,
}

impl Default for ScoreOptions {
    fn default() -> Self {
        Self { prompt: Prompt::Default, max_tokens: None, overlong: Overlong::Truncate, raw: false, batch_tokens: 1024 }
    }
}

/// A model with a head that scores sequences.
pub enum Scorer {
    Encoder(Headed<(Classifier, i32)>),
    Decoder(Causal),
}

impl Scorer {
    /// Loads the folder of a model for sequence classification, or of a decoder that answers with yes or no.
    ///
    /// `words` are those whose logits count.
    pub fn load(dir: &Path, options: &mut LoadOptions, words: Option<Words>) -> Result<Self> {
        let config = Config::read(&dir.join("config.json"))?;
        if presets::find(config.text("model_type")?).is_none() {
            return Ok(Self::Decoder(Causal::load(dir, &config, options, words)?));
        }
        let headed = Headed::load(dir, options, |c, encoder, w, _| {
            let head = ClassifierConfig::read(c, encoder)?;
            Ok((Classifier::new(&head, encoder.hidden_size, w)?, head.labels))
        })?;
        Ok(Self::Encoder(headed))
    }

    pub fn config(&self) -> &Config {
        match self {
            Self::Encoder(model) => &model.config,
            Self::Decoder(model) => &model.config,
        }
    }

    pub fn labels(&self) -> usize {
        match self {
            Self::Encoder(model) => model.head.1 as usize,
            Self::Decoder(model) => model.labels,
        }
    }

    pub fn text(&self) -> &TextEncoder {
        match self {
            Self::Encoder(model) => &model.text,
            Self::Decoder(model) => &model.text,
        }
    }

    pub fn max_tokens(&self) -> usize {
        match self {
            Self::Encoder(model) => model.max_tokens,
            Self::Decoder(model) => model.max_tokens,
        }
    }

    /// The tokens that a text may have.
    pub fn limit(&self, wanted: Option<usize>) -> Result<usize> {
        match self {
            Self::Encoder(model) => limit(wanted, model.max_tokens, model.encoder.config().context as usize),
            Self::Decoder(model) => limit(wanted, model.max_tokens, model.context),
        }
    }

    /// The tokens of each text.
    pub fn texts<S: AsRef<str> + Sync>(&self, texts: &[S], limits: Limits<'_>) -> Result<Vec<Encoded>> {
        let ids = self.text().encode_all(texts, limits)?;
        Ok(ids.into_iter().map(|ids| Encoded { ids, types: Vec::new(), left_out: 0 }).collect())
    }

    /// The tokens of each pair.
    pub fn pairs<A, B>(&self, pairs: &[(A, B)], limits: Limits<'_>) -> Result<Vec<Encoded>>
    where
        A: AsRef<str> + Sync,
        B: AsRef<str> + Sync,
    {
        match self {
            Self::Decoder(Causal { question: Some(question), text, .. }) => question.encode(text, pairs, limits),
            _ => self.text().encode_pairs(pairs, limits),
        }
    }

    /// A row of logits for each text.
    pub fn logits(&self, texts: &[Encoded], batch_tokens: usize) -> Result<Vec<f32>> {
        let labels = self.labels();
        let mut values = vec![0.0; texts.len() * labels];
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        let forward = |bin: &[usize]| {
            let texts: Vec<&Encoded> = bin.iter().map(|&i| &texts[i]).collect();
            match self {
                Self::Encoder(model) => {
                    let (hidden, segments) = model.hidden(&texts)?;
                    model.head.0.forward(&hidden, &segments)
                }
                Self::Decoder(model) => model.forward(&texts),
            }
        };
        let take = |i: usize, row: &[f32]| values[i * labels..(i + 1) * labels].copy_from_slice(row);
        pipeline::run(&lengths, batch_tokens, "score", 0, forward, take)?;
        Ok(values)
    }
}
