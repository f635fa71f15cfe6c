//! The transformer decoder that dense text models are presets of.

mod block;
mod config;
pub mod presets;

pub use config::{Biases, DecoderConfig, Fused, LayerConfig, Placement};

use crate::cache::{KvCache, Visible};
use crate::{Around, Embedding, Linear, Norm, Result, Weights};
use block::Block;
use mlx_ops::Tensor;

/// One forward pass of a language model.
pub struct Step<'a> {
    /// What goes in.
    pub input: Input<'a>,
    /// Which logits come out.
    pub logits: Logits,
}

/// The input of a step.
pub enum Input<'a> {
    /// Token ids of shape `(B, L)`.
    Tokens(&'a Tensor),
    /// Rows of shape `(B, L, hidden)` as [`Language::embed`] gives them.
    Embeddings(&'a Tensor),
}

/// Which positions of a step get logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logits {
    /// None: the step only fills the caches.
    Skip,
    /// The last position: `(B, 1, vocab)`.
    Last,
    /// All positions: `(B, L, vocab)`.
    All,
}

/// A language model: tokens and caches to logits. It neither evaluates nor reads a value back.
pub trait Language {
    /// Empty caches, one per layer.
    fn caches(&self) -> Vec<KvCache>;
    /// Token ids `(B, L)` to rows `(B, L, hidden)`.
    fn embed(&self, ids: &Tensor) -> Result<Tensor>;
    /// Runs one step; `None` where no logits were asked for. The caches advance.
    fn forward(&self, step: &Step<'_>, caches: &mut [KvCache]) -> Result<Option<Tensor>>;
    /// The number of ids the model knows.
    fn vocab_size(&self) -> usize;
    /// The longest sequence the model was made for.
    fn context(&self) -> Option<usize>;
}

/// A decoder with its weights.
pub struct Decoder {
    config: DecoderConfig,
    embed_tokens: Embedding,
    layers: Vec<Block>,
    norm: Norm,
    lm_head: Linear,
}

impl Decoder {
    /// Takes the decoder's tensors, named as Hugging Face names them.
    pub fn new(config: DecoderConfig, w: &Weights) -> Result<Self> {
        let (tied, hidden, vocab) = (Self::is_tied(&config, w), config.hidden_size, config.vocab_size);
        Self::with_output(config, w, |w, tokens| match tied {
            true => Ok(tokens.tied(None)),
            false => w.linear("lm_head", hidden, vocab, false),
        })
    }

    /// Whether the output layer of a checkpoint is its table of tokens.
    pub fn is_tied(config: &DecoderConfig, w: &Weights) -> bool {
        config.tied.unwrap_or(!w.has("lm_head.weight"))
    }

    /// The decoder with an output layer that `output` makes of the checkpoint's tensors and the table of tokens. Where
    /// logits are spoken of, its results are meant.
    pub fn with_output(
        config: DecoderConfig,
        w: &Weights,
        output: impl FnOnce(&Weights, &Embedding) -> Result<Linear>,
    ) -> Result<Self> {
        // Tables that old checkpoints carry and that follow from the configuration.
        w.drop_where(|name| name.ends_with("rotary_emb.inv_freq"));
        let c = &config;
        let model = w.at("model");
        let embed_tokens = model.embedding("embed_tokens", c.vocab_size, c.hidden_size)?;
        if Self::is_tied(c, w) {
            w.drop_where(|name| name.starts_with("lm_head."));
        }
        let lm_head = output(w, &embed_tokens)?;
        let layers = model.layers("layers", c.layers.len(), |w, i| Block::new(c, &c.layers[i], w))?;
        let norm = Norm::new(&model, "norm", c.hidden_size, c.norm, c.norm_eps)?;
        Ok(Self { config, embed_tokens, layers, norm, lm_head })
    }

    /// The description that the decoder was built from.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    fn logits(&self, h: &Tensor) -> Result<Tensor> {
        let logits = self.lm_head.forward_with(h, Around { norm: Some(&self.norm), ..Around::default() })?;
        Ok(match self.config.logit_softcap {
            Some(cap) => ((logits / cap)?.tanh()? * cap)?,
            None => logits,
        })
    }
}

impl Language for Decoder {
    fn caches(&self) -> Vec<KvCache> {
        self.config.layers.iter().map(|layer| layer.window.map_or_else(KvCache::full, KvCache::windowed)).collect()
    }

    fn embed(&self, ids: &Tensor) -> Result<Tensor> {
        let h = self.embed_tokens.forward(ids)?;
        Ok(match self.config.embedding_scale {
            Some(scale) => (h * scale)?,
            None => h,
        })
    }

    fn forward(&self, step: &Step<'_>, caches: &mut [KvCache]) -> Result<Option<Tensor>> {
        let mut h = match step.input {
            Input::Tokens(ids) => self.embed(ids)?,
            Input::Embeddings(rows) => rows.clone(),
        };
        let length = h.dim(1)?;
        // Layers with the same window share a mask.
        let mut masks: Vec<(Option<i32>, Visible)> = Vec::new();
        for ((layer, config), cache) in self.layers.iter().zip(&self.config.layers).zip(caches) {
            let at = match masks.iter().position(|(window, _)| *window == config.window) {
                Some(at) => at,
                None => {
                    masks.push((config.window, cache.visible(length)?));
                    masks.len() - 1
                }
            };
            h = layer.forward(&h, &masks[at].1, cache)?;
        }
        Ok(match step.logits {
            Logits::Skip => None,
            Logits::Last => Some(self.logits(&h.i((.., length - 1..))?)?),
            Logits::All => Some(self.logits(&h)?),
        })
    }

    fn vocab_size(&self) -> usize {
        self.config.vocab_size as usize
    }

    fn context(&self) -> Option<usize> {
        self.config.context.map(|context| context as usize)
    }
}
