//! Keys and values of the tokens seen so far.

use crate::Result;
use crate::attention::causal;
use mlx_ops::{Tensor, concatenate, zeros};

// MLX's CUDA decode kernel wants buffers of a multiple of this many positions.
const STEP: i32 = 256;

/// What the queries of one forward pass may see.
pub enum Visible {
    /// All keys.
    All,
    /// Keys up to the query's own position.
    Causal,
    /// Keys where a boolean mask of shape `(L, S)` is true.
    Masked(Tensor),
}

/// The key and value buffers of one layer; shape `(B, KV, capacity, D)`, in order of position.
///
/// A buffer grows by 256 positions and is written in place. With a window, only the last `window` positions are kept:
/// when the buffer is full, they move to the front of a new one, so that a step costs no more than a write.
#[derive(Default)]
pub struct KvCache {
    buffers: Option<(Tensor, Tensor)>,
    length: i32,
    offset: i32,
    window: Option<i32>,
}

impl KvCache {
    /// A cache of all positions.
    pub fn full() -> Self {
        Self::default()
    }

    /// A cache of the positions that a sliding window of this size can see.
    pub fn windowed(window: i32) -> Self {
        Self { window: Some(window), ..Self::default() }
    }

    /// How many tokens were seen: the position of the next one.
    pub fn offset(&self) -> i32 {
        self.offset
    }

    /// The buffers, to be evaluated between prefill chunks.
    pub fn buffers(&self) -> impl Iterator<Item = &Tensor> {
        self.buffers.iter().flat_map(|(k, v)| [k, v])
    }

    /// The bytes of the buffers.
    pub fn nbytes(&self) -> usize {
        self.buffers().map(Tensor::nbytes).sum()
    }

    /// Appends keys and values of shape `(B, KV, L, D)`; returns all that the new queries can see.
    pub fn update(&mut self, k: Tensor, v: Tensor) -> Result<(Tensor, Tensor)> {
        let added = k.dim(2)?;
        let (mut keys, mut values) = match self.buffers.take() {
            Some((keys, values)) if self.length + added <= keys.dim(2)? => (keys, values),
            old => self.grow(old, &k, &v)?,
        };
        let end = self.length + added;
        keys = write(keys, &k, self.length, end)?;
        values = write(values, &v, self.length, end)?;
        let start = self.window.map_or(0, |window| (end - added - (window - 1)).max(0));
        let seen = (keys.i((.., .., start..end))?, values.i((.., .., start..end))?);
        self.buffers = Some((keys, values));
        self.length = end;
        self.offset += added;
        Ok(seen)
    }

    fn grow(&mut self, old: Option<(Tensor, Tensor)>, k: &Tensor, v: &Tensor) -> Result<(Tensor, Tensor)> {
        let kept = self.window.map_or(self.length, |window| self.length.min(window - 1));
        let from = self.length - kept;
        let capacity = (kept + k.dim(2)? + STEP - 1) / STEP * STEP;
        let resize = |old: Option<&Tensor>, like: &Tensor| -> Result<Tensor> {
            let [b, h, _, d] = like.dims()?;
            let room = zeros([b, h, capacity - kept, d], like.dtype())?;
            Ok(match old {
                Some(old) if kept > 0 => concatenate(&[old.i((.., .., from..from + kept))?, room], 2)?,
                _ => room,
            })
        };
        let grown = (resize(old.as_ref().map(|old| &old.0), k)?, resize(old.as_ref().map(|old| &old.1), v)?);
        self.length = kept;
        Ok(grown)
    }

    /// Whether the last `count` tokens can be forgotten: not where a window has already dropped what that would need.
    pub fn can_trim(&self, count: i32) -> bool {
        let (offset, length) = (self.offset - count, self.length - count);
        offset >= 0 && length >= self.window.map_or(offset, |window| offset.min(window - 1))
    }

    /// Forgets the last `count` tokens, which [`KvCache::can_trim`] must allow.
    pub fn trim(&mut self, count: i32) {
        debug_assert!(self.can_trim(count));
        self.offset -= count;
        self.length -= count;
    }

    /// What `added` new queries may see of what [`KvCache::update`] will return.
    pub fn visible(&self, added: i32) -> Result<Visible> {
        match self.window {
            _ if added == 1 => Ok(Visible::All),
            Some(window) if self.offset + added > window => {
                let before = self.length.min(window - 1);
                Ok(Visible::Masked(causal(added, before + added, Some(window))?))
            }
            _ => Ok(Visible::Causal),
        }
    }
}

fn write(buffer: Tensor, update: &Tensor, from: i32, to: i32) -> Result<Tensor> {
    let [b, h, _, d] = buffer.dims()?;
    Ok(buffer.slice_update(update, &[0, 0, from, 0], &[b, h, to, d])?)
}
