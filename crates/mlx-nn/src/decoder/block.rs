//! Attention, feed-forward layer and block of the decoder.

use super::config::{DecoderConfig, LayerConfig, Placement};
use crate::activation::Activation;
use crate::attention::attend;
use crate::cache::{KvCache, Visible};
use crate::rope::Rope;
use crate::{Linear, Norm, Result, Weights};
use mlx_ops::{Dtype, Tensor};

/// Projections that a checkpoint holds one by one or as one matrix.
enum Projections {
    Apart(Vec<Linear>),
    Joined(Linear, Vec<i32>),
}

impl Projections {
    fn apart(w: &Weights, names: &[&str], inputs: i32, outputs: &[i32], bias: bool) -> Result<Self> {
        let linear = |(name, &out): (&&str, &i32)| w.linear(name, inputs, out, bias);
        Ok(Self::Apart(names.iter().zip(outputs).map(linear).collect::<Result<_>>()?))
    }

    fn joined(w: &Weights, name: &str, inputs: i32, outputs: &[i32], bias: bool) -> Result<Self> {
        let ends = outputs.iter().scan(0, |end, out| {
            *end += out;
            Some(*end)
        });
        let cuts = ends.take(outputs.len() - 1).collect();
        Ok(Self::Joined(w.linear(name, inputs, outputs.iter().sum(), bias)?, cuts))
    }

    fn forward(&self, x: &Tensor) -> Result<Vec<Tensor>> {
        match self {
            Self::Apart(layers) => layers.iter().map(|layer| layer.forward(x)).collect(),
            Self::Joined(layer, cuts) => Ok(layer.forward(x)?.split(cuts, -1)?),
        }
    }
}

struct Attention {
    qkv: Projections,
    o_proj: Linear,
    qk_norm: Option<(Norm, Norm)>,
    rope: Option<Rope>,
    heads: i32,
    kv_heads: i32,
    scale: f32,
    softcap: Option<f32>,
}

impl Attention {
    fn new(c: &DecoderConfig, layer: &LayerConfig, w: &Weights) -> Result<Self> {
        let (q, kv) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
        let qkv = match c.fused.qkv {
            true => Projections::joined(w, "qkv_proj", c.hidden_size, &[q, kv, kv], c.biases.qkv)?,
            false => Projections::apart(w, &["q_proj", "k_proj", "v_proj"], c.hidden_size, &[q, kv, kv], c.biases.qkv)?,
        };
        let norm = |name| Norm::new(w, name, c.head_dim, c.norm, c.norm_eps);
        Ok(Self {
            qkv,
            o_proj: w.linear("o_proj", q, c.hidden_size, c.biases.o)?,
            qk_norm: c.qk_norm.then(|| Ok::<_, crate::Error>((norm("q_norm")?, norm("k_norm")?))).transpose()?,
            rope: layer.rope.as_ref().map(Rope::new).transpose()?,
            heads: c.heads,
            kv_heads: c.kv_heads,
            scale: c.attention_scale,
            softcap: c.attention_softcap,
        })
    }

    fn forward(&self, x: &Tensor, mask: &Visible, cache: &mut KvCache) -> Result<Tensor> {
        let [b, l, _] = x.dims()?;
        let mut parts = self.qkv.forward(x)?.into_iter();
        let mut heads = |count| -> Result<Tensor> {
            let part = parts.next().ok_or_else(|| crate::Error::msg("A projection is missing."))?;
            Ok(part.reshape([b, l, count, -1])?)
        };
        let (mut q, mut k, v) = (heads(self.heads)?, heads(self.kv_heads)?, heads(self.kv_heads)?); // (B, L, H, D)
        if let Some((q_norm, k_norm)) = &self.qk_norm {
            (q, k) = (q_norm.forward(&q)?, k_norm.forward(&k)?);
        }
        let [mut q, mut k, v] = [q.swapaxes(1, 2)?, k.swapaxes(1, 2)?, v.swapaxes(1, 2)?]; // (B, H, L, D)
        if let Some(rope) = &self.rope {
            (q, k) = (rope.forward(&q, cache.offset())?, rope.forward(&k, cache.offset())?);
        }
        let (k, v) = cache.update(k, v)?;
        let out = attend(&q, &k, &v, self.scale, self.softcap, mask)?;
        self.o_proj.forward(&out.swapaxes(1, 2)?.reshape([b, l, -1])?)
    }
}

struct Mlp {
    gate_up: Projections,
    down_proj: Linear,
    activation: Activation,
}

impl Mlp {
    fn new(c: &DecoderConfig, w: &Weights) -> Result<Self> {
        let (hidden, inner, bias) = (c.hidden_size, c.intermediate_size, c.biases.mlp);
        let gate_up = match c.fused.gate_up {
            true => Projections::joined(w, "gate_up_proj", hidden, &[inner, inner], bias)?,
            false => Projections::apart(w, &["gate_proj", "up_proj"], hidden, &[inner, inner], bias)?,
        };
        Ok(Self { gate_up, down_proj: w.linear("down_proj", inner, hidden, bias)?, activation: c.activation })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let parts = self.gate_up.forward(x)?;
        self.down_proj.forward(&self.activation.gate(&parts[0], &parts[1])?)
    }
}

/// One layer: attention and feed-forward, each added to the residual stream.
pub(super) struct Block {
    attn: Attention,
    mlp: Mlp,
    norm1: Norm,
    norm2: Norm,
    after: Option<(Norm, Norm)>,
    clip: bool,
}

impl Block {
    pub(super) fn new(c: &DecoderConfig, layer: &LayerConfig, w: &Weights) -> Result<Self> {
        let norm = |name| Norm::new(w, name, c.hidden_size, c.norm, c.norm_eps);
        let (norm2, after) = match c.placement {
            Placement::Pre => (norm("post_attention_layernorm")?, None),
            Placement::Sandwich => {
                let after = (norm("post_attention_layernorm")?, norm("post_feedforward_layernorm")?);
                (norm("pre_feedforward_layernorm")?, Some(after))
            }
        };
        Ok(Self {
            attn: Attention::new(c, layer, &w.at("self_attn"))?,
            mlp: Mlp::new(c, &w.at("mlp"))?,
            norm1: norm("input_layernorm")?,
            norm2,
            after,
            clip: c.clip_residual,
        })
    }

    pub(super) fn forward(&self, x: &Tensor, mask: &Visible, cache: &mut KvCache) -> Result<Tensor> {
        let mut r = self.attn.forward(&self.norm1.forward(x)?, mask, cache)?;
        if let Some((after, _)) = &self.after {
            r = after.forward(&r)?;
        }
        let h = self.add(x, &r)?;
        let mut r = self.mlp.forward(&self.norm2.forward(&h)?)?;
        if let Some((_, after)) = &self.after {
            r = after.forward(&r)?;
        }
        self.add(&h, &r)
    }

    fn add(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        if !self.clip || x.dtype() != Dtype::F16 {
            return Ok((x + y)?);
        }
        const MAX: f32 = 65504.0;
        let sum = (x.astype(Dtype::F32)? + y.astype(Dtype::F32)?)?;
        Ok(sum.clip(-MAX, MAX)?.astype(Dtype::F16)?)
    }
}
