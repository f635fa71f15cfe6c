//! What makes hidden states of ids: an encoder, or a table.

use crate::layers::LayerPooling;
use crate::settings::Module;
use crate::table::StaticEmbedding;
use mlx_nn::encoder::{Encoder, EncoderConfig, Segment, presets};
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Result, Weights};
use mlx_ops::{Dtype, Tensor};

/// The first module of a model.
pub enum Input {
    Encoder(Box<Encoder>),
    Static(StaticEmbedding),
}

impl Input {
    /// Reads the module, which is a transformer or a table.
    pub fn read(module: &Module, dtype: Option<Dtype>, progress: &mut dyn FnMut(usize, usize)) -> Result<Self> {
        if module.kind == "StaticEmbedding" {
            return Ok(Self::Static(StaticEmbedding::read(&module.dir, dtype, progress)?));
        }
        let checkpoint = Checkpoint::folder(&module.dir)?;
        let config = checkpoint.config.clone();
        let weights = checkpoint.weights(dtype);
        let encoder = Self::encoder(&config, &weights)?;
        weights.finish(progress)?;
        Ok(encoder)
    }

    /// The encoder that a configuration describes.
    pub fn encoder(config: &Config, weights: &Weights) -> Result<Self> {
        Ok(Self::Encoder(Box::new(Encoder::new(describe(config)?, weights)?)))
    }

    /// The most tokens of a text.
    pub fn context(&self) -> usize {
        match self {
            Self::Encoder(encoder) => encoder.config().context as usize,
            Self::Static(_) => usize::MAX,
        }
    }

    /// Features of a hidden state.
    pub fn dims(&self) -> i32 {
        match self {
            Self::Encoder(encoder) => encoder.config().hidden_size,
            Self::Static(table) => table.dims(),
        }
    }

    /// Hidden states of all tokens, `(T, dims)`, and how the sequences lie: those of the last layer, or of all as `layers` says.
    /// Of each sequence only the first `seen` tokens are seen, where that is given.
    pub fn hidden(
        &self,
        sequences: &[&[u32]],
        layers: Option<&LayerPooling>,
        seen: Option<&[usize]>,
    ) -> Result<(Tensor, Vec<Segment>)> {
        let encoder = match self {
            Self::Static(table) => return table.forward(sequences),
            Self::Encoder(encoder) => encoder,
        };
        let mut batch = encoder.batch(sequences)?;
        if let Some(seen) = seen {
            batch = batch.seen(seen)?;
        }
        let states = match layers {
            Some(layers) => layers.forward(&encoder.hidden_states(&batch)?)?,
            None => encoder.forward(&batch)?,
        };
        Ok((states, batch.segments().to_vec()))
    }
}

fn describe(config: &Config) -> Result<EncoderConfig> {
    let model_type = config.text("model_type")?;
    let Some(preset) = presets::find(model_type) else {
        let known = presets::PRESETS.map(|(name, _)| name).join(", ");
        return Err(config.wrong("model_type", &format!("one of {known}"), format_args!("`{model_type}`")));
    };
    preset(config)
}
