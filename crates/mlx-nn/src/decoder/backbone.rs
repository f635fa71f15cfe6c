//! The decoder without its output layer: all that a text encoder needs.

use super::block::{Block, Over};
use super::{DecoderConfig, Mixer};
use crate::cache::{KvCache, Visible};
use crate::packed::{Batch, Masks};
use crate::{Embedding, Norm, Result, Weights};
use mlx_ops::Tensor;

/// The embedding, the layers and the last norm of a decoder, with their weights.
pub struct Backbone {
    config: DecoderConfig,
    embed_tokens: Embedding,
    layers: Vec<Block>,
    pub(super) norm: Norm,
}

impl Backbone {
    /// Takes the decoder's tensors, named as Hugging Face names them, with or without `model.` in front; an output layer is
    /// left out.
    pub fn new(config: DecoderConfig, w: &Weights) -> Result<Self> {
        Ok(Self::with_head(config, w, |_, _| Ok(()))?.0)
    }

    /// The decoder and what `head` builds of the tensors beside it, which it gets with the table of tokens.
    pub fn with_head<T>(
        config: DecoderConfig,
        w: &Weights,
        head: impl FnOnce(&Weights, &Embedding) -> Result<T>,
    ) -> Result<(Self, T)> {
        let c = &config;
        let model = if w.has("embed_tokens.weight") { w } else { &w.at("model") };
        let embed_tokens = model.embedding("embed_tokens", c.vocab_size, c.hidden_size)?;
        let head = head(w, &embed_tokens)?;
        // An output layer, and tables that old checkpoints carry and that follow from the configuration.
        w.drop_where(|name| name.starts_with("lm_head.") || name.ends_with("rotary_emb.inv_freq"));
        let backbone = Self {
            embed_tokens,
            layers: model.layers("layers", c.layers.len(), |w, i| Block::new(c, &c.layers[i], w))?,
            norm: Norm::new(model, c.names.norm, c.hidden_size, c.norm, c.norm_eps)?,
            config,
        };
        Ok((backbone, head))
    }

    /// The description that the decoder was built from.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// Joins sequences. An error names the one that is empty, too long, or has an id outside of the vocabulary.
    pub fn batch(&self, sequences: &[&[u32]]) -> Result<Batch> {
        Batch::new(sequences, self.config.context.unwrap_or(i32::MAX), self.config.vocab_size)
    }

    /// The last hidden states of all tokens, normalised, `(T, hidden)`, in the order of the batch. Nothing is kept of them.
    pub fn encode(&self, batch: &Batch) -> Result<Tensor> {
        self.run(batch, |_| {})
    }

    /// What goes into each layer and what comes out of the last, normalised, `(T, hidden)` each.
    pub fn hidden_states(&self, batch: &Batch) -> Result<Vec<Tensor>> {
        let mut states = Vec::with_capacity(self.layers.len() + 1);
        let last = self.run(batch, |state| states.push(state.clone()))?;
        states.push(last);
        Ok(states)
    }

    fn run(&self, batch: &Batch, mut each: impl FnMut(&Tensor)) -> Result<Tensor> {
        let mut h = self.embed(&batch.ids)?; // (T, hidden)
        let masks = Masks::new(batch, h.dtype())?;
        for layer in &self.layers {
            each(&h);
            h = layer.forward(&h, Over::Packed(batch.segments(), &masks))?;
        }
        self.norm.forward(&h)
    }

    /// Ids `(..)` to rows `(.., hidden)`.
    pub(super) fn embed(&self, ids: &Tensor) -> Result<Tensor> {
        let h = self.embed_tokens.forward(ids)?;
        Ok(match self.config.embedding_scale {
            Some(scale) => (h * scale)?,
            None => h,
        })
    }

    /// Runs rows `(B, L, hidden)` behind what the caches hold; the last norm is left out.
    pub(super) fn advance(&self, mut h: Tensor, caches: &mut [KvCache]) -> Result<Tensor> {
        let length = h.dim(1)?;
        let all = Visible::All;
        // Layers with the same window share a mask.
        let mut masks: Vec<(Option<i32>, Visible)> = Vec::new();
        for ((layer, config), cache) in self.layers.iter().zip(&self.config.layers).zip(caches) {
            if config.mixer != Mixer::Attention {
                h = layer.forward(&h, Over::Cache(&all, cache))?;
                continue;
            }
            let at = match masks.iter().position(|(window, _)| *window == config.window) {
                Some(at) => at,
                None => {
                    masks.push((config.window, cache.visible(length)?));
                    masks.len() - 1
                }
            };
            h = layer.forward(&h, Over::Cache(&masks[at].1, cache))?;
        }
        Ok(h)
    }
}
