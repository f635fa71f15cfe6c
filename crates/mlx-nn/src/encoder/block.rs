//! Attention, feed-forward layer and block of the encoder.

use super::config::{EncoderConfig, LayerConfig, Placement};
use crate::linear::Projections;
use crate::packed::{Masks, Segment};
use crate::rope::Rope;
use crate::{Around, Linear, Norm, Result, Weights};
use mlx_ops::{Activation, PackedAttention, Tensor};

struct Attention {
    qkv: Projections,
    o: Linear,
    rope: Option<Rope>,
    heads: i32,
    head_dim: i32,
    window: Option<i32>,
}

impl Attention {
    fn new(c: &EncoderConfig, layer: &LayerConfig, w: &Weights) -> Result<Self> {
        let hidden = c.hidden_size;
        let fused = if let [name] = c.names.qkv { Some(*name) } else { None };
        Ok(Self {
            qkv: Projections::new(w, fused, c.names.qkv, hidden, &[hidden; 3], c.biases.qkv)?,
            o: w.linear(c.names.o, hidden, hidden, c.biases.o)?,
            rope: layer.rope.as_ref().map(Rope::new).transpose()?,
            heads: c.heads,
            head_dim: hidden / c.heads,
            window: layer.reach.map(|reach| reach + 1),
        })
    }

    /// The heads' outputs side by side, `(T, H D)`.
    fn forward(&self, x: &Tensor, norm: Option<&Norm>, segments: &[Segment], masks: &Masks<'_>) -> Result<Tensor> {
        let qkv = self.qkv.forward(x, norm, None)?; // (T, 3 H D)
        let attention = PackedAttention {
            heads: self.heads,
            kv_heads: self.heads,
            norms: None,
            rotation: self.rope.as_ref().map(Rope::rotation),
            causal: false,
            window: self.window,
            scores: masks.scores(),
            scale: f64::from(self.head_dim).powf(-0.5) as f32,
            softcap: None,
        };
        masks.without_blind(attention.forward(&qkv, segments)?, self.window)
    }
}

/// One layer: attention and feed-forward.
pub(super) struct Block {
    attn: Attention,
    up: Linear,
    down: Linear,
    activation: Activation,
    gated: bool,
    placement: Placement,
    /// `None`: what comes in is normal already.
    attention_norm: Option<Norm>,
    mlp_norm: Norm,
}

impl Block {
    pub(super) fn new(c: &EncoderConfig, i: usize, w: &Weights) -> Result<Self> {
        let (hidden, inner) = (c.hidden_size, c.intermediate_size);
        let norm = |name| Norm::new(w, name, hidden, c.norm, c.norm_eps);
        // The first layer's input comes from the norm of the embeddings.
        let plain = c.placement == Placement::Pre && i == 0;
        Ok(Self {
            attn: Attention::new(c, &c.layers[i], w)?,
            up: w.linear(c.names.up, hidden, if c.gated { 2 * inner } else { inner }, c.biases.mlp)?,
            down: w.linear(c.names.down, inner, hidden, c.biases.mlp)?,
            activation: c.activation,
            gated: c.gated,
            placement: c.placement,
            attention_norm: (!plain).then(|| norm(c.names.attention_norm)).transpose()?,
            mlp_norm: norm(c.names.mlp_norm)?,
        })
    }

    /// `(T, hidden)` to the same.
    pub(super) fn forward(&self, x: &Tensor, segments: &[Segment], masks: &Masks<'_>) -> Result<Tensor> {
        let after = |norm: Option<&Norm>, h: Tensor| match (self.placement, norm) {
            (Placement::Post, Some(norm)) => norm.forward(&h),
            _ => Ok(h),
        };
        let before = |norm| if self.placement == Placement::Pre { norm } else { None };
        let (norm1, norm2) = (self.attention_norm.as_ref(), Some(&self.mlp_norm));
        let heads = self.attn.forward(x, before(norm1), segments, masks)?;
        let h = after(norm1, self.attn.o.forward_with(&heads, Around { residual: Some(x), ..Around::default() })?)?;
        let (gate, activation) = if self.gated { (Some(self.activation), None) } else { (None, Some(self.activation)) };
        let inner = self.up.forward_with(&h, Around { norm: before(norm2), gate, activation, ..Around::default() })?;
        after(norm2, self.down.forward_with(&inner, Around { residual: Some(&h), ..Around::default() })?)
    }
}
