//! The modules that texts of one kind go through.

use super::SparseVector;
use super::splade::Splade;
use crate::fill_mask::load_masked;
use crate::headed::Headed;
use crate::load::{LoadOptions, progress, tokenizer};
use crate::settings::Module;
use crate::text::{Limits, TextEncoder, with_prompt};
use crate::{Overlong, pipeline};
use mlx_nn::encoder::heads::MaskedLm;
use mlx_nn::tokenizer::{Encoded, Tokenizer};
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Error, Result};
use std::path::Path;

/// From a text to weights of words.
pub enum Way {
    /// A masked language model says at every token which words would fit.
    Expansion { model: Box<Headed<MaskedLm>>, splade: Splade },
    /// The text's own words count, each with its weight. Follows sentence_transformers' sparse_static_embedding.py.
    Words { text: TextEncoder, weights: Vec<f32>, max_tokens: usize },
}

impl Way {
    pub fn load(dir: &Path, modules: &[Module], options: &mut LoadOptions) -> Result<Self> {
        let kinds: Vec<&str> = modules.iter().map(|module| module.kind.as_str()).collect();
        let splade = match kinds[..] {
            ["SparseStaticEmbedding"] => return Self::words(&modules[0].dir, options),
            ["Transformer"] => Splade::largest(),
            ["Transformer" | "MLMTransformer", "SpladePooling"] => {
                Splade::read(&Config::read(&modules[1].dir.join("config.json"))?)?
            }
            _ => {
                let expected = "a Transformer and a SpladePooling, or a SparseStaticEmbedding";
                let what = format!("the modules of a sparse encoder should be {expected}, not {}.", kinds.join(", "));
                return Err(Error::msg(what).in_file(dir.join("modules.json")));
            }
        };
        Ok(Self::Expansion { model: Box::new(load_masked(&modules[0].dir, options)?), splade })
    }

    fn words(dir: &Path, options: &mut LoadOptions) -> Result<Self> {
        let checkpoint = Checkpoint::folder(dir)?;
        if let Some(path) = checkpoint.config.opt_text("path")? {
            return Err(checkpoint.config.wrong("path", "absent, with the weights in model.safetensors", path));
        }
        let (tokenizer, max_tokens) = tokenizer(dir, usize::MAX)?;
        let weights = checkpoint.weights(Some(mlx_ops::Dtype::F32));
        let table = weights.take("weight", &[tokenizer.vocab_size() as i32])?;
        weights.finish(progress(options))?;
        Ok(Self::Words { text: TextEncoder::new(tokenizer)?, weights: table.to_vec()?, max_tokens })
    }

    pub fn dims(&self) -> usize {
        match self {
            Self::Expansion { model, .. } => model.encoder.config().vocab_size as usize,
            Self::Words { weights, .. } => weights.len(),
        }
    }

    pub fn max_tokens(&self) -> usize {
        match self {
            Self::Expansion { model, .. } => model.max_tokens,
            Self::Words { max_tokens, .. } => *max_tokens,
        }
    }

    /// The most tokens of a text that can be asked for.
    pub fn context(&self) -> usize {
        match self {
            Self::Expansion { model, .. } => model.encoder.config().context as usize,
            Self::Words { .. } => usize::MAX,
        }
    }

    pub fn tokenizer(&self) -> &Tokenizer {
        match self {
            Self::Expansion { model, .. } => model.text.tokenizer(),
            Self::Words { text, .. } => text.tokenizer(),
        }
    }

    /// A vector of at most `most` words for each text.
    pub fn encode<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        limits: Limits<'_>,
        batch_tokens: usize,
        most: Option<usize>,
    ) -> Result<Vec<SparseVector>> {
        let (model, splade) = match self {
            Self::Expansion { model, splade } => (model, splade),
            Self::Words { text, weights, .. } => {
                return text.map(texts, |i, each| words(text, weights, i, each.as_ref(), limits, most));
            }
        };
        let ids = model.text.encode_all(texts, limits)?;
        let texts: Vec<_> = ids.into_iter().map(|ids| Encoded { ids, types: Vec::new(), left_out: 0 }).collect();
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        let mut vectors = vec![SparseVector::default(); texts.len()];
        let forward = |bin: &[usize]| {
            let (hidden, segments) = model.hidden(&bin.iter().map(|&i| &texts[i]).collect::<Vec<_>>())?;
            splade.forward(&model.head, &hidden, &segments)
        };
        let take = |i: usize, row: &[f32]| vectors[i] = SparseVector::new(row, most);
        pipeline::run(&lengths, batch_tokens, "vector", 0, forward, take)?;
        Ok(vectors)
    }
}

/// The weights of a text's own words. No marks stand around it.
fn words(
    text: &TextEncoder,
    weights: &[f32],
    i: usize,
    each: &str,
    limits: Limits<'_>,
    most: Option<usize>,
) -> Result<SparseVector> {
    let Limits { prompt, max_tokens, overlong, first } = limits;
    let mut ids = text.tokenizer().encode(&with_prompt(prompt, each), false)?;
    let (i, length) = (first + i, ids.len());
    if length > max_tokens && overlong == Overlong::Refuse {
        return Err(Error::msg(format!("Text {i} has {length} tokens; the model takes {max_tokens}.")));
    }
    match overlong {
        Overlong::TruncateStart => drop(ids.drain(..length.saturating_sub(max_tokens))),
        _ => ids.truncate(max_tokens),
    }
    let mut dense = vec![0.0; weights.len()];
    for id in ids.into_iter().map(|id| id as usize) {
        match weights.get(id) {
            Some(weight) if weight.is_finite() => dense[id] = *weight,
            Some(_) => {
                return Err(Error::msg(format!("The vector of text {i} is not finite: the weights are broken.")));
            }
            None => return Err(Error::msg(format!("Text {i} has the id {id}; the model knows {}.", weights.len()))),
        }
    }
    Ok(SparseVector::new(&dense, most))
}
