//! Keys and values of the tokens seen so far, or what a convolution saw last.

use crate::Result;
use mlx_ops::fast::{Mask, causal};
use mlx_ops::{Dtype, Tensor, concatenate, zeros};

// MLX's CUDA decode kernel wants buffers of a multiple of this many positions.
const STEP: i32 = 256;
// How many of a convolution's last inputs can be forgotten again.
const SLACK: i32 = 16;

/// What the queries of one forward pass may see.
pub enum Visible {
    /// All keys.
    All,
    /// Keys up to the query's own position.
    Causal,
    /// Keys where a boolean mask of shape `(L, S)` is true.
    Masked(Tensor),
}

impl Visible {
    /// As attention takes it.
    pub fn mask(&self) -> Mask<'_> {
        match self {
            Self::All => Mask::None,
            Self::Causal => Mask::Causal,
            Self::Masked(mask) => Mask::Tensor(mask),
        }
    }
}

/// Where new keys and values go in the buffers of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first position to write.
    pub at: i32,
    /// The first position that a new query can see.
    pub first: i32,
}

/// The key and value buffers of one layer; shape `(B, KV, capacity, D)`, in order of position.
///
/// A buffer grows by 256 positions and is written in place. With a window, only the last `window` positions are kept:
/// when the buffer is full, they move to the front of a new one, so that a step costs no more than a write.
///
/// A layer that mixes by convolution keeps its last inputs instead, `(B, N, C)`, with zeros in front of the first token.
#[derive(Default)]
pub struct KvCache {
    buffers: Option<(Tensor, Tensor)>,
    inputs: Option<Tensor>,
    length: i32,
    offset: i32,
    window: Option<i32>,
    reserved: i32,
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

    /// Makes buffers large enough for so many positions when they next grow; a window needs no more than it does.
    pub fn reserve(&mut self, positions: i32) {
        self.reserved = positions;
    }

    /// How many tokens were seen: the position of the next one.
    pub fn offset(&self) -> i32 {
        self.offset
    }

    /// The buffers, to be evaluated between prefill chunks.
    pub fn buffers(&self) -> impl Iterator<Item = &Tensor> {
        self.buffers.iter().flat_map(|(k, v)| [k, v]).chain(&self.inputs)
    }

    /// The bytes of the buffers.
    pub fn nbytes(&self) -> usize {
        self.buffers().map(Tensor::nbytes).sum()
    }

    /// Appends keys and values of shape `(B, KV, L, D)`; returns all that the new queries can see.
    pub fn update(&mut self, k: Tensor, v: Tensor) -> Result<(Tensor, Tensor)> {
        let [b, kv, added, d] = k.dims()?;
        self.extend([b, kv, added, d], k.dtype(), |keys, values, Place { at, first }| {
            let end = at + added;
            let write = |buffer: Tensor, new| buffer.slice_update(new, &[0, 0, at, 0], &[b, kv, end, d]);
            let (keys, values) = (write(keys, &k)?, write(values, &v)?);
            let seen = (keys.i((.., .., first..end))?, values.i((.., .., first..end))?);
            Ok((seen, keys, values))
        })
    }

    /// Makes room for keys and values of this shape, `(B, KV, L, D)`, and lets `write` put them there: it gets the buffers
    /// and returns them, changed.
    pub fn extend<T>(
        &mut self,
        [b, kv, added, d]: [i32; 4],
        dtype: Dtype,
        write: impl FnOnce(Tensor, Tensor, Place) -> Result<(T, Tensor, Tensor)>,
    ) -> Result<T> {
        let (keys, values) = match self.buffers.take() {
            Some((keys, values)) if self.length + added <= keys.dim(2)? => (keys, values),
            old => self.grow(old, [b, kv, added, d], dtype)?,
        };
        let at = self.length;
        let first = self.window.map_or(0, |window| (at - (window - 1)).max(0));
        let (result, keys, values) = write(keys, values, Place { at, first })?;
        self.buffers = Some((keys, values));
        self.length += added;
        self.offset += added;
        Ok(result)
    }

    /// Appends inputs `(B, L, C)` of a convolution as long as the window; returns what it needs for them, `(B, window - 1 + L, C)`.
    pub fn append(&mut self, inputs: &Tensor) -> Result<Tensor> {
        let [b, added, c] = inputs.dims()?;
        let before = self.window.map_or(0, |window| window - 1);
        let held = match self.inputs.take() {
            Some(held) => held.i((.., ..self.length))?,
            None => {
                self.length = before;
                zeros([b, before, c], inputs.dtype())?
            }
        };
        let all = concatenate(&[held, inputs.clone()], 1)?;
        let seen = all.i((.., self.length - before..))?;
        let total = self.length + added;
        self.length = total.min(before + SLACK);
        self.inputs = Some(all.i((.., total - self.length..))?);
        self.offset += added;
        Ok(seen)
    }

    fn grow(&mut self, old: Option<(Tensor, Tensor)>, shape: [i32; 4], dtype: Dtype) -> Result<(Tensor, Tensor)> {
        let [b, kv, added, d] = shape;
        let kept = self.window.map_or(self.length, |window| self.length.min(window - 1));
        let from = self.length - kept;
        // A long cache grows by more, so that a prompt's chunks do not copy it again and again.
        let needed = kept + added;
        let wanted = match self.window {
            Some(_) => needed,
            None if kept == 0 => needed.max(self.reserved),
            None => (needed + needed / 8).max(self.reserved),
        };
        let capacity = (wanted + STEP - 1) / STEP * STEP;
        let resize = |old: Option<&Tensor>| -> Result<Tensor> {
            let room = zeros([b, kv, capacity - kept, d], dtype)?;
            Ok(match old {
                Some(old) if kept > 0 => concatenate(&[old.i((.., .., from..from + kept))?, room], 2)?,
                _ => room,
            })
        };
        let grown = (resize(old.as_ref().map(|old| &old.0))?, resize(old.as_ref().map(|old| &old.1))?);
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
