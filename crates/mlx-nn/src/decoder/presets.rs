//! One preset per `model_type`: Hugging Face's `config.json` to a [`DecoderConfig`].

use super::{Biases, DecoderConfig, Fused, LayerConfig, Mixer, Names, Placement};
use crate::norm::NormKind;
use crate::rope::RopeConfig;
use crate::{Config, Result};
use mlx_ops::Activation;

/// Maps a configuration onto the decoder.
pub type Preset = fn(&Config) -> Result<DecoderConfig>;

/// The `model_type`s that are presets.
pub const PRESETS: [(&str, Preset); 9] = [
    ("llama", llama),
    ("mistral", llama),
    ("qwen2", qwen2),
    ("qwen3", qwen3),
    ("phi3", phi3),
    ("gemma2", gemma2),
    ("gemma3_text", gemma3_text),
    ("smollm3", smollm3),
    ("lfm2", lfm2),
];

const LLAMA: Names = Names {
    norm: "norm",
    mixer_norm: "input_layernorm",
    mlp_norm: "post_attention_layernorm",
    o: "o_proj",
    qk_norm: ["q_norm", "k_norm"],
    mlp: "mlp",
    gate_up: ["gate_proj", "up_proj"],
    down: "down_proj",
};

const LFM2: Names = Names {
    norm: "embedding_norm",
    mixer_norm: "operator_norm",
    mlp_norm: "ffn_norm",
    o: "out_proj",
    qk_norm: ["q_layernorm", "k_layernorm"],
    mlp: "feed_forward",
    gate_up: ["w1", "w3"],
    down: "w2",
};

/// The preset of a `model_type`.
pub fn find(model_type: &str) -> Option<Preset> {
    PRESETS.iter().find(|(name, _)| *name == model_type).map(|&(_, preset)| preset)
}

/// The base of the wavelengths where a configuration does not say it.
const THETA: Option<f64> = Some(10_000.0);

/// What most families share; a preset changes what differs. `theta` stands in for a `rope_theta` that is not there.
fn base(c: &Config, theta: Option<f64>) -> Result<DecoderConfig> {
    based(c, theta, c.int("intermediate_size")?, c.float("rms_norm_eps")?)
}

/// The same with the size of the feed-forward layer and the norms' epsilon.
fn based(c: &Config, theta: Option<f64>, intermediate_size: i32, norm_eps: f64) -> Result<DecoderConfig> {
    let (hidden_size, heads) = (c.int("hidden_size")?, c.int("num_attention_heads")?);
    let head_dim = c.int_or("head_dim", hidden_size / heads)?;
    let mixer = Mixer::Attention;
    let layer = LayerConfig { mixer, window: None, rope: Some(RopeConfig::read(c, head_dim, theta)?) };
    Ok(DecoderConfig {
        vocab_size: c.int("vocab_size")?,
        hidden_size,
        intermediate_size,
        heads,
        kv_heads: c.int_or("num_key_value_heads", heads)?,
        head_dim,
        layers: vec![layer; c.int("num_hidden_layers")? as usize],
        context: c.opt_int("max_position_embeddings")?,
        norm: NormKind::Rms,
        norm_eps: norm_eps as f32,
        placement: Placement::Pre,
        qk_norm: false,
        attention_scale: (f64::from(head_dim)).powf(-0.5) as f32,
        causal: true,
        attention_softcap: None,
        biases: Biases::default(),
        fused: Fused::default(),
        activation: Activation::Silu,
        embedding_scale: None,
        logit_softcap: None,
        clip_residual: false,
        tied: c.opt_flag("tie_word_embeddings")?,
        names: &LLAMA,
    })
}

/// Sets the window of the layers that `layer_types` calls sliding.
pub(super) fn slide(c: &Config, d: &mut DecoderConfig) -> Result<()> {
    let Some(types) = c.opt_texts("layer_types")? else { return Ok(()) };
    if types.len() != d.layers.len() {
        return Err(c.wrong("layer_types", &format!("a list of {} entries", d.layers.len()), types.len()));
    }
    for (layer, kind) in d.layers.iter_mut().zip(&types) {
        match kind.as_str() {
            "full_attention" => {}
            "sliding_attention" => layer.window = Some(c.int("sliding_window")?),
            other => return Err(c.wrong("layer_types", "a list of full_attention and sliding_attention", other)),
        }
    }
    Ok(())
}

/// Llama and Mistral. Follows mlx_lm/models/llama.py.
pub(super) fn llama(c: &Config) -> Result<DecoderConfig> {
    let mut d = base(c, THETA)?;
    let attention = c.flag("attention_bias")?;
    d.biases = Biases { qkv: attention, o: attention, mlp: c.flag("mlp_bias")? };
    slide(c, &mut d)?;
    Ok(d)
}

/// SmolLM3: Llama with layers that know no positions. Follows mlx_lm/models/smollm3.py.
fn smollm3(c: &Config) -> Result<DecoderConfig> {
    let mut d = llama(c)?;
    let every = c.int_or("no_rope_layer_interval", 4)? as usize;
    let listed = c.opt_floats("no_rope_layers")?; // 1 keeps the positions of a layer, 0 drops them
    if let Some(listed) = listed.as_ref().filter(|listed| listed.len() != d.layers.len()) {
        return Err(c.wrong("no_rope_layers", &format!("a list of {} entries", d.layers.len()), listed.len()));
    }
    for (i, layer) in d.layers.iter_mut().enumerate() {
        if listed.as_ref().map_or((i + 1) % every == 0, |listed| listed[i] == 0.0) {
            layer.rope = None;
        }
    }
    Ok(d)
}

/// Qwen2. Follows mlx_lm/models/qwen2.py.
pub(super) fn qwen2(c: &Config) -> Result<DecoderConfig> {
    let mut d = base(c, Some(1_000_000.0))?;
    d.biases.qkv = true;
    Ok(d)
}

/// Qwen3. Follows mlx_lm/models/qwen3.py.
pub(super) fn qwen3(c: &Config) -> Result<DecoderConfig> {
    c.int("head_dim")?;
    Ok(DecoderConfig { qk_norm: true, ..base(c, None)? })
}

/// Phi-3 and Phi-4-mini. Follows mlx_lm/models/phi3.py.
fn phi3(c: &Config) -> Result<DecoderConfig> {
    let mut d = base(c, THETA)?;
    d.fused = Fused { qkv: true, gate_up: true };
    let dims = (f64::from(d.head_dim) * c.float_or("partial_rotary_factor", 1.0)?) as i32;
    let rope = RopeConfig::read(c, dims, THETA)?;
    d.layers.iter_mut().for_each(|layer| layer.rope = Some(rope.clone()));
    Ok(d)
}

/// Gemma 2. Follows mlx_lm/models/gemma2.py.
pub(super) fn gemma2(c: &Config) -> Result<DecoderConfig> {
    let d = base(c, THETA)?;
    Ok(DecoderConfig {
        norm: NormKind::RmsPlusOne,
        placement: Placement::Sandwich,
        attention_scale: c.float_or("query_pre_attn_scalar", 144.0)?.powf(-0.5) as f32,
        attention_softcap: Some(c.float_or("attn_logit_softcapping", 50.0)? as f32),
        logit_softcap: Some(c.float_or("final_logit_softcapping", 30.0)? as f32),
        activation: Activation::GeluTanh,
        embedding_scale: Some(f64::from(d.hidden_size).sqrt() as f32),
        tied: Some(true),
        ..d
    })
}

/// Gemma 3, text only. Follows mlx_lm/models/gemma3_text.py.
pub(super) fn gemma3_text(c: &Config) -> Result<DecoderConfig> {
    let mut d = base(c, THETA)?;
    let (window, pattern) = (c.int_or("sliding_window", 512)?, c.int_or("sliding_window_pattern", 6)? as usize);
    // Newer files have one object for each kind of layer.
    let nested = c.object("rope_parameters")?.map(|nested| nested.object("sliding_attention")).transpose()?.flatten();
    let theta = nested.map(|own| own.opt_float("rope_theta")).transpose()?.flatten();
    let local = RopeConfig::plain(d.head_dim, theta.unwrap_or(c.float_or("rope_local_base_freq", 10_000.0)?));
    let global = RopeConfig::read(c, d.head_dim, Some(1_000_000.0))?;
    match c.value("layer_types") {
        Some(_) => slide(c, &mut d)?,
        None => {
            let local = |i: usize| !(i + 1).is_multiple_of(pattern);
            d.layers.iter_mut().enumerate().for_each(|(i, layer)| layer.window = local(i).then_some(window));
        }
    }
    for layer in &mut d.layers {
        layer.rope = Some(if layer.window.is_some() { local.clone() } else { global.clone() });
    }
    // The reference multiplies by the factor as bf16 holds it.
    let scale = mlx_ops::bf16::from_f64(f64::from(d.hidden_size).sqrt()).to_f32();
    Ok(DecoderConfig {
        norm: NormKind::RmsPlusOne,
        placement: Placement::Sandwich,
        qk_norm: true,
        attention_scale: c.float_or("query_pre_attn_scalar", 256.0)?.powf(-0.5) as f32,
        activation: Activation::GeluTanh,
        embedding_scale: Some(scale),
        clip_residual: true,
        tied: None,
        ..d
    })
}

/// LFM2: short convolutions in most layers. Follows mlx_lm/models/lfm2.py.
pub(super) fn lfm2(c: &Config) -> Result<DecoderConfig> {
    let inner = c.opt_int("block_ff_dim")?.map_or_else(|| c.int("intermediate_size"), Ok)?;
    let mut d = based(c, Some(1_000_000.0), inner, c.float_or("norm_eps", 1e-5)?)?;
    let count = d.layers.len();
    let attending: Vec<bool> = match (c.opt_texts("layer_types")?, c.opt_floats("full_attn_idxs")?) {
        (Some(types), _) => types.iter().map(|kind| attends(c, kind)).collect::<Result<_>>()?,
        (None, Some(listed)) => (0..count).map(|i| listed.contains(&(i as f64))).collect(),
        (None, None) => return Err(c.missing("layer_types")),
    };
    if attending.len() != count {
        return Err(c.wrong("layer_types", &format!("a list of {count} entries"), attending.len()));
    }
    let mixer = Mixer::Convolution { bias: c.flag("conv_bias")?, causal: true };
    let conv = LayerConfig { mixer, window: Some(c.int_or("conv_L_cache", 3)?), rope: None };
    for (layer, _) in d.layers.iter_mut().zip(attending).filter(|(_, attends)| !attends) {
        *layer = conv.clone();
    }
    if c.opt_flag("block_auto_adjust_ff_dim")?.unwrap_or(true) {
        let (part, multiple) = (2 * d.intermediate_size / 3, c.int_or("block_multiple_of", 256)?);
        let scaled = (f64::from(part) * c.float_or("block_ffn_dim_multiplier", 1.0)?) as i32;
        d.intermediate_size = (scaled + multiple - 1) / multiple * multiple;
    }
    let tied = c.opt_flag("tie_embedding")?.or(d.tied).unwrap_or(true);
    Ok(DecoderConfig { qk_norm: true, tied: Some(tied), names: &LFM2, ..d })
}

/// Whether a layer of LFM2 is one of attention.
fn attends(c: &Config, kind: &str) -> Result<bool> {
    match kind {
        "full_attention" => Ok(true),
        "conv" => Ok(false),
        other => Err(c.wrong("layer_types", "a list of full_attention and conv", other)),
    }
}
