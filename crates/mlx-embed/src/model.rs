//! The transformer that makes hidden states: an encoder, or a decoder without its output layer.

use mlx_nn::decoder::{Backbone, DecoderConfig, text_presets};
use mlx_nn::encoder::{Encoder, EncoderConfig, presets};
use mlx_nn::packed::Batch;
use mlx_nn::{Config, Error, Result, Weights};
use mlx_ops::Tensor;

/// The transformer in front of the other modules.
pub enum Model {
    Encoder(Encoder),
    Decoder(Backbone),
}

impl Model {
    /// The model that `config` describes, as its `model_type` says.
    pub fn new(config: &Config, w: &Weights) -> Result<Self> {
        let model_type = config.text("model_type")?;
        match presets::find(model_type) {
            Some(preset) => Ok(Self::Encoder(Encoder::new(preset(config)?, w)?)),
            None => Ok(Self::Decoder(Backbone::new(decoder(config)?, w)?)),
        }
    }

    /// Features of the hidden states.
    pub fn hidden_size(&self) -> i32 {
        match self {
            Self::Encoder(encoder) => encoder.config().hidden_size,
            Self::Decoder(decoder) => decoder.config().hidden_size,
        }
    }

    /// The most tokens of a sequence.
    pub fn context(&self) -> i32 {
        match self {
            Self::Encoder(encoder) => encoder.config().context,
            Self::Decoder(decoder) => decoder.config().context.unwrap_or(i32::MAX),
        }
    }

    /// Joins sequences. An error names the one that is empty, too long, or has an id outside of the vocabulary.
    pub fn batch(&self, sequences: &[&[u32]]) -> Result<Batch> {
        match self {
            Self::Encoder(encoder) => encoder.batch(sequences),
            Self::Decoder(decoder) => decoder.batch(sequences),
        }
    }

    /// The last hidden states of all tokens, `(T, hidden)`, in the order of the batch.
    pub fn forward(&self, batch: &Batch) -> Result<Tensor> {
        match self {
            Self::Encoder(encoder) => encoder.forward(batch),
            Self::Decoder(decoder) => decoder.encode(batch),
        }
    }

    /// What goes into each layer and what comes out of the last, `(T, hidden)` each.
    pub fn hidden_states(&self, batch: &Batch) -> Result<Vec<Tensor>> {
        match self {
            Self::Encoder(encoder) => encoder.hidden_states(batch),
            Self::Decoder(decoder) => decoder.hidden_states(batch),
        }
    }
}

/// The encoder that a configuration describes.
pub fn encoder(config: &Config) -> Result<EncoderConfig> {
    let model_type = config.text("model_type")?;
    match presets::find(model_type) {
        Some(preset) => preset(config),
        None => Err(unknown(config, model_type, presets::PRESETS.iter().map(|&(name, _)| name))),
    }
}

/// The decoder that a configuration describes which is no encoder's.
pub fn decoder(config: &Config) -> Result<DecoderConfig> {
    let model_type = config.text("model_type")?;
    let names = presets::PRESETS.iter().map(|&(name, _)| name);
    match text_presets::find(model_type) {
        Some(preset) => preset(config),
        None => Err(unknown(config, model_type, names.chain(text_presets::PRESETS.iter().map(|&(name, _)| name)))),
    }
}

fn unknown(config: &Config, model_type: &str, known: impl Iterator<Item = &'static str>) -> Error {
    let expected = format!("one of {}", known.collect::<Vec<_>>().join(", "));
    config.wrong("model_type", &expected, format_args!("`{model_type}`"))
}

/// Whether a configuration is that of a model that generates, of which the last token tells most.
pub fn generates(config: &Config) -> Result<bool> {
    let architectures = config.opt_texts("architectures")?.unwrap_or_default();
    let generative = architectures.first().is_some_and(|name| name.ends_with("ForCausalLM"));
    Ok(generative && config.opt_flag("is_causal")?.unwrap_or(true))
}
