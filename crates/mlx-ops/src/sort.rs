//! Running values, sorting and searching.

use crate::tensor::{methods, optional};
use crate::{Axis, Tensor, cpu};
use mlx_core::{Error, Result, ops};

/// Methods with an axis: what comes before it in brackets, what comes behind it in parentheses.
macro_rules! along_axis {
    ($($(#[$doc:meta])* $name:ident [$($before:ident: $b:ty)?] ($($after:ident: $a:ty),*);)*) => {
        impl Tensor { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, $($before: $b,)? axis: impl Axis $(, $after: $a)*) -> Result<Tensor> {
                ops::$name(&self.0, $($before,)? axis.one() $(, $after)*).map(Tensor)
            }
        )* }
    };
}

along_axis! {
    /// The index (`u32`) of the smallest element of `axis`, the first where several are.
    argmin [] (keepdims: bool);
    /// Running maxima along `axis`; exclusive of the element itself unless `inclusive`.
    cummax [] (reverse: bool, inclusive: bool);
    /// Running minima along `axis`; exclusive of the element itself unless `inclusive`.
    cummin [] (reverse: bool, inclusive: bool);
    /// Running `log(sum(exp(x)))` along `axis`; exclusive of the element itself unless `inclusive`.
    logcumsumexp [] (reverse: bool, inclusive: bool);
    /// Sorted in ascending order along `axis`.
    sort [] ();
    /// The indices (`u32`) that sort `axis`.
    argsort [] ();
    /// Reordered so that element `kth` of `axis` is in its sorted place.
    partition [kth: i32] ();
    /// The indices (`u32`) that partition `axis` at `kth`.
    argpartition [kth: i32] ();
    /// The `k` largest elements of `axis`, in no given order.
    topk [k: i32] ();
}

methods! {
    /// The `n`-th differences of neighbours along `axis`, which shrinks by `n`.
    fn diff(n: i32, axis: i32);
}

/// The distinct values of a tensor and where they are.
#[derive(Clone, Debug)]
pub struct Unique {
    /// The values in ascending order, shape `(size,)`.
    pub values: Tensor,
    /// Where each comes first in the flattened tensor (`u32`), shape `(size,)`.
    pub index: Tensor,
    /// The place of each element among the values (`u32`), of the tensor's shape.
    pub inverse: Tensor,
    /// How often each comes (`i32`), shape `(size,)`; 0 for those filled up.
    pub counts: Tensor,
}

/// Which side of equal elements [`Tensor::searchsorted`] means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before them.
    Left,
    /// Behind them.
    Right,
}

impl Tensor {
    /// The index (`u32`) of the largest element of `axis`, the first where several are.
    #[track_caller]
    pub fn argmax(&self, axis: impl Axis, keepdims: bool) -> Result<Tensor> {
        let axis = axis.one();
        let ours = axis.and_then(|axis| cpu::argmax(&self.0, axis, keepdims));
        ours.unwrap_or_else(|| ops::argmax(&self.0, axis, keepdims)).map(Tensor)
    }

    /// Running sums along `axis`; exclusive of the element itself unless `inclusive`.
    #[track_caller]
    pub fn cumsum(&self, axis: impl Axis, reverse: bool, inclusive: bool) -> Result<Tensor> {
        ops::cumsum(&self.0, axis.one(), reverse, inclusive, None).map(Tensor)
    }

    /// Running products along `axis`; exclusive of the element itself unless `inclusive`.
    #[track_caller]
    pub fn cumprod(&self, axis: impl Axis, reverse: bool, inclusive: bool) -> Result<Tensor> {
        ops::cumprod(&self.0, axis.one(), reverse, inclusive, None).map(Tensor)
    }

    /// Where each of `values` goes into this ascending vector (`u32`), in the shape of `values`.
    ///
    /// ```
    /// use mlx_ops::{Side, Tensor};
    /// let sorted = Tensor::from_slice(&[1, 2, 2, 4], [4])?;
    /// let values = Tensor::from_slice(&[0, 2, 5], [3])?;
    /// assert_eq!(sorted.searchsorted(&values, Side::Left)?.to_vec::<u32>()?, [0, 1, 4]);
    /// assert_eq!(sorted.searchsorted(&values, Side::Right)?.to_vec::<u32>()?, [0, 3, 4]);
    /// # Ok::<(), mlx_ops::Error>(())
    /// ```
    #[track_caller]
    pub fn searchsorted(&self, values: &Tensor, side: Side) -> Result<Tensor> {
        let side = if side == Side::Left { "left" } else { "right" };
        ops::searchsorted(&self.0, &values.0, side).map(Tensor)
    }

    /// The `size` smallest distinct values, filled up with `fill` (the smallest where there is none).
    ///
    /// ```
    /// use mlx_ops::Tensor;
    /// let found = Tensor::from_slice(&[3, 1, 3], [3])?.unique(2, None)?;
    /// assert_eq!(found.values.to_vec::<i32>()?, [1, 3]);
    /// assert_eq!(found.counts.to_vec::<i32>()?, [1, 2]);
    /// assert_eq!(found.inverse.to_vec::<u32>()?, [1, 0, 1]);
    /// # Ok::<(), mlx_ops::Error>(())
    /// ```
    #[track_caller]
    pub fn unique(&self, size: i32, fill: Option<&Tensor>) -> Result<Unique> {
        let parts = ops::unique(&self.0, size, true, true, true, optional(fill))?;
        match <[_; 4]>::try_from(parts) {
            Ok(parts) => {
                let [values, index, inverse, counts] = parts.map(Tensor);
                Ok(Unique { values, index, inverse, counts })
            }
            Err(parts) => Err(Error::new(format!("[unique] MLX returned {} arrays, not 4", parts.len()))),
        }
    }
}
