//! The bidirectional transformer that text encoders are presets of.
//!
//! Sequences lie one after the other without padding, see [`crate::packed`].

mod block;
mod config;
pub mod heads;
pub mod presets;

pub use config::{EncoderConfig, LayerConfig, Names, Placement, Positions};

use crate::packed::Masks;
pub use crate::packed::{Batch, Segment};
use crate::{Embedding, Error, Norm, Result, Weights};
use block::Block;
use mlx_ops::Tensor;

/// An encoder with its weights.
pub struct Encoder {
    config: EncoderConfig,
    tokens: Embedding,
    positions: Option<Tensor>,
    token_types: Option<Tensor>,
    distances: Option<Tensor>,
    embedding_norm: Norm,
    layers: Vec<Block>,
    final_norm: Option<Norm>,
}

/// What checkpoints carry beside the encoder: heads of other tasks, and a table of numbers from 0 on.
const BESIDE: [&str; 10] = [
    "pooler.",
    "cls.",
    "lm_head.",
    "head.",
    "decoder.",
    "classifier.",
    "pre_classifier.",
    "vocab_",
    "embeddings.position_ids",
    "mlm_head.",
];

impl Encoder {
    /// Takes the encoder's tensors, named as Hugging Face names them, with or without the encoder's name in front.
    pub fn new(config: EncoderConfig, w: &Weights) -> Result<Self> {
        Ok(Self::with_head(config, w, |_, _| Ok(()))?.0)
    }

    /// The encoder and what `head` builds of the tensors beside it, which it gets with the table of tokens.
    pub fn with_head<T>(
        config: EncoderConfig,
        w: &Weights,
        head: impl FnOnce(&Weights, &Embedding) -> Result<T>,
    ) -> Result<(Self, T)> {
        let (c, names) = (&config, config.names);
        if c.hidden_size % c.heads != 0 {
            let (hidden, heads) = (c.hidden_size, c.heads);
            return Err(Error::msg(format!("{hidden} features cannot be divided among {heads} attention heads.")));
        }
        let (whole, inner) = (w, w.at(names.prefix));
        let w = if inner.has(&format!("{}.weight", names.tokens)) { &inner } else { w };
        let tokens = w.embedding(names.tokens, c.vocab_size, c.hidden_size)?;
        let head = head(whole, &tokens)?;
        let prefix = format!("{}.", names.prefix);
        w.drop_where(|name| {
            let name = name.strip_prefix(&prefix).unwrap_or(name);
            BESIDE.iter().any(|beside| name.starts_with(beside))
        });
        let table = |name: &str, rows| w.at(name).take("weight", &[rows, c.hidden_size]);
        let types = (c.token_types > 0).then(|| table("embeddings.token_type_embeddings", c.token_types));
        let distances = c
            .distance_buckets
            .map(|buckets| w.at("encoder.relative_attention_bias").take("weight", &[buckets, c.heads]));
        let last =
            (c.placement == Placement::Pre).then(|| Norm::new(w, "final_norm", c.hidden_size, c.norm, c.norm_eps));
        let encoder = Self {
            tokens,
            positions: c.positions.map(|p| table("embeddings.position_embeddings", p.entries)).transpose()?,
            token_types: types.transpose()?,
            distances: distances.transpose()?,
            embedding_norm: Norm::new(w, names.embedding_norm, c.hidden_size, c.norm, c.norm_eps)?,
            layers: w.layers(names.layers, c.layers.len(), |w, i| Block::new(c, i, w))?,
            final_norm: last.transpose()?,
            config,
        };
        Ok((encoder, head))
    }

    /// The description that the encoder was built from.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// Joins sequences. An error names the one that is empty, too long, or has an id outside of the vocabulary.
    pub fn batch(&self, sequences: &[&[u32]]) -> Result<Batch> {
        self.batch_pairs(sequences, &[])
    }

    /// As [`Encoder::batch`], for sequences whose tokens belong to the first or second text of a pair, as `types` says for
    /// each token. A sequence beyond the list, or one whose entry is empty, has one text. Models without such types ignore it.
    pub fn batch_pairs(&self, sequences: &[&[u32]], types: &[&[u32]]) -> Result<Batch> {
        let c = &self.config;
        let mut batch = Batch::new(sequences, c.context, c.vocab_size)?;
        if let Some(table) = c.positions {
            let mut positions = Vec::new();
            sequences.iter().for_each(|sequence| place(sequence, table.padding, &mut positions));
            batch.positions = Some(Tensor::from_slice(&positions, [positions.len() as i32])?);
        }
        if let Some(types) = self.types(sequences, types)? {
            batch.types = Some(Tensor::from_slice(&types, [types.len() as i32])?);
        }
        Ok(batch)
    }

    fn types(&self, sequences: &[&[u32]], types: &[&[u32]]) -> Result<Option<Vec<i32>>> {
        let known = self.config.token_types;
        if known < 2 || types.iter().all(|types| types.iter().all(|&kind| kind == 0)) {
            return Ok(None);
        }
        let mut all = Vec::new();
        for (i, sequence) in sequences.iter().enumerate() {
            let types = types.get(i).copied().unwrap_or_default();
            if !types.is_empty() && types.len() != sequence.len() {
                let (length, types) = (sequence.len(), types.len());
                return Err(Error::msg(format!("Sequence {i} has {length} tokens, and types of {types}.")));
            }
            if let Some(kind) = types.iter().find(|&&kind| kind >= known as u32) {
                return Err(Error::msg(format!("Sequence {i} has a token of type {kind}; the model knows {known}.")));
            }
            all.extend((0..sequence.len()).map(|at| types.get(at).map_or(0, |&kind| kind as i32)));
        }
        Ok(Some(all))
    }

    /// The last hidden states of all tokens, `(T, hidden)`, in the order of the batch.
    pub fn forward(&self, batch: &Batch) -> Result<Tensor> {
        self.run(batch, |_| {})
    }

    /// What goes into each layer and what comes out of the last, `(T, hidden)` each.
    pub fn hidden_states(&self, batch: &Batch) -> Result<Vec<Tensor>> {
        let mut states = Vec::with_capacity(self.layers.len() + 1);
        let last = self.run(batch, |state| states.push(state.clone()))?;
        states.push(last);
        Ok(states)
    }

    fn run(&self, batch: &Batch, mut each: impl FnMut(&Tensor)) -> Result<Tensor> {
        let mut h = self.tokens.forward(&batch.ids)?; // (T, hidden)
        if let Some((table, positions)) = self.positions.as_ref().zip(batch.positions.as_ref()) {
            h = (h + table.take(positions, 0)?)?;
        }
        if let Some(table) = &self.token_types {
            let rows = match &batch.types {
                Some(types) => table.take(types, 0)?,
                None => table.i(0)?,
            };
            h = (h + rows)?;
        }
        h = self.embedding_norm.forward(&h)?;
        let masks = match &self.distances {
            Some(table) => Masks::by_length(batch, h.dtype(), |length| distance_scores(table, length))?,
            None => Masks::new(batch, h.dtype())?,
        };
        for layer in &self.layers {
            each(&h);
            h = layer.forward(&h, batch.segments(), &masks)?;
        }
        match &self.final_norm {
            Some(norm) => norm.forward(&h),
            None => Ok(h),
        }
    }
}

/// Appends the positions of a sequence: from 0 on, or behind the row of padding, which tokens of padding have.
fn place(sequence: &[u32], padding: Option<i32>, to: &mut Vec<i32>) {
    let Some(padding) = padding else {
        to.extend(0..sequence.len() as i32);
        return;
    };
    let mut last = padding;
    for &id in sequence {
        let is_padding = id as i32 == padding;
        last += i32::from(!is_padding);
        to.push(if is_padding { padding } else { last });
    }
}

/// The learned scores of distances, `(1, H, L, L)` from a table `(buckets, H)`.
fn distance_scores(table: &Tensor, length: i32) -> Result<Tensor> {
    let buckets = table.dim(0)?;
    let index = |query| (0..length).map(move |key| bucket(key - query, buckets));
    let index: Vec<i32> = (0..length).flat_map(index).collect();
    let index = Tensor::from_slice(&index, [length, length])?;
    Ok(table.take(&index, 0)?.transpose([2, 0, 1])?.expand_dims([0])?)
}

/// Half of the buckets are for keys behind the query; of each half, half are for single distances and the rest grow with
/// the logarithm up to 128.
fn bucket(distance: i32, buckets: i32) -> i32 {
    const FARTHEST: f32 = 128.0;
    let half = buckets / 2;
    let (single, size) = (half / 2, distance.abs());
    let near = if size < single {
        size
    } else {
        let exact = single as f32;
        let grown = (size as f32 / exact).ln() / (FARTHEST / exact).ln() * (half - single) as f32;
        (single + grown as i32).min(half - 1)
    };
    near + if distance > 0 { half } else { 0 }
}
