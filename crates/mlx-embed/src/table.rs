//! Static embeddings: a row for each token. Follows sentence_transformers' modules/static_embedding.py.

use mlx_nn::encoder::Segment;
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Error, Result};
use mlx_ops::{Dtype, Tensor, select};
use std::path::Path;

/// A table of rows, of which several tokens may share one, each with a weight of its own.
pub struct StaticEmbedding {
    rows: Tensor,
    /// The row of each token.
    mapping: Option<Tensor>,
    /// The weight of each token, `(tokens, 1)`.
    weights: Option<Tensor>,
    tokens: i32,
    dims: i32,
}

impl StaticEmbedding {
    /// Reads `embedding.weight`, as sentence-transformers names the table, or model2vec's `embeddings` with its `mapping` and
    /// `weights` where they are there.
    pub fn read(dir: &Path, dtype: Option<Dtype>, progress: &mut dyn FnMut(usize, usize)) -> Result<Self> {
        let config = Config::new(serde_json::Map::new(), dir);
        let w = Checkpoint::with_config(dir, config)?.weights(Some(dtype.unwrap_or(Dtype::F32)));
        let wrong = |what: String| Error::msg(what).in_file(dir);
        let name = if w.has("embedding.weight") { "embedding.weight" } else { "embeddings" };
        let Some(&[entries, dims]) = w.shape(name).as_deref() else {
            return Err(wrong("a table `embedding.weight` or `embeddings` of two axes is missing.".into()));
        };
        let rows = w.take(name, &[entries, dims])?;
        let length = |name: &str| w.shape(name).and_then(|dims| <[i32; 1]>::try_from(dims).ok());
        let mapping = match length("mapping") {
            Some(dims) => {
                let mapping = w.take("mapping", &dims)?.astype(Dtype::I32)?;
                if let Some(row) = mapping.to_vec::<i32>()?.iter().find(|row| !(0..entries).contains(*row)) {
                    return Err(wrong(format!("`mapping` names row {row} of {entries}.")));
                }
                Some(mapping)
            }
            None => None,
        };
        let tokens = match &mapping {
            Some(mapping) => mapping.dim(0)?,
            None => entries,
        };
        let weights = match length("weights") {
            Some(_) => Some(w.take("weights", &[tokens])?.expand_dims([1])?),
            None => None,
        };
        w.finish(progress)?;
        Ok(Self { rows, mapping, weights, tokens, dims })
    }

    /// Numbers of a row.
    pub fn dims(&self) -> i32 {
        self.dims
    }

    /// The rows of all tokens, `(T, dims)`. A text without tokens has one row, of zeros.
    pub fn forward(&self, sequences: &[&[u32]]) -> Result<(Tensor, Vec<Segment>)> {
        let mut segments: Vec<Segment> = Vec::new();
        let (mut ids, mut there) = (Vec::new(), Vec::new());
        for (i, sequence) in sequences.iter().enumerate() {
            if let Some(id) = sequence.iter().find(|&&id| id >= self.tokens as u32) {
                return Err(Error::msg(format!("Sequence {i} has the id {id}; the table has {}.", self.tokens)));
            }
            let length = sequence.len().max(1);
            ids.extend(sequence.iter().map(|&id| id as i32));
            ids.resize(there.len() + length, 0);
            there.resize(there.len() + length, !sequence.is_empty());
            match segments.last_mut() {
                Some(last) if last.length == length as i32 => last.count += 1,
                _ => segments.push(Segment { count: 1, length: length as i32 }),
            }
        }
        let ids = Tensor::from_slice(&ids, [ids.len() as i32])?;
        let at = match &self.mapping {
            Some(mapping) => &mapping.take(&ids, 0)?,
            None => &ids,
        };
        let mut rows = self.rows.take(at, 0)?;
        if let Some(weights) = &self.weights {
            rows = (rows * weights.take(&ids, 0)?)?;
        }
        if there.contains(&false) {
            rows = select(&Tensor::from_slice(&there, [there.len() as i32, 1])?, &rows, 0.0)?;
        }
        Ok((rows, segments))
    }
}
