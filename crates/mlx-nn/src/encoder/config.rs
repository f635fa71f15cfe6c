//! What describes a text encoder.

use crate::decoder::Biases;
use crate::norm::NormKind;
use crate::rope::RopeConfig;
use mlx_ops::Activation;

/// A bidirectional transformer, described. A preset maps a family's `config.json` onto this.
#[derive(Clone, Debug)]
pub struct EncoderConfig {
    /// Rows of the embedding table.
    pub vocab_size: i32,
    /// Features of the residual stream.
    pub hidden_size: i32,
    /// Features inside the feed-forward layer.
    pub intermediate_size: i32,
    /// Heads of queries, keys and values.
    pub heads: i32,
    /// What differs from layer to layer; one entry each.
    pub layers: Vec<LayerConfig>,
    /// The most tokens of a sequence.
    pub context: i32,
    /// The learned embedding of positions.
    pub positions: Option<Positions>,
    /// Entries of the embedding that tells texts of a pair apart; 0: there is none.
    pub token_types: i32,
    /// Buckets of distances that have a learned score for each head (MPNet).
    pub distance_buckets: Option<i32>,
    /// The normalisation everywhere.
    pub norm: NormKind,
    /// Its epsilon.
    pub norm_eps: f32,
    /// Where the norms stand in a block.
    pub placement: Placement,
    /// Which layers have biases.
    pub biases: Biases,
    /// The function inside the feed-forward layer.
    pub activation: Activation,
    /// Half of the feed-forward layer's features gate the others.
    pub gated: bool,
    /// What the checkpoint calls its modules.
    pub names: &'static Names,
}

/// A learned embedding of positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Positions {
    /// Rows of the table.
    pub entries: i32,
    /// The id whose tokens have no position of their own but this row; the first position is the row after it.
    pub padding: Option<i32>,
}

/// What differs from layer to layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerConfig {
    /// How far a query sees to either side; `None`: all.
    pub reach: Option<i32>,
    /// The rotary embedding; `None`: positions are learned.
    pub rope: Option<RopeConfig>,
}

/// Where the norms stand in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// After the sum of each part and the residual stream.
    Post,
    /// Before each part, but the first, and once at the end.
    Pre,
}

/// What a checkpoint calls its modules; those of a layer are relative to it.
#[derive(Debug)]
pub struct Names {
    /// What stands in front where the encoder is part of a larger model.
    pub prefix: &'static str,
    /// The table of tokens.
    pub tokens: &'static str,
    /// The norm of the embeddings.
    pub embedding_norm: &'static str,
    /// The list of layers.
    pub layers: &'static str,
    /// Queries, keys and values: three names, or one for all.
    pub qkv: &'static [&'static str],
    /// The output of attention.
    pub o: &'static str,
    /// The norm of attention.
    pub attention_norm: &'static str,
    /// The feed-forward layer's first matrix.
    pub up: &'static str,
    /// Its second.
    pub down: &'static str,
    /// The norm of the feed-forward layer.
    pub mlp_norm: &'static str,
}
