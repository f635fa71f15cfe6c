//! Attention within sequences that lie one after the other without padding.

use crate::fast::{Attention, Mask, Rotation};
use crate::{Dtype, Tensor, arange, concatenate, cpu, fast, select};
use mlx_core::{Error, Result};

/// Adjoining sequences of one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// How many.
    pub count: i32,
    /// Tokens of each.
    pub length: i32,
}

/// Applies `f` to the sequences of each segment, `(B, L, ..)`, of packed rows `(T, ..)`; it gets the segment's number, too.
pub fn by_segment<E: From<Error>>(
    rows: &Tensor,
    segments: &[Segment],
    f: impl Fn(usize, &Tensor) -> Result<Tensor, E>,
) -> Result<Tensor, E> {
    let mut outs = Vec::with_capacity(segments.len());
    let mut at = 0;
    for (i, &Segment { count, length }) in segments.iter().enumerate() {
        let range = at..at + count * length;
        at = range.end;
        let part = if segments.len() == 1 { rows.clone() } else { rows.i(range)? };
        outs.push(f(i, &part.reshape([count, length, -1])?)?.reshape([count * length, -1])?);
    }
    match <[Tensor; 1]>::try_from(outs) {
        Ok([out]) => Ok(out),
        Err(outs) => Ok(concatenate(&outs, 0)?),
    }
}

/// Attention of each of several sequences over itself, from the joined projection to the heads' outputs.
///
/// ```
/// use mlx_ops::{PackedAttention, Segment, Tensor};
/// let attention = PackedAttention { heads: 1, kv_heads: 1, norms: None, rotation: None, causal: true, window: None,
///     scores: None, scale: 1.0, softcap: None };
/// // A sequence of two tokens and one of one; a query, a key and a value of one feature each.
/// let qkv = Tensor::from_slice(&[0f32, 1.0, 2.0, 0.0, 1.0, 4.0, 0.0, 1.0, 7.0], [3, 3])?;
/// let segments = [Segment { count: 1, length: 2 }, Segment { count: 1, length: 1 }];
/// assert_eq!(attention.forward(&qkv, &segments)?.to_vec::<f32>()?, [2.0, 3.0, 7.0]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct PackedAttention<'a> {
    /// Heads of the queries, `H`.
    pub heads: i32,
    /// Heads of keys and values, `KV`.
    pub kv_heads: i32,
    /// Root-mean-square normalisation of each query and key: the two weights, `(D,)`, and epsilon.
    pub norms: Option<(&'a Tensor, &'a Tensor, f32)>,
    /// How queries and keys turn; the positions of every sequence begin at 0.
    pub rotation: Option<Rotation<'a>>,
    /// Queries see no key behind them.
    pub causal: bool,
    /// How many positions a query sees to either side, itself included; `None`: all.
    pub window: Option<i32>,
    /// What is added to the scores of each segment, of a shape that broadcasts to `(count, H, length, length)`.
    pub scores: Option<&'a [Tensor]>,
    /// A factor on the scores.
    pub scale: f32,
    /// Scores pass through `cap * tanh(score / cap)`.
    pub softcap: Option<f32>,
}

impl PackedAttention<'_> {
    /// `(T, (H + 2 KV) D)` to `(T, H D)`, the rows of the segments one after the other.
    #[track_caller]
    pub fn forward(&self, qkv: &Tensor, segments: &[Segment]) -> Result<Tensor> {
        let rows: i64 = segments.iter().map(|s| i64::from(s.count) * i64::from(s.length)).sum();
        let wrong = segments.iter().any(|s| s.count < 1 || s.length < 1) || i64::from(qkv.dim(0)?) != rows;
        if wrong || self.scores.is_some_and(|scores| scores.len() != segments.len()) {
            return Err(Error::new(format!("[PackedAttention] {segments:?} are not the rows of {:?}", qkv.shape())));
        }
        match cpu::packed_attention(self, qkv, segments) {
            Some(out) => out.map(Tensor),
            None => self.composed(qkv, segments),
        }
    }

    /// The same by one op after the other.
    pub(crate) fn composed(&self, qkv: &Tensor, segments: &[Segment]) -> Result<Tensor> {
        by_segment(qkv, segments, |i, part| self.attend(part, self.scores.map(|scores| &scores[i])))
    }

    /// Attention within each of `(B, L, (H + 2 KV) D)`: `(B, L, H D)`.
    fn attend(&self, qkv: &Tensor, scores: Option<&Tensor>) -> Result<Tensor> {
        let [b, l, width] = qkv.dims()?;
        let d = width / (self.heads + 2 * self.kv_heads);
        let parts = qkv.split([self.heads * d, (self.heads + self.kv_heads) * d], -1)?;
        let weights = self.norms.map_or([None; 3], |(q, k, _)| [Some(q), Some(k), None]);
        let mut heads = Vec::with_capacity(3);
        for (i, (part, weight)) in parts.iter().zip(weights).enumerate() {
            let mut part = part.reshape([b, l, -1, d])?;
            if let Some((weight, (.., eps))) = weight.zip(self.norms) {
                part = fast::rms_norm(&part, Some(weight), eps)?;
            }
            part = part.swapaxes(1, 2)?; // (B, H, L, D)
            if let Some(rotation) = self.rotation.as_ref().filter(|_| i < 2) {
                part = fast::rope(&part, rotation, 0)?;
            }
            heads.push(part);
        }
        let hides = self.window.filter(|&window| window < l).or((self.causal && scores.is_some()).then_some(l));
        let near = hides.map(|window| near(l, window, self.causal)).transpose()?;
        let mask = match (&near, scores) {
            (Some(near), Some(scores)) => Some(select(near, scores, f32::NEG_INFINITY)?),
            (Some(near), None) => Some(near.clone()),
            (None, scores) => scores.cloned(),
        };
        let mask = match &mask {
            Some(mask) => Mask::Tensor(mask),
            None if self.causal => Mask::Causal,
            None => Mask::None,
        };
        let how = Attention { scale: self.scale, mask, window: None, softcap: self.softcap, sinks: None };
        fast::attention(&heads[0], &heads[1], &heads[2], &how)?.swapaxes(1, 2)?.reshape([b, l, -1])
    }
}

/// Which of `length` keys are among the `window` nearest of each query, itself included, on either side or before it, `(L, L)`.
fn near(length: i32, window: i32, causal: bool) -> Result<Tensor> {
    let keys = arange(0.0, f64::from(length), 1.0, Dtype::I32)?;
    let distance = (keys.expand_dims([1])? - &keys)?;
    let near = distance.abs()?.less(window)?;
    if causal { near.logical_and(&distance.greater_equal(0)?) } else { Ok(near) }
}
