//! Self-attention over a cache, from the joined projection to the output of the heads, in one pass where the CPU has a
//! kernel for it.

use crate::fast::{self, Attention, Mask, Rotation};
use crate::{Tensor, cpu};
use mlx_core::{Error, Result};

/// Attention of new positions over themselves and what a cache holds.
///
/// For a projection `(B, L, (H + 2 KV) D)` of queries, keys and values side by side: heads are cut, normalised and turned,
/// keys and values written into the cache's buffers, and each query attends to what it may see there.
///
/// ```
/// use mlx_ops::{Dtype, SelfAttention, Tensor, fast::Mask, zeros};
/// let step = SelfAttention {
///     heads: 1,
///     kv_heads: 1,
///     norms: None,
///     rotation: None,
///     offset: 0,
///     at: 0,
///     first: 0,
///     window: None,
///     mask: Mask::None,
///     scale: 1.0,
///     softcap: None,
///     sinks: None,
/// };
/// let qkv = Tensor::from_slice(&[1f32, 0.0, 0.0, 1.0, 5.0, 7.0], [1, 1, 6])?; // a query, a key and a value of two features
/// let buffer = || zeros([1, 1, 4, 2], Dtype::F32);
/// let (out, _, values) = step.forward(&qkv, buffer()?, buffer()?)?;
/// assert_eq!(out.to_vec::<f32>()?, [5.0, 7.0]);
/// assert_eq!(values.to_vec::<f32>()?, [5.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct SelfAttention<'a> {
    /// Heads of the queries, `H`.
    pub heads: i32,
    /// Heads of keys and values, `KV`.
    pub kv_heads: i32,
    /// Root-mean-square normalisation of each query and key: the two weights, `(D,)`, and epsilon.
    pub norms: Option<(&'a Tensor, &'a Tensor, f32)>,
    /// How queries and keys turn.
    pub rotation: Option<Rotation<'a>>,
    /// The position of the first new token.
    pub offset: i32,
    /// Where the buffers take the new keys and values.
    pub at: i32,
    /// The first key in the buffers that any query sees.
    pub first: i32,
    /// How many positions back a query sees, itself included.
    pub window: Option<i32>,
    /// What the queries see of the keys from `first` on. With a window, a mask must say what the window does.
    pub mask: Mask<'a>,
    /// A factor on the scores.
    pub scale: f32,
    /// Scores pass through `cap * tanh(score / cap)`.
    pub softcap: Option<f32>,
    /// A score for each of the `H` heads that takes part in the softmax but has no value.
    pub sinks: Option<&'a Tensor>,
}

impl SelfAttention<'_> {
    /// The heads' outputs side by side, `(B, L, H D)`, and the buffers `(B, KV, capacity, D)` with the new rows written.
    ///
    /// The buffers are changed in place where nobody else holds them.
    #[track_caller]
    pub fn forward(&self, qkv: &Tensor, keys: Tensor, values: Tensor) -> Result<(Tensor, Tensor, Tensor)> {
        let (l, capacity) = (qkv.dim(1)?, keys.dim(2)?);
        if self.first < 0 || self.at < self.first || self.at + l > capacity {
            let (first, end) = (self.first, self.at + l);
            return Err(Error::new(format!("[SelfAttention] positions {first}..{end} of a buffer of {capacity}")));
        }
        match cpu::self_attention(self, qkv, &keys, &values) {
            Some(results) => {
                drop((keys, values));
                match <[_; 3]>::try_from(results?) {
                    Ok(results) => Ok(results.map(Tensor).into()),
                    Err(_) => Err(Error::new("[SelfAttention] the kernel gave other than three results")),
                }
            }
            None => self.composed(qkv, keys, values),
        }
    }

    /// The same by one op after the other.
    pub(crate) fn composed(&self, qkv: &Tensor, keys: Tensor, values: Tensor) -> Result<(Tensor, Tensor, Tensor)> {
        let [b, l, _] = qkv.dims()?;
        let [_, kv, _, d] = keys.dims()?;
        let (wide, narrow) = (self.heads * d, kv * d);
        let parts = qkv.split([wide, wide + narrow], -1)?;
        let mut heads = [&parts[0], &parts[1], &parts[2]].map(|part| part.reshape([b, l, -1, d]));
        if let Some((q_norm, k_norm, eps)) = self.norms {
            for (part, weight) in heads.iter_mut().zip([q_norm, k_norm]) {
                *part = fast::rms_norm(&std::mem::replace(part, Err(Error::new("taken")))?, Some(weight), eps);
            }
        }
        let [q, k, v] = heads;
        let [mut q, mut k, v] = [q?.swapaxes(1, 2)?, k?.swapaxes(1, 2)?, v?.swapaxes(1, 2)?]; // (B, H, L, D)
        if let Some(rotation) = &self.rotation {
            (q, k) = (fast::rope(&q, rotation, self.offset)?, fast::rope(&k, rotation, self.offset)?);
        }
        let end = self.at + l;
        let keys = keys.slice_update(&k, &[0, 0, self.at, 0], &[b, kv, end, d])?;
        let values = values.slice_update(&v, &[0, 0, self.at, 0], &[b, kv, end, d])?;
        let seen = |buffer: &Tensor| buffer.i((.., .., self.first..end));
        let (k, v) = (seen(&keys)?, seen(&values)?);
        // A mask says what the window does.
        let window = if let Mask::Tensor(_) = self.mask { None } else { self.window };
        let how = Attention { scale: self.scale, mask: self.mask, window, softcap: self.softcap, sinks: self.sinks };
        let out = fast::attention(&q, &k, &v, &how)?;
        Ok((out.swapaxes(1, 2)?.reshape([b, l, -1])?, keys, values))
    }
}
