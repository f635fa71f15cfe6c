//! What describes a text decoder.

use crate::Weights;
use crate::norm::NormKind;
use crate::rope::RopeConfig;
use mlx_ops::Activation;

/// A dense transformer decoder, described. A preset maps a family's `config.json` onto this.
#[derive(Clone, Debug)]
pub struct DecoderConfig {
    /// Rows of the embedding table.
    pub vocab_size: i32,
    /// Features of the residual stream.
    pub hidden_size: i32,
    /// Features inside the feed-forward layer.
    pub intermediate_size: i32,
    /// Query heads.
    pub heads: i32,
    /// Key and value heads.
    pub kv_heads: i32,
    /// Features per head.
    pub head_dim: i32,
    /// What differs from layer to layer; one entry each.
    pub layers: Vec<LayerConfig>,
    /// The longest sequence the model was made for.
    pub context: Option<i32>,
    /// The normalisation everywhere.
    pub norm: NormKind,
    /// Its epsilon.
    pub norm_eps: f32,
    /// Where the norms stand in a block.
    pub placement: Placement,
    /// Queries and keys are normalised per head before rotation.
    pub qk_norm: bool,
    /// How scores are scaled.
    pub attention_scale: f32,
    /// Queries see no key behind them; generation needs this.
    pub causal: bool,
    /// Scores pass through `cap * tanh(score / cap)`.
    pub attention_softcap: Option<f32>,
    /// Which layers have biases.
    pub biases: Biases,
    /// Projections that the checkpoint holds as one matrix.
    pub fused: Fused,
    /// The function on the feed-forward gate.
    pub activation: Activation,
    /// A factor on the embeddings.
    pub embedding_scale: Option<f32>,
    /// Logits pass through `cap * tanh(logit / cap)`.
    pub logit_softcap: Option<f32>,
    /// Residual sums in f16 are limited to its finite range.
    pub clip_residual: bool,
    /// Whether the output layer shares the embedding table; `None`: where the checkpoint has no `lm_head`.
    pub tied: Option<bool>,
    /// What the checkpoint calls its modules.
    pub names: &'static Names,
}

impl DecoderConfig {
    /// Whether the output layer of a checkpoint is its table of tokens.
    pub fn is_tied(&self, w: &Weights) -> bool {
        self.tied.unwrap_or(!w.has("lm_head.weight"))
    }
}

/// What a checkpoint calls its modules; those of a layer are relative to it.
#[derive(Debug)]
pub struct Names {
    /// The last norm.
    pub norm: &'static str,
    /// The norm before the mixer.
    pub mixer_norm: &'static str,
    /// The norm before the feed-forward layer, where norms stand only before.
    pub mlp_norm: &'static str,
    /// The output of attention.
    pub o: &'static str,
    /// The norms of queries and keys.
    pub qk_norm: [&'static str; 2],
    /// The feed-forward layer.
    pub mlp: &'static str,
    /// Its gate and the matrix beside it.
    pub gate_up: [&'static str; 2],
    /// Its second matrix.
    pub down: &'static str,
}

/// What differs from layer to layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerConfig {
    /// How a token hears of the others.
    pub mixer: Mixer,
    /// How many positions back a query sees, itself included, and as many ahead where attention is not causal; `None`: all.
    /// Of a convolution, its length.
    pub window: Option<i32>,
    /// The rotary embedding; `None`: no positions.
    pub rope: Option<RopeConfig>,
}

/// How a token hears of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mixer {
    /// Attention.
    Attention,
    /// A short convolution between two gates, each channel by itself (LFM2).
    Convolution {
        /// Whether it and the projections around it have biases.
        bias: bool,
        /// Whether it ends with the token, and is not centred on it.
        causal: bool,
    },
}

/// Where the norms stand in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Before attention and before the feed-forward layer.
    Pre,
    /// Before and after each of them (Gemma 2 and 3).
    Sandwich,
}

/// Which linear layers have a bias.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Biases {
    /// q, k and v.
    pub qkv: bool,
    /// The output of attention.
    pub o: bool,
    /// All of the feed-forward layer.
    pub mlp: bool,
}

/// Projections that the checkpoint holds as one matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fused {
    /// `qkv_proj`.
    pub qkv: bool,
    /// `gate_up_proj`.
    pub gate_up: bool,
}
