//! One preset per `model_type`: Hugging Face's `config.json` to an [`EncoderConfig`].

use super::{EncoderConfig, LayerConfig, Names, Placement, Positions};
use crate::decoder::Biases;
use crate::norm::NormKind;
use crate::rope::RopeConfig;
use crate::{Config, Result};
use mlx_ops::Activation;

/// Maps a configuration onto the encoder.
pub type Preset = fn(&Config) -> Result<EncoderConfig>;

/// The `model_type`s that are presets.
pub const PRESETS: [(&str, Preset); 7] = [
    ("bert", bert),
    ("roberta", roberta),
    ("xlm-roberta", roberta),
    ("camembert", roberta),
    ("distilbert", distilbert),
    ("mpnet", mpnet),
    ("modernbert", modernbert),
];

/// The preset of a `model_type`.
pub fn find(model_type: &str) -> Option<Preset> {
    PRESETS.iter().find(|(name, _)| *name == model_type).map(|&(_, preset)| preset)
}

const BERT: Names = Names {
    prefix: "bert",
    tokens: "embeddings.word_embeddings",
    embedding_norm: "embeddings.LayerNorm",
    layers: "encoder.layer",
    qkv: &["attention.self.query", "attention.self.key", "attention.self.value"],
    o: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    up: "intermediate.dense",
    down: "output.dense",
    mlp_norm: "output.LayerNorm",
};

const ROBERTA: Names = Names { prefix: "roberta", ..BERT };

const MPNET: Names = Names {
    prefix: "mpnet",
    qkv: &["attention.attn.q", "attention.attn.k", "attention.attn.v"],
    o: "attention.attn.o",
    attention_norm: "attention.LayerNorm",
    ..BERT
};

const DISTILBERT: Names = Names {
    prefix: "distilbert",
    layers: "transformer.layer",
    qkv: &["attention.q_lin", "attention.k_lin", "attention.v_lin"],
    o: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    up: "ffn.lin1",
    down: "ffn.lin2",
    mlp_norm: "output_layer_norm",
    ..BERT
};

const MODERNBERT: Names = Names {
    prefix: "model",
    tokens: "embeddings.tok_embeddings",
    embedding_norm: "embeddings.norm",
    layers: "layers",
    qkv: &["attn.Wqkv"],
    o: "attn.Wo",
    attention_norm: "attn_norm",
    up: "mlp.Wi",
    down: "mlp.Wo",
    mlp_norm: "mlp_norm",
};

pub(super) fn activation(c: &Config, key: &str) -> Result<Activation> {
    Ok(match c.opt_text(key)?.unwrap_or("gelu") {
        "gelu" => Activation::Gelu,
        "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Activation::GeluTanh,
        "relu" => Activation::Relu,
        "silu" | "swish" => Activation::Silu,
        other => return Err(c.wrong(key, "gelu, gelu_new, gelu_pytorch_tanh, relu or silu", other)),
    })
}

/// BERT. Follows transformers/models/bert/modeling_bert.py.
fn bert(c: &Config) -> Result<EncoderConfig> {
    if let Some(kind) = c.opt_text("position_embedding_type")?.filter(|&kind| kind != "absolute") {
        return Err(c.wrong("position_embedding_type", "absolute", kind));
    }
    let entries = c.int_or("max_position_embeddings", 512)?;
    Ok(EncoderConfig {
        vocab_size: c.int("vocab_size")?,
        hidden_size: c.int("hidden_size")?,
        intermediate_size: c.int("intermediate_size")?,
        heads: c.int("num_attention_heads")?,
        layers: vec![LayerConfig { reach: None, rope: None }; c.int("num_hidden_layers")? as usize],
        context: entries,
        positions: Some(Positions { entries, padding: None }),
        token_types: c.int_or("type_vocab_size", 2)?,
        distance_buckets: None,
        norm: NormKind::Layer,
        norm_eps: c.float_or("layer_norm_eps", 1e-12)? as f32,
        placement: Placement::Post,
        biases: Biases { qkv: true, o: true, mlp: true },
        activation: activation(c, "hidden_act")?,
        gated: false,
        names: &BERT,
    })
}

/// Positions that begin behind the id of padding.
fn behind_padding(e: &mut EncoderConfig, c: &Config, padding: i64) -> Result<()> {
    let entries = e.context;
    let padding = i32::try_from(padding).ok().filter(|p| (0..entries - 1).contains(p));
    let Some(padding) = padding else { return Err(c.wrong("pad_token_id", "a position", entries)) };
    e.positions = Some(Positions { entries, padding: Some(padding) });
    e.context = entries - padding - 1;
    Ok(())
}

/// RoBERTa, XLM-RoBERTa and CamemBERT. Follows transformers/models/xlm_roberta/modeling_xlm_roberta.py.
fn roberta(c: &Config) -> Result<EncoderConfig> {
    let mut e = bert(c)?;
    behind_padding(&mut e, c, c.opt_float("pad_token_id")?.unwrap_or(1.0) as i64)?;
    e.names = &ROBERTA;
    Ok(e)
}

/// MPNet. Follows transformers/models/mpnet/modeling_mpnet.py.
fn mpnet(c: &Config) -> Result<EncoderConfig> {
    let mut e = bert(c)?;
    behind_padding(&mut e, c, 1)?;
    e.token_types = 0;
    e.distance_buckets = Some(c.int_or("relative_attention_num_buckets", 32)?);
    e.names = &MPNET;
    Ok(e)
}

/// DistilBERT. Follows transformers/models/distilbert/modeling_distilbert.py.
fn distilbert(c: &Config) -> Result<EncoderConfig> {
    let entries = c.int_or("max_position_embeddings", 512)?;
    Ok(EncoderConfig {
        vocab_size: c.int("vocab_size")?,
        hidden_size: c.int("dim")?,
        intermediate_size: c.int("hidden_dim")?,
        heads: c.int("n_heads")?,
        layers: vec![LayerConfig { reach: None, rope: None }; c.int("n_layers")? as usize],
        context: entries,
        positions: Some(Positions { entries, padding: None }),
        token_types: 0,
        distance_buckets: None,
        norm: NormKind::Layer,
        norm_eps: 1e-12,
        placement: Placement::Post,
        biases: Biases { qkv: true, o: true, mlp: true },
        activation: activation(c, "activation")?,
        gated: false,
        names: &DISTILBERT,
    })
}

/// ModernBERT. Follows transformers/models/modernbert/modeling_modernbert.py.
fn modernbert(c: &Config) -> Result<EncoderConfig> {
    let (hidden_size, heads) = (c.int("hidden_size")?, c.int("num_attention_heads")?);
    // Newer files keep one object for each kind of layer.
    let nested = c.object("rope_parameters")?;
    let rope = |kind: &str, key: &str, default| {
        let own = nested.as_ref().map(|n| n.object(kind)).transpose()?.flatten();
        let theta = own.map(|own| own.opt_float("rope_theta")).transpose()?.flatten();
        Ok::<_, crate::Error>(RopeConfig::plain(hidden_size / heads, theta.unwrap_or(c.float_or(key, default)?)))
    };
    let global = LayerConfig { reach: None, rope: Some(rope("full_attention", "global_rope_theta", 160_000.0)?) };
    let local = LayerConfig {
        reach: Some(c.int_or("local_attention", 128)? / 2),
        rope: Some(rope("sliding_attention", "local_rope_theta", 10_000.0)?),
    };
    let (count, every) = (c.int("num_hidden_layers")?, c.int_or("global_attn_every_n_layers", 3)?);
    let types = match c.opt_texts("layer_types")? {
        Some(types) if types.len() == count as usize => types,
        Some(types) => return Err(c.wrong("layer_types", &format!("a list of {count} entries"), types.len())),
        None => {
            let kind = |i| if i % every == 0 { "full_attention" } else { "sliding_attention" };
            (0..count).map(|i| kind(i).to_owned()).collect()
        }
    };
    let layer = |kind: &String| match kind.as_str() {
        "full_attention" => Ok(global.clone()),
        "sliding_attention" => Ok(local.clone()),
        other => Err(c.wrong("layer_types", "a list of full_attention and sliding_attention", other)),
    };
    let attention = c.flag("attention_bias")?;
    Ok(EncoderConfig {
        vocab_size: c.int("vocab_size")?,
        hidden_size,
        intermediate_size: c.int("intermediate_size")?,
        heads,
        layers: types.iter().map(layer).collect::<Result<_>>()?,
        context: c.int_or("max_position_embeddings", 8192)?,
        positions: None,
        token_types: 0,
        distance_buckets: None,
        norm: if c.flag("norm_bias")? { NormKind::Layer } else { NormKind::LayerUnbiased },
        norm_eps: c.float_or("norm_eps", 1e-5)? as f32,
        placement: Placement::Pre,
        biases: Biases { qkv: attention, o: attention, mlp: c.flag("mlp_bias")? },
        activation: activation(c, "hidden_activation")?,
        gated: true,
        names: &MODERNBERT,
    })
}
