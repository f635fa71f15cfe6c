//! The short convolution that LFM2 has in most layers in place of attention. Follows mlx_lm/models/lfm2.py.

use super::block::Over;
use crate::{Around, Error, Linear, Norm, Result, Weights};
use mlx_ops::{Tensor, by_segment};

/// `c * convolution(b * x)` for three projections b, c, x of the same input, each channel by itself.
pub(super) struct ShortConv {
    in_proj: Linear,
    /// What each input is multiplied with, the oldest first, `(C,)`.
    taps: Vec<Tensor>,
    bias: Option<Tensor>,
    causal: bool,
}

impl ShortConv {
    pub(super) fn new(channels: i32, length: i32, bias: bool, causal: bool, w: &Weights) -> Result<Self> {
        if !causal && length % 2 == 0 {
            return Err(Error::msg(format!("A convolution of {length} tokens cannot be centred on one.")));
        }
        // MLX has the channels of one group last, Hugging Face in the middle.
        let shapes = [[channels, length, 1], [channels, 1, length]];
        let weight = w.at("conv").take_any("weight", &shapes)?;
        Ok(Self {
            in_proj: w.linear("in_proj", channels, 3 * channels, bias)?,
            taps: weight.reshape([channels, length])?.transpose([1, 0])?.contiguous()?.unstack(0)?,
            bias: bias.then(|| w.at("conv").take("bias", &[channels])).transpose()?,
            causal,
        })
    }

    /// What goes into `out_proj`, `(.., C)`.
    pub(super) fn forward(&self, x: &Tensor, norm: &Norm, over: Over<'_>) -> Result<Tensor> {
        let mut bcx = self.in_proj.forward_with(x, Around { norm: Some(norm), ..Around::default() })?; // (.., 3 C)
        // As transformers has it; Liquid's own code in both directions hides tokens from attention alone.
        if let (Over::Packed(_, masks), true) = (&over, self.causal) {
            bcx = masks.without_hidden(bcx)?;
        }
        let parts = bcx.split_equal(3, -1)?;
        let inputs = (&parts[0] * &parts[2])?;
        let mixed = match over {
            Over::Cache(_, cache) => self.slide(&cache.append(&inputs)?)?,
            Over::Packed(segments, _) => {
                let more = self.taps.len() as i32 - 1;
                let behind = if self.causal { 0 } else { more / 2 };
                let before = more - behind;
                by_segment(&inputs, segments, |_, part| self.slide(&part.pad(&[1], &[before], &[behind], 0.0)?))?
            }
        };
        Ok((&parts[1] * mixed)?)
    }

    /// `(B, K - 1 + L, C)` to `(B, L, C)`.
    fn slide(&self, x: &Tensor) -> Result<Tensor> {
        let length = x.dim(1)? - (self.taps.len() as i32 - 1);
        let products = self.taps.iter().zip(0..).map(|(tap, k)| x.i((.., k..k + length))? * tap);
        let sum = products.reduce(|sum, product| sum? + product);
        let sum = sum.ok_or_else(|| Error::msg("A convolution has at least one weight."))??;
        match &self.bias {
            Some(bias) => Ok((sum + bias)?),
            None => Ok(sum),
        }
    }
}
