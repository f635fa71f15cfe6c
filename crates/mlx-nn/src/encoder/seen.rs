//! Tokens that see others without being seen, as late interaction appends them to queries.

use super::{Batch, Masks, Segment};
use crate::{Error, Result};
use mlx_ops::{Dtype, Tensor, arange, select};

impl Batch {
    /// The same batch in which only the first `seen[i]` tokens of sequence `i` are seen, by all of its tokens.
    ///
    /// An error if there is not a number from 1 to its length for each sequence.
    pub fn seen(mut self, seen: &[usize]) -> Result<Self> {
        let lengths = self.segments.iter().flat_map(|s| (0..s.count).map(|_| s.length as usize));
        let fit = lengths.clone().zip(seen).all(|(length, seen)| (1..=length).contains(seen));
        if lengths.clone().count() != seen.len() || !fit {
            return Err(Error::msg("Each sequence needs a number of seen tokens, from 1 to its length."));
        }
        let all = lengths.zip(seen).all(|(length, &seen)| length == seen);
        self.seen = (!all).then(|| seen.iter().map(|&seen| seen as i32).collect());
        Ok(self)
    }
}

impl Masks {
    /// Hides tokens from all others: of each sequence, those behind the first `seen`.
    pub(super) fn hide(&mut self, seen: &[i32], segments: &[Segment]) -> Result<()> {
        self.full.resize(segments.len(), None);
        let mut at = 0;
        for (i, &Segment { count, length }) in segments.iter().enumerate() {
            let seen = &seen[at..at + count as usize];
            at += seen.len();
            if seen.iter().all(|&seen| seen == length) {
                continue;
            }
            let keys = arange(0.0, f64::from(length), 1.0, Dtype::I32)?;
            let keys = keys.less(Tensor::from_slice(seen, [count, 1, 1, 1])?)?; // (B, 1, 1, L)
            self.full[i] = Some(match self.full[i].take() {
                // Learned scores of distances, (1, H, L, L).
                Some(scores) => select(&keys, &scores, f32::NEG_INFINITY)?,
                None => keys.clone(),
            });
            if let Some(local) = self.local.get_mut(i) {
                let near = match local.take() {
                    Some(near) => near.logical_and(&keys)?, // (B, 1, L, L)
                    None => keys,
                };
                self.blind.resize(segments.len(), None);
                let sees = near.any(-1, false)?.reshape([count, -1, 1])?;
                self.blind[i] = Some(sees);
                *local = Some(near);
            }
        }
        Ok(())
    }
}
