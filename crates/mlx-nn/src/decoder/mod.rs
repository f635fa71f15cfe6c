//! The transformer decoder that dense text models are presets of.

mod backbone;
mod block;
mod config;
mod convolution;
pub mod presets;
pub mod text_presets;

pub use backbone::Backbone;
pub use config::{Biases, DecoderConfig, Fused, LayerConfig, Mixer, Names, Placement};

use crate::cache::KvCache;
use crate::{Around, Error, Linear, Result, Weights};
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
    backbone: Backbone,
    lm_head: Linear,
}

impl Decoder {
    /// Takes the decoder's tensors, named as Hugging Face names them. An error if it is not causal.
    pub fn new(config: DecoderConfig, w: &Weights) -> Result<Self> {
        if !config.causal {
            return Err(Error::msg("A decoder whose tokens see what follows them cannot generate."));
        }
        let (tied, inputs, outputs) = (config.is_tied(w), config.hidden_size, config.vocab_size);
        let (backbone, lm_head) = Backbone::with_head(config, w, |w, tokens| match tied {
            true => Ok(tokens.tied(None)),
            false => w.linear("lm_head", inputs, outputs, false),
        })?;
        Ok(Self { backbone, lm_head })
    }

    /// The description that the decoder was built from.
    pub fn config(&self) -> &DecoderConfig {
        self.backbone.config()
    }

    fn logits(&self, h: &Tensor) -> Result<Tensor> {
        let logits = self.lm_head.forward_with(h, Around { norm: Some(&self.backbone.norm), ..Around::default() })?;
        Ok(match self.config().logit_softcap {
            Some(cap) => ((logits / cap)?.tanh()? * cap)?,
            None => logits,
        })
    }
}

impl Language for Decoder {
    fn caches(&self) -> Vec<KvCache> {
        self.config().layers.iter().map(|layer| layer.window.map_or_else(KvCache::full, KvCache::windowed)).collect()
    }

    fn embed(&self, ids: &Tensor) -> Result<Tensor> {
        self.backbone.embed(ids)
    }

    fn forward(&self, step: &Step<'_>, caches: &mut [KvCache]) -> Result<Option<Tensor>> {
        let h = match step.input {
            Input::Tokens(ids) => self.embed(ids)?,
            Input::Embeddings(rows) => rows.clone(),
        };
        let length = h.dim(1)?;
        let h = self.backbone.advance(h, caches)?;
        Ok(match step.logits {
            Logits::Skip => None,
            Logits::Last => Some(self.logits(&h.i((.., length - 1..))?)?),
            Logits::All => Some(self.logits(&h)?),
        })
    }

    fn vocab_size(&self) -> usize {
        self.config().vocab_size as usize
    }

    fn context(&self) -> Option<usize> {
        self.config().context.map(|context| context as usize)
    }
}
