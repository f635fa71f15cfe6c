//! Decoders as text encoders: one preset per `model_type`, as transformers runs it without a cache.
//!
//! They begin with what generates text and add what mlx-lm leaves out there: windows, and attention in both directions.

use super::presets::{self, Preset};
use super::{DecoderConfig, LayerConfig, Mixer};
use crate::{Config, Result};

/// The `model_type`s of decoders that encode texts.
pub const PRESETS: [(&str, Preset); 10] = [
    ("llama", llama),
    ("llama_bidirec", llama_bidirec),
    ("mistral", mistral),
    ("ministral", llama),
    ("ministral3", ministral3),
    ("qwen2", qwen2),
    ("qwen3", qwen3),
    ("gemma2", gemma2),
    ("gemma3_text", gemma3_text),
    ("lfm2", lfm2),
];

/// The preset of a `model_type`.
pub fn find(model_type: &str) -> Option<Preset> {
    PRESETS.iter().find(|(name, _)| *name == model_type).map(|&(_, preset)| preset)
}

/// Attention in both directions where the configuration asks for it. A window then takes in as many positions on either
/// side as it has, beside the query's own.
fn directed(c: &Config, mut d: DecoderConfig) -> Result<DecoderConfig> {
    if c.opt_flag("is_causal")? == Some(false) {
        d.causal = false;
        d.layers.iter_mut().for_each(|layer| layer.window = layer.window.map(|window| window + 1));
    }
    Ok(d)
}

/// The window of the layers that `sliding` picks, where the configuration does not list them.
fn slide_where(c: &Config, d: &mut DecoderConfig, sliding: impl Fn(usize) -> bool) -> Result<()> {
    let window = c.opt_int("sliding_window")?;
    if window.is_some() && c.value("layer_types").is_some() {
        return presets::slide(c, d);
    }
    let pick = |(i, layer): (usize, &mut LayerConfig)| layer.window = window.filter(|_| sliding(i));
    d.layers.iter_mut().enumerate().for_each(pick);
    Ok(())
}

/// Llama and Ministral. Follows transformers/models/llama/modeling_llama.py.
fn llama(c: &Config) -> Result<DecoderConfig> {
    silu(c)?;
    directed(c, presets::llama(c)?)
}

/// Llama in both directions (Nemotron). Follows mlx_vlm/models/llama_bidirec.
fn llama_bidirec(c: &Config) -> Result<DecoderConfig> {
    Ok(DecoderConfig { causal: false, ..llama(c)? })
}

/// Mistral, of which all layers have the window. Follows transformers/models/mistral/modeling_mistral.py.
fn mistral(c: &Config) -> Result<DecoderConfig> {
    silu(c)?;
    let mut d = presets::llama(c)?;
    slide_where(c, &mut d, |_| true)?;
    directed(c, d)
}

/// Ministral 3, whose queries grow beyond the training length, which is the most that is taken here. Follows
/// transformers/models/ministral3/modeling_ministral3.py.
fn ministral3(c: &Config) -> Result<DecoderConfig> {
    let Some(rope) = c.object("rope_parameters")? else { return Err(c.missing("rope_parameters")) };
    let mut d = mistral(c)?;
    if rope.float_or("llama_4_scaling_beta", 0.0)? != 0.0 {
        let trained = rope.int("original_max_position_embeddings")?;
        d.context = Some(d.context.map_or(trained, |context| context.min(trained)));
    }
    Ok(d)
}

/// Qwen2. Follows transformers/models/qwen2/modeling_qwen2.py.
fn qwen2(c: &Config) -> Result<DecoderConfig> {
    qwen(c, presets::qwen2(c)?)
}

/// Qwen3. Follows transformers/models/qwen3/modeling_qwen3.py.
fn qwen3(c: &Config) -> Result<DecoderConfig> {
    qwen(c, presets::qwen3(c)?)
}

/// The last layers of Qwen models have a window, if it is switched on.
fn qwen(c: &Config, mut d: DecoderConfig) -> Result<DecoderConfig> {
    silu(c)?;
    if c.flag("use_sliding_window")? {
        let first = c.int_or("max_window_layers", 28)? as usize;
        slide_where(c, &mut d, |i| i >= first)?;
    }
    directed(c, d)
}

/// Gemma 2, of which every other layer has a window. Follows transformers/models/gemma2/modeling_gemma2.py.
fn gemma2(c: &Config) -> Result<DecoderConfig> {
    let mut d = presets::gemma2(c)?;
    slide_where(c, &mut d, |i| i % 2 == 0)?;
    directed(c, d)
}

/// Gemma 3, text only, also EmbeddingGemma. Follows transformers/models/gemma3/modeling_gemma3.py.
fn gemma3_text(c: &Config) -> Result<DecoderConfig> {
    let mut d = presets::gemma3_text(c)?;
    // The reference rounds the factor to the dtype of the weights, and so does a product with it.
    d.embedding_scale = Some(f64::from(d.hidden_size).sqrt() as f32);
    if !c.flag("use_bidirectional_attention")? {
        return directed(c, d);
    }
    d.causal = false;
    // Half of the window lies on either side, beside the query's own position.
    d.layers.iter_mut().for_each(|layer| layer.window = layer.window.map(|window| window / 2 + 1));
    Ok(d)
}

/// LFM2 as transformers has it, or in both directions as Liquid's own code and mlx_vlm/models/lfm2_embedding have it, where
/// convolutions are centred too (LFM2.5 Embedding and ColBERT).
fn lfm2(c: &Config) -> Result<DecoderConfig> {
    let mut d = presets::lfm2(c)?;
    let architectures = c.opt_texts("architectures")?.unwrap_or_default();
    if architectures.first().is_none_or(|name| name != "Lfm2BidirectionalModel") {
        d.causal = c.opt_flag("is_causal")?.unwrap_or(true);
        return Ok(d);
    }
    d.causal = false;
    for layer in &mut d.layers {
        if let Mixer::Convolution { causal, .. } = &mut layer.mixer {
            *causal = false;
        }
    }
    Ok(d)
}

/// The function of the feed-forward layer that the presets take for granted.
fn silu(c: &Config) -> Result<()> {
    match c.opt_text("hidden_act")? {
        None | Some("silu" | "swish") => Ok(()),
        Some(other) => Err(c.wrong("hidden_act", "silu", other)),
    }
}
