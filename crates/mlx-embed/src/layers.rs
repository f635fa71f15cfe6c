//! A weighted mean of what all layers give. Follows sentence_transformers' modules/weighted_layer_pooling.py.

use crate::settings::Module;
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Error, Result};
use mlx_ops::{Dtype, Tensor};

/// The share of each hidden state from one on.
pub struct LayerPooling {
    start: usize,
    shares: Vec<f32>,
}

impl LayerPooling {
    /// Reads the module for an encoder whose states have `dims` features.
    pub fn read(module: &Module, dims: i32) -> Result<Self> {
        let checkpoint = Checkpoint::folder(&module.dir)?;
        let c = checkpoint.config.clone();
        let key = ["embedding_dimension", "word_embedding_dimension"].into_iter().find(|key| c.value(key).is_some());
        crate::stage::same(&c, key.unwrap_or("embedding_dimension"), dims)?;
        let start = match c.value("layer_start") {
            None => 4,
            Some(value) => value.as_u64().ok_or_else(|| c.wrong("layer_start", "the number of a layer", value))?,
        } as usize;
        let layers = c.int_or("num_hidden_layers", 12)?;
        let count = (layers as usize + 1).checked_sub(start).filter(|&count| count > 0);
        let count = count.ok_or_else(|| c.wrong("layer_start", &format!("at most {layers}"), start))?;
        let w = checkpoint.weights(Some(Dtype::F32));
        let weights = w.take("layer_weights", &[count as i32])?;
        w.finish(|_, _| {})?;
        let weights = weights.to_vec::<f32>()?;
        let sum: f32 = weights.iter().sum();
        Ok(Self { start, shares: weights.iter().map(|weight| weight / sum).collect() })
    }

    /// The mean of hidden states of one shape: what goes into each layer and what comes out of the last.
    pub fn forward(&self, states: &[Tensor]) -> Result<Tensor> {
        let (count, shares) = (states.len(), self.shares.len());
        let Some(chosen) = states.get(self.start..).filter(|chosen| chosen.len() == shares) else {
            let start = self.start;
            return Err(Error::msg(format!(
                "The model has {count} hidden states, but WeightedLayerPooling has weights for {shares} from {start} on."
            )));
        };
        let mut sum: Option<Tensor> = None;
        for (state, &share) in chosen.iter().zip(&self.shares) {
            let part = (state * share)?;
            sum = Some(match sum {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        sum.ok_or_else(|| Error::msg("WeightedLayerPooling has no weights."))
    }
}
