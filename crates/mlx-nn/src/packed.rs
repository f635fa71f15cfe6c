//! Sequences that lie one after the other without padding: linear layers take all of their tokens at once, and attention
//! stays within each.

use crate::{Error, Result};
use mlx_ops::{Tensor, concatenate};

pub use mlx_ops::Segment;

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

/// What is added to the scores of each segment, in models that learned such.
#[derive(Default)]
pub(crate) struct Masks(Option<Vec<Tensor>>);

impl Masks {
    /// Scores that follow from the length of a sequence.
    pub(crate) fn by_length(segments: &[Segment], scores: impl Fn(i32) -> Result<Tensor>) -> Result<Self> {
        segments.iter().map(|segment| scores(segment.length)).collect::<Result<_>>().map(|all| Self(Some(all)))
    }

    /// A tensor for each segment.
    pub(crate) fn scores(&self) -> Option<&[Tensor]> {
        self.0.as_deref()
    }
}

/// Applies `f` to the sequences of each segment, `(B, L, ..)`, of packed rows `(T, ..)`.
pub(crate) fn by_segment(rows: &Tensor, segments: &[Segment], f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let mut outs = Vec::with_capacity(segments.len());
    let mut at = 0;
    for &Segment { count, length } in segments {
        let range = at..at + count * length;
        at = range.end;
        let part = if segments.len() == 1 { rows.clone() } else { rows.i(range)? };
        outs.push(f(&part.reshape([count, length, -1])?)?.reshape([count * length, -1])?);
    }
    match <[Tensor; 1]>::try_from(outs) {
        Ok([out]) => Ok(out),
        Err(outs) => Ok(concatenate(&outs, 0)?),
    }
}
