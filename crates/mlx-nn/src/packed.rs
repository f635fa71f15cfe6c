//! Sequences that lie one after the other without padding: linear layers take all of their tokens at once, and attention
//! stays within each.

use crate::{Error, Result};
use mlx_ops::{Dtype, Tensor, select};

pub use mlx_ops::Segment;

/// Sequences of tokens that go through a model together, which checked and joined them.
pub struct Batch {
    pub(crate) ids: Tensor,
    pub(crate) positions: Option<Tensor>,
    /// Which text of a pair each token belongs to; `None`: all to the first.
    pub(crate) types: Option<Tensor>,
    segments: Vec<Segment>,
    /// How many tokens of each sequence are seen, where not all are.
    seen: Option<Vec<i32>>,
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
        Ok(Self {
            ids: Tensor::from_slice(&ids, [ids.len() as i32])?,
            positions: None,
            types: None,
            segments,
            seen: None,
        })
    }

    /// The sequences in order, those of one length that adjoin taken together.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The same batch in which only the first `seen[i]` tokens of sequence `i` are seen, by all of its tokens, as late
    /// interaction fills queries up.
    ///
    /// An error if there is not a number from 1 to its length for each sequence.
    pub fn seen(mut self, seen: &[usize]) -> Result<Self> {
        let fit = self.lengths().zip(seen).all(|(length, seen)| (1..=length as usize).contains(seen));
        if self.lengths().count() != seen.len() || !fit {
            return Err(Error::msg("Each sequence needs a number of seen tokens, from 1 to its length."));
        }
        let all = self.lengths().zip(seen).all(|(length, &seen)| length as usize == seen);
        self.seen = (!all).then(|| seen.iter().map(|&seen| seen as i32).collect());
        Ok(self)
    }

    /// The length of each sequence.
    fn lengths(&self) -> impl Iterator<Item = i32> {
        self.segments.iter().flat_map(|s| std::iter::repeat_n(s.length, s.count as usize))
    }

    /// What hides tokens when it is added to the scores of each segment, `(count, 1, 1, length)`; `None`: all are seen.
    fn hiding(&self, dtype: Dtype) -> Result<Option<Vec<Tensor>>> {
        let Some(seen) = &self.seen else { return Ok(None) };
        let mut seen = seen.iter();
        let hiding = |&Segment { count, length }: &Segment| {
            let of = |&seen: &i32| (0..length).map(move |key| if key < seen { 0.0 } else { f32::NEG_INFINITY });
            let scores: Vec<f32> = seen.by_ref().take(count as usize).flat_map(of).collect();
            Ok(Tensor::from_slice(&scores, [count, 1, 1, length])?.astype(dtype)?)
        };
        self.segments.iter().map(hiding).collect::<Result<Vec<_>>>().map(Some)
    }
}

/// What the queries of a batch see besides what the model's attention says.
pub(crate) struct Masks<'a> {
    batch: &'a Batch,
    scores: Option<Vec<Tensor>>,
}

impl<'a> Masks<'a> {
    /// Nothing is added to scores but that tokens that are not seen get none, in activations of `dtype`.
    pub(crate) fn new(batch: &'a Batch, dtype: Dtype) -> Result<Self> {
        Ok(Self { batch, scores: batch.hiding(dtype)? })
    }

    /// The same with scores that a model learned, and that follow from the length of a sequence: `(1, H, L, L)`.
    pub(crate) fn by_length(batch: &'a Batch, dtype: Dtype, scores: impl Fn(i32) -> Result<Tensor>) -> Result<Self> {
        let learned = batch.segments.iter().map(|segment| scores(segment.length)).collect::<Result<Vec<_>>>()?;
        let scores = match batch.hiding(dtype)? {
            Some(hiding) => learned.iter().zip(&hiding).map(|(a, b)| Ok((a + b)?)).collect::<Result<_>>()?,
            None => learned,
        };
        Ok(Self { batch, scores: Some(scores) })
    }

    /// What is added to the scores of each segment.
    pub(crate) fn scores(&self) -> Option<&[Tensor]> {
        self.scores.as_deref()
    }

    /// Rows `(T, ..)` with zeros for queries in whose window no token is seen: a softmax over nothing is no number.
    pub(crate) fn without_blind(&self, rows: Tensor, window: Option<i32>) -> Result<Tensor> {
        match window {
            Some(window) => self.keep(rows, |at, seen| at < seen - 1 + window),
            None => Ok(rows),
        }
    }

    /// Rows `(T, ..)` with zeros for tokens that are not seen.
    pub(crate) fn without_hidden(&self, rows: Tensor) -> Result<Tensor> {
        self.keep(rows, |at, seen| at < seen)
    }

    /// Rows with zeros where `kept` says no of a position and the number of seen tokens of its sequence.
    fn keep(&self, rows: Tensor, kept: impl Fn(i32, i32) -> bool) -> Result<Tensor> {
        let Some(seen) = &self.batch.seen else { return Ok(rows) };
        let lengths = self.batch.lengths().zip(seen);
        let kept: Vec<bool> = lengths
            .flat_map(|(length, &seen)| (0..length).map(move |at| (at, seen)))
            .map(|(at, seen)| kept(at, seen))
            .collect();
        if kept.iter().all(|&kept| kept) {
            return Ok(rows);
        }
        Ok(select(&Tensor::from_slice(&kept, [kept.len() as i32, 1])?, &rows, 0.0)?)
    }
}
