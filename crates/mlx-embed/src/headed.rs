//! An encoder with the head that its checkpoint carries.

use crate::load::{LoadOptions, progress, tokenizer};
use crate::model;
use crate::text::TextEncoder;
use mlx_nn::encoder::{Encoder, EncoderConfig};
use mlx_nn::tokenizer::Encoded;
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Embedding, Error, Result, Weights};
use mlx_ops::Tensor;
use std::path::Path;

/// An encoder, its head, and how texts become its tokens.
pub struct Headed<T> {
    pub config: Config,
    pub encoder: Encoder,
    pub head: T,
    pub text: TextEncoder,
    pub max_tokens: usize,
}

impl<T> Headed<T> {
    /// Loads a folder whose head `build` makes of the configurations, the tensors beside the encoder and its table of tokens.
    pub fn load(
        dir: &Path,
        options: &mut LoadOptions,
        build: impl FnOnce(&Config, &EncoderConfig, &Weights, &Embedding) -> Result<T>,
    ) -> Result<Self> {
        let checkpoint = Checkpoint::folder(dir)?;
        let config = checkpoint.config.clone();
        let described = model::encoder(&config)?;
        let weights = checkpoint.weights(options.dtype()?);
        let of = described.clone();
        let many = weights.for_many_rows(options.sums()?);
        let (encoder, head) = Encoder::with_head(described, &many, |w, tokens| build(&config, &of, w, tokens))?;
        weights.finish(progress(options))?;
        let (tokenizer, max_tokens) = tokenizer(dir, encoder.config().context as usize)?;
        Ok(Self { config, encoder, head, text: TextEncoder::new(tokenizer)?, max_tokens })
    }

    /// The hidden states of sequences, `(T, hidden)`, and the lengths of those that adjoin.
    pub fn hidden(&self, texts: &[&Encoded]) -> Result<(Tensor, Vec<mlx_nn::encoder::Segment>)> {
        let ids: Vec<&[u32]> = texts.iter().map(|text| &text.ids[..]).collect();
        let types: Vec<&[u32]> = texts.iter().map(|text| &text.types[..]).collect();
        let batch = self.encoder.batch_pairs(&ids, &types)?;
        Ok((self.encoder.forward(&batch)?, batch.segments().to_vec()))
    }
}

/// The tokens that `wanted` may be, or `usual`; an error if a model takes at most `most`.
pub fn limit(wanted: Option<usize>, usual: usize, most: usize) -> Result<usize> {
    match wanted.unwrap_or(usual) {
        max if max == 0 || max > most => {
            Err(Error::msg(format!("The model takes texts of 1 to {most} tokens, not of {max}.")))
        }
        max => Ok(max),
    }
}
