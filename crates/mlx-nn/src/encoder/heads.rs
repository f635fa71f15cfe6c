//! The heads that checkpoints carry behind an encoder: scores of a text for labels, and of a token for every word.
//!
//! Each begins with a layer of the hidden size, a function and perhaps a norm; families differ in names and functions.

use super::presets::activation;
use super::{EncoderConfig, Segment};
use crate::{Config, Embedding, Function, Linear, Norm, NormKind, Result, Weights};
use mlx_ops::{Activation, Tensor};

/// The layer that opens a head, described.
#[derive(Clone, Debug)]
struct TransformConfig {
    dense: &'static str,
    bias: bool,
    function: Function,
    norm: Option<(&'static str, NormKind, f32)>,
}

/// A classifier's head, described.
#[derive(Clone, Debug)]
pub struct ClassifierConfig {
    transform: TransformConfig,
    out: &'static str,
    /// Takes the mean of all tokens, not the first one.
    mean: bool,
    /// How many scores a text gets.
    pub labels: i32,
}

/// A masked language model's head, described.
#[derive(Clone, Debug)]
pub struct MaskedLmConfig {
    transform: TransformConfig,
    out: &'static str,
    /// Where else the bias of `out` may stand.
    bias: Option<&'static str>,
    biased: bool,
    tied: bool,
}

/// How many labels a configuration names: `id2label`, or `num_labels`, or two.
pub fn labels(c: &Config) -> Result<i32> {
    match c.value("id2label") {
        None => c.int_or("num_labels", 2),
        Some(serde_json::Value::Object(names)) if !names.is_empty() => Ok(names.len() as i32),
        Some(other) => Err(c.wrong("id2label", "an object of names", other)),
    }
}

impl ClassifierConfig {
    /// The head of the family's `ForSequenceClassification` in transformers.
    pub fn read(c: &Config, encoder: &EncoderConfig) -> Result<Self> {
        let plain = |dense, function| TransformConfig { dense, bias: true, function, norm: None };
        let (transform, out, mean) = match c.text("model_type")? {
            "bert" => (plain("bert.pooler.dense", Function::Tanh), "classifier", false),
            "distilbert" => (plain("pre_classifier", Function::Of(Activation::Relu)), "classifier", false),
            "modernbert" => {
                let mean = match c.opt_text("classifier_pooling")?.unwrap_or("cls") {
                    "cls" => false,
                    "mean" => true,
                    other => return Err(c.wrong("classifier_pooling", "cls or mean", other)),
                };
                (modernbert(c, encoder)?, "classifier", mean)
            }
            _ => (plain("classifier.dense", Function::Tanh), "classifier.out_proj", false),
        };
        Ok(Self { transform, out, mean, labels: labels(c)? })
    }
}

impl MaskedLmConfig {
    /// The head of the family's `ForMaskedLM` in transformers.
    pub fn read(c: &Config, encoder: &EncoderConfig) -> Result<Self> {
        let norm = |name| Some((name, encoder.norm, encoder.norm_eps));
        let plain = |dense, function, name| TransformConfig {
            dense,
            bias: true,
            function: Function::Of(function),
            norm: norm(name),
        };
        let tied = c.opt_flag("tie_word_embeddings")?.unwrap_or(true);
        let all = |transform, out, bias| Self { transform, out, bias, biased: true, tied };
        Ok(match c.text("model_type")? {
            "bert" => {
                let [dense, norm] = ["cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"];
                all(plain(dense, encoder.activation, norm), "cls.predictions.decoder", Some("cls.predictions"))
            }
            "distilbert" => {
                all(plain("vocab_transform", encoder.activation, "vocab_layer_norm"), "vocab_projector", None)
            }
            "modernbert" => {
                let biased = c.opt_flag("decoder_bias")?.unwrap_or(true);
                Self { biased, ..all(modernbert(c, encoder)?, "decoder", None) }
            }
            _ => {
                all(plain("lm_head.dense", Activation::Gelu, "lm_head.layer_norm"), "lm_head.decoder", Some("lm_head"))
            }
        })
    }
}

fn modernbert(c: &Config, encoder: &EncoderConfig) -> Result<TransformConfig> {
    let function = Function::Of(activation(c, "classifier_activation")?);
    let norm = Some(("head.norm", encoder.norm, encoder.norm_eps));
    Ok(TransformConfig { dense: "head.dense", bias: c.flag("classifier_bias")?, function, norm })
}

/// `norm(function(dense(x)))`.
struct Transform {
    dense: Linear,
    function: Function,
    norm: Option<Norm>,
}

impl Transform {
    fn new(c: &TransformConfig, hidden: i32, w: &Weights) -> Result<Self> {
        let norm = c.norm.map(|(name, kind, eps)| Norm::new(w, name, hidden, kind, eps)).transpose()?;
        Ok(Self { dense: w.linear(c.dense, hidden, hidden, c.bias)?, function: c.function, norm })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.function.forward(&self.dense.forward(x)?)?;
        match &self.norm {
            Some(norm) => norm.forward(&x),
            None => Ok(x),
        }
    }
}

/// From hidden states to a text's scores.
pub struct Classifier {
    transform: Transform,
    out: Linear,
    mean: bool,
}

impl Classifier {
    /// Takes the head's tensors, whose names begin at the checkpoint's root. `hidden` is the encoder's hidden size.
    pub fn new(c: &ClassifierConfig, hidden: i32, w: &Weights) -> Result<Self> {
        let out = w.linear(c.out, hidden, c.labels, true)?;
        Ok(Self { transform: Transform::new(&c.transform, hidden, w)?, out, mean: c.mean })
    }

    /// `(T, hidden)` to the logits of each sequence, `(sequences, labels)`.
    pub fn forward(&self, hidden: &Tensor, segments: &[Segment]) -> Result<Tensor> {
        let rows = if self.mean { means(hidden, segments)? } else { firsts(hidden, segments)? };
        self.out.forward(&self.transform.forward(&rows)?)
    }
}

/// The first token of each sequence, `(T, hidden)` to `(sequences, hidden)`.
fn firsts(hidden: &Tensor, segments: &[Segment]) -> Result<Tensor> {
    let mut at = 0;
    let mut starts = Vec::new();
    for &Segment { count, length } in segments {
        starts.extend((0..count).map(|i| at + i * length));
        at += count * length;
    }
    Ok(hidden.take(&Tensor::from_slice(&starts, [starts.len() as i32])?, 0)?)
}

/// The mean of each sequence's tokens, `(T, hidden)` to `(sequences, hidden)`.
fn means(hidden: &Tensor, segments: &[Segment]) -> Result<Tensor> {
    let mut at = 0;
    let mut rows = Vec::with_capacity(segments.len());
    for &Segment { count, length } in segments {
        let tokens = hidden.i(at..at + count * length)?.reshape([count, length, -1])?; // (B, L, hidden)
        rows.push(tokens.mean(1, false)?);
        at += count * length;
    }
    Ok(mlx_ops::concatenate(&rows, 0)?)
}

/// From hidden states to the scores of every word of the vocabulary.
pub struct MaskedLm {
    transform: Transform,
    out: Linear,
}

impl MaskedLm {
    /// Takes the head's tensors, whose names begin at the checkpoint's root. `tokens` is the encoder's table, which
    /// most checkpoints share.
    pub fn new(c: &MaskedLmConfig, encoder: &EncoderConfig, tokens: &Embedding, w: &Weights) -> Result<Self> {
        let (hidden, vocab) = (encoder.hidden_size, encoder.vocab_size);
        let beside = c.bias.filter(|_| !w.has(&format!("{}.bias", c.out)));
        let place = w.at(beside.unwrap_or(c.out));
        let bias = c.biased.then(|| place.take("bias", &[vocab])).transpose()?;
        let out = match c.tied {
            true => tokens.tied(bias),
            false => Linear::new(w.at(c.out).matrix(hidden, vocab)?, bias),
        };
        Ok(Self { transform: Transform::new(&c.transform, hidden, w)?, out })
    }

    /// Hidden states `(N, hidden)` of any tokens to their logits `(N, vocab)`.
    pub fn forward(&self, hidden: &Tensor) -> Result<Tensor> {
        self.out.forward(&self.transform.forward(hidden)?)
    }
}
