//! Attention, feed-forward layer and block of the decoder.

use super::config::{DecoderConfig, LayerConfig, Mixer, Placement};
use super::convolution::ShortConv;
use crate::cache::{KvCache, Place, Visible};
use crate::linear::Projections;
use crate::packed::{Masks, Segment};
use crate::rope::Rope;
use crate::{Around, Error, Linear, Norm, Result, Weights};
use mlx_ops::{Activation, Dtype, PackedAttention, SelfAttention, Tensor};

/// What the queries of a layer look at.
pub(super) enum Over<'a> {
    /// What a cache holds and the new tokens `(B, L, ..)`, as far as they are visible.
    Cache(&'a Visible, &'a mut KvCache),
    /// The sequence that each of the packed tokens `(T, ..)` belongs to.
    Packed(&'a [Segment], &'a Masks<'a>),
}

struct Attention {
    qkv: Projections,
    qk_norm: Option<(Norm, Norm)>,
    rope: Option<Rope>,
    heads: i32,
    kv_heads: i32,
    head_dim: i32,
    window: Option<i32>,
    causal: bool,
    scale: f32,
    softcap: Option<f32>,
}

impl Attention {
    fn new(c: &DecoderConfig, layer: &LayerConfig, w: &Weights) -> Result<Self> {
        let (q, kv) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
        let fused = c.fused.qkv.then_some("qkv_proj");
        let names = ["q_proj", "k_proj", "v_proj"];
        let [q_norm, k_norm] = c.names.qk_norm;
        let norm = |name| Norm::new(w, name, c.head_dim, c.norm, c.norm_eps);
        Ok(Self {
            qkv: Projections::new(w, fused, &names, c.hidden_size, &[q, kv, kv], c.biases.qkv)?,
            qk_norm: c.qk_norm.then(|| Ok::<_, Error>((norm(q_norm)?, norm(k_norm)?))).transpose()?,
            rope: layer.rope.as_ref().map(Rope::new).transpose()?,
            heads: c.heads,
            kv_heads: c.kv_heads,
            head_dim: c.head_dim,
            window: layer.window,
            causal: c.causal,
            scale: c.attention_scale,
            softcap: c.attention_softcap,
        })
    }

    /// The heads' outputs side by side, `(.., H D)`.
    fn forward(&self, x: &Tensor, norm: &Norm, over: Over<'_>) -> Result<Tensor> {
        let qkv = self.qkv.forward(x, Some(norm), None)?; // (.., (H + 2 KV) D)
        let norms = self.qk_norm.as_ref().and_then(|(q, k)| Some((q.rms()?, k.rms()?)));
        let norms = norms.map(|((q, eps), (k, _))| (q, k, eps));
        let rotation = self.rope.as_ref().map(Rope::rotation);
        let (heads, kv_heads, head_dim) = (self.heads, self.kv_heads, self.head_dim);
        let (scale, softcap) = (self.scale, self.softcap);
        let (mask, cache) = match over {
            Over::Cache(mask, cache) => (mask, cache),
            Over::Packed(segments, masks) => {
                let (causal, window) = (self.causal, self.window);
                let scores = masks.scores();
                let attention =
                    PackedAttention { heads, kv_heads, norms, rotation, causal, window, scores, scale, softcap };
                return masks.without_blind(attention.forward(&qkv, segments)?, window);
            }
        };
        let ([b, l, _], offset) = (qkv.dims()?, cache.offset());
        cache.extend([b, kv_heads, l, head_dim], qkv.dtype(), |keys, values, Place { at, first }| {
            let window = matches!(mask, Visible::Masked(_)).then_some(self.window).flatten();
            let attention = SelfAttention {
                heads,
                kv_heads,
                norms,
                rotation,
                offset,
                at,
                first,
                window,
                mask: mask.mask(),
                scale,
                softcap,
                sinks: None,
            };
            Ok(attention.forward(&qkv, keys, values)?)
        })
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
        let fused = c.fused.gate_up.then_some("gate_up_proj");
        let gate_up = Projections::new(w, fused, &c.names.gate_up, hidden, &[inner, inner], bias)?;
        Ok(Self { gate_up, down_proj: w.linear(c.names.down, inner, hidden, bias)?, activation: c.activation })
    }

    /// What goes into `down_proj`.
    fn forward(&self, x: &Tensor, norm: &Norm) -> Result<Tensor> {
        self.gate_up.forward(x, Some(norm), Some(self.activation))
    }
}

enum Mix {
    Attention(Attention),
    Convolution(ShortConv),
}

impl Mix {
    /// The mixer and the layer behind it.
    fn new(c: &DecoderConfig, layer: &LayerConfig, w: &Weights) -> Result<(Self, Linear)> {
        let hidden = c.hidden_size;
        Ok(match (layer.mixer, layer.window) {
            (Mixer::Convolution { bias, causal }, Some(length)) => {
                let w = w.at("conv");
                let conv = ShortConv::new(hidden, length, bias, causal, &w)?;
                (Self::Convolution(conv), w.linear("out_proj", hidden, hidden, bias)?)
            }
            (Mixer::Convolution { .. }, None) => {
                return Err(Error::msg("A layer with a convolution needs its length."));
            }
            (Mixer::Attention, _) => {
                let w = w.at("self_attn");
                let out = w.linear(c.names.o, c.heads * c.head_dim, hidden, c.biases.o)?;
                (Self::Attention(Attention::new(c, layer, &w)?), out)
            }
        })
    }

    /// What goes into the layer behind it.
    fn forward(&self, x: &Tensor, norm: &Norm, over: Over<'_>) -> Result<Tensor> {
        match self {
            Self::Attention(attention) => attention.forward(x, norm, over),
            Self::Convolution(conv) => conv.forward(x, norm, over),
        }
    }
}

/// One layer: mixer and feed-forward, each added to the residual stream.
pub(super) struct Block {
    mix: Mix,
    out: Linear,
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
            Placement::Pre => (norm(c.names.mlp_norm)?, None),
            Placement::Sandwich => {
                let after = (norm("post_attention_layernorm")?, norm("post_feedforward_layernorm")?);
                (norm("pre_feedforward_layernorm")?, Some(after))
            }
        };
        let (mix, out) = Mix::new(c, layer, w)?;
        Ok(Self {
            mix,
            out,
            mlp: Mlp::new(c, &w.at(c.names.mlp))?,
            norm1: norm(c.names.mixer_norm)?,
            norm2,
            after,
            clip: c.clip_residual,
        })
    }

    /// `(.., hidden)` to the same.
    pub(super) fn forward(&self, x: &Tensor, over: Over<'_>) -> Result<Tensor> {
        let (after1, after2) = self.after.as_ref().map(|(first, second)| (first, second)).unzip();
        let mixed = self.mix.forward(x, &self.norm1, over)?;
        let h = self.add(x, &self.out, &mixed, after1)?;
        let inner = self.mlp.forward(&h, &self.norm2)?;
        self.add(&h, &self.mlp.down_proj, &inner, after2)
    }

    /// `x + after(layer(y))`.
    fn add(&self, x: &Tensor, layer: &Linear, y: &Tensor, after: Option<&Norm>) -> Result<Tensor> {
        if !self.clip || x.dtype() != Dtype::F16 {
            return layer.forward_with(y, Around { after, residual: Some(x), ..Around::default() });
        }
        let y = layer.forward_with(y, Around { after, ..Around::default() })?;
        const MAX: f32 = 65504.0;
        let sum = (x.astype(Dtype::F32)? + y.astype(Dtype::F32)?)?;
        Ok(sum.clip(-MAX, MAX)?.astype(Dtype::F16)?)
    }
}
