//! The fused operations of `mlx.core.fast`.
//!
//! ```
//! use mlx_ops::{Tensor, fast};
//! let x = Tensor::from_slice(&[3f32, 4.0], [1, 2])?;
//! let norm = fast::rms_norm(&x, None, 0.0)?;
//! assert!(norm.allclose(&(&x / 12.5f32.sqrt())?, 1e-5, 0.0, false)?);
//! # Ok::<(), mlx_ops::Error>(())
//! ```

use crate::tensor::{optional, pair};
use crate::{Tensor, cpu};
use mlx_core::{Result, fast};

pub use crate::attention::{Attention, Mask, attention, causal};
pub use crate::rotation::{Frequencies, Rotation, rope, rope_at};

/// Root-mean-square normalisation of the last axis, times `weight` if given.
#[track_caller]
pub fn rms_norm(x: &Tensor, weight: Option<&Tensor>, eps: f32) -> Result<Tensor> {
    if let Some(normal) = cpu::rms_norm(&x.0, optional(weight), eps) {
        return normal.map(Tensor);
    }
    fast::rms_norm(&x.0, optional(weight), eps).map(Tensor)
}

/// Normalisation of the last axis to mean 0 and variance 1, then `weight` and `bias` if given.
#[track_caller]
pub fn layer_norm(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f32) -> Result<Tensor> {
    if let Some(normal) = cpu::layer_norm(&x.0, optional(weight), optional(bias), eps) {
        return normal.map(Tensor);
    }
    fast::layer_norm(&x.0, optional(weight), optional(bias), eps).map(Tensor)
}

/// The cross entropy of `logits` `(.., classes)` and class indices `targets` `(..)`, elementwise, f32. Targets are not checked.
#[track_caller]
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    fast::cross_entropy(&logits.0, &targets.0).map(Tensor)
}

/// What [`gated_delta_update`] reads, `T` positions of a batch.
#[derive(Clone, Copy)]
pub struct GatedDelta<'a> {
    /// Queries, `(B, T, Hk, Dk)`.
    pub q: &'a Tensor,
    /// Keys, `(B, T, Hk, Dk)`.
    pub k: &'a Tensor,
    /// Values, `(B, T, Hv, Dv)`.
    pub v: &'a Tensor,
    /// What is left of the state at each position, in `(0, 1]`, `(B, T, Hv)`.
    pub gates: &'a Tensor,
    /// How much of the state is replaced, `(B, T, Hv)`.
    pub beta: &'a Tensor,
    /// The state before the first position, `(B, Hv, Dv, Dk)`; zeros where there is none.
    pub state: Option<&'a Tensor>,
    /// Positions that count, `(B, T)`; all where there is none.
    pub mask: Option<&'a Tensor>,
}

/// The gated delta rule: the outputs `(B, T, Hv, Dv)` and the state behind the last position.
#[track_caller]
pub fn gated_delta_update(delta: &GatedDelta<'_>) -> Result<(Tensor, Tensor)> {
    let &GatedDelta { q, k, v, gates, beta, state, mask } = delta;
    fast::gated_delta_update(&q.0, &k.0, &v.0, &gates.0, &beta.0, optional(state), optional(mask)).and_then(pair)
}
