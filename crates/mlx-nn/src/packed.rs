//! Sequences that lie one after the other without padding, and attention within each of them.
//!
//! Linear layers take all of their tokens at once, and attention takes adjoining sequences of one length together.

use crate::{Error, Result};
use mlx_ops::fast::{Mask, Rotation};
use mlx_ops::{Dtype, SelfAttention, Tensor, arange, concatenate, zeros};

/// Adjoining sequences of one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// How many.
    pub count: i32,
    /// Tokens of each.
    pub length: i32,
}

/// Sequences of tokens that go through a model together, which checked and joined them.
pub struct Batch {
    pub(crate) ids: Tensor,
    pub(crate) positions: Option<Tensor>,
    segments: Vec<Segment>,
}

impl Batch {
    /// Joins sequences. An error names the one that is empty, longer than `context`, or has an id that is not below `vocab`.
    pub(crate) fn new(sequences: &[&[u32]], context: i32, vocab: i32) -> Result<Self> {
        let mut segments: Vec<Segment> = Vec::new();
        for (i, sequence) in sequences.iter().enumerate() {
            let length = sequence.len();
            if length == 0 || length > context as usize {
                return Err(Error::msg(format!("Sequence {i} has {length} tokens; 1 to {context} can be encoded.")));
            }
            if let Some(id) = sequence.iter().find(|&&id| id >= vocab as u32) {
                return Err(Error::msg(format!("Sequence {i} has the id {id}; the model knows {vocab}.")));
            }
            let length = length as i32;
            match segments.last_mut() {
                Some(last) if last.length == length => last.count += 1,
                _ => segments.push(Segment { count: 1, length }),
            }
        }
        let ids: Vec<i32> = sequences.iter().copied().flatten().map(|&id| id as i32).collect();
        Ok(Self { ids: Tensor::from_slice(&ids, [ids.len() as i32])?, positions: None, segments })
    }

    /// The sequences in order, those of one length that adjoin taken together.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

/// What the queries of each segment see and how they weigh it, where they look both ways.
#[derive(Default)]
pub(crate) struct Masks(Vec<(Option<i32>, Vec<Option<Tensor>>)>);

impl Masks {
    /// The masks of layers with these windows. Those without one take `full`, which gets the length of a sequence.
    pub(crate) fn both_ways(
        segments: &[Segment],
        windows: impl Iterator<Item = Option<i32>>,
        full: impl Fn(i32) -> Result<Option<Tensor>>,
    ) -> Result<Self> {
        let mask = |window, length| match window {
            None => full(length),
            Some(window) => (length > window).then(|| near(length, window)).transpose(),
        };
        let mut all: Vec<(Option<i32>, Vec<_>)> = Vec::new();
        for window in windows {
            if all.iter().all(|(known, _)| *known != window) {
                let masks = segments.iter().map(|segment| mask(window, segment.length)).collect::<Result<_>>()?;
                all.push((window, masks));
            }
        }
        Ok(Self(all))
    }

    fn of(&self, window: Option<i32>, segment: usize) -> Option<&Tensor> {
        let (_, masks) = self.0.iter().find(|(known, _)| *known == window)?;
        masks.get(segment)?.as_ref()
    }
}

/// Which of `length` keys are among the `window` nearest of each query on either side, itself included, `(L, L)`.
fn near(length: i32, window: i32) -> Result<Tensor> {
    let keys = arange(0.0, f64::from(length), 1.0, Dtype::I32)?;
    let distance = (keys.expand_dims([1])? - &keys)?.abs()?;
    Ok(distance.less(window)?)
}

/// Applies `f` to the sequences of each segment, `(B, L, ..)`, of packed rows `(T, ..)`; it also gets the segment's number.
pub(crate) fn by_segment(
    rows: &Tensor,
    segments: &[Segment],
    f: impl Fn(&Tensor, usize) -> Result<Tensor>,
) -> Result<Tensor> {
    let mut outs = Vec::with_capacity(segments.len());
    let mut at = 0;
    for (i, &Segment { count, length }) in segments.iter().enumerate() {
        let range = at..at + count * length;
        at = range.end;
        let part = if segments.len() == 1 { rows.clone() } else { rows.i(range)? };
        outs.push(f(&part.reshape([count, length, -1])?, i)?.reshape([count * length, -1])?);
    }
    match <[Tensor; 1]>::try_from(outs) {
        Ok([out]) => Ok(out),
        Err(outs) => Ok(concatenate(&outs, 0)?),
    }
}

/// Attention of each sequence over itself, from the joined projection to the heads' outputs.
pub(crate) struct PackedAttention<'a> {
    /// Heads of queries, `H`.
    pub heads: i32,
    /// Heads of keys and values, `KV`.
    pub kv_heads: i32,
    /// Features of a head, `D`.
    pub head_dim: i32,
    /// Root-mean-square normalisation of each query and key: the two weights and epsilon.
    pub norms: Option<(&'a Tensor, &'a Tensor, f32)>,
    /// How queries and keys turn.
    pub rotation: Option<Rotation<'a>>,
    /// Queries see no key behind them.
    pub causal: bool,
    /// How many positions a query sees to either side, itself included; `None`: all.
    pub window: Option<i32>,
    /// A factor on the scores.
    pub scale: f32,
    /// Scores pass through `cap * tanh(score / cap)`.
    pub softcap: Option<f32>,
}

impl PackedAttention<'_> {
    /// `(T, (H + 2 KV) D)` to `(T, H D)`.
    pub(crate) fn forward(&self, qkv: &Tensor, segments: &[Segment], masks: &Masks) -> Result<Tensor> {
        by_segment(qkv, segments, |part, i| self.attend(part, masks.of(self.window, i)))
    }

    /// Attention within each of `(B, L, (H + 2 KV) D)`: `(B, L, H D)`.
    fn attend(&self, qkv: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let [b, l, _] = qkv.dims()?;
        let buffer = || zeros([b, self.kv_heads, l, self.head_dim], qkv.dtype());
        let attention = SelfAttention {
            heads: self.heads,
            kv_heads: self.kv_heads,
            norms: self.norms,
            rotation: self.rotation,
            offset: 0,
            at: 0,
            first: 0,
            window: self.window.filter(|&window| self.causal && window < l),
            mask: match mask {
                Some(mask) => Mask::Tensor(mask),
                None if self.causal => Mask::Causal,
                None => Mask::None,
            },
            scale: self.scale,
            softcap: self.softcap,
            sinks: None,
        };
        let (out, _, _) = attention.forward(qkv, buffer()?, buffer()?)?;
        Ok(out)
    }
}
