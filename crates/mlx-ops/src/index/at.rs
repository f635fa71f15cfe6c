//! Writing to what an index names: `x.at(index).add(value)`, `x.set(index, value)`.

use super::plan::Plan;
use super::{Index, Indices};
use crate::{Operand, Tensor, select};
use mlx_core::{Array, Dtype, Error, Result, ops};

/// A place in a tensor, of which each method gives a new tensor with that place changed.
///
/// The value broadcasts to what [`Tensor::i`] would give and takes the tensor's dtype. Where an integer tensor names a
/// position twice, all methods but [`At::set`] take both into account. A boolean tensor alone is a mask over the leading
/// axes; its values are one for all or one for each element that it names, in order.
///
/// ```
/// use mlx_ops::{Dtype, Tensor, zeros};
/// let x = zeros([3], Dtype::I32)?;
/// let twice = Tensor::from_slice(&[0, 0, 2], [3])?;
/// assert_eq!(x.at(&twice).add(1)?.to_vec::<i32>()?, [2, 0, 1]);
/// let mut x = x;
/// x.set(1.., 7)?;
/// x.set(&x.equal(7)?, Tensor::from_slice(&[8, 9], [2])?)?;
/// assert_eq!(x.to_vec::<i32>()?, [0, 8, 9]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[derive(Debug)]
pub struct At<'a> {
    tensor: &'a Tensor,
    place: Result<Place>,
}

#[derive(Debug)]
enum Place {
    Plan(Plan),
    Mask(Tensor),
}

/// How the value meets what is there.
#[derive(Clone, Copy)]
enum Change {
    Set,
    Add,
    Multiply,
    Maximum,
    Minimum,
}

type Slice = fn(&Array, &Array, &[i32], &[i32], &[i32]) -> Result<Array>;
type Scatter = fn(&Array, &[Array], &Array, &[i32]) -> Result<Array>;

impl Change {
    fn of_slice(self) -> Slice {
        match self {
            Self::Set => ops::slice_update,
            Self::Add => ops::slice_update_add,
            Self::Multiply => ops::slice_update_prod,
            Self::Maximum => ops::slice_update_max,
            Self::Minimum => ops::slice_update_min,
        }
    }

    fn of_scatter(self) -> Scatter {
        match self {
            Self::Set => ops::scatter,
            Self::Add => ops::scatter_add,
            Self::Multiply => ops::scatter_prod,
            Self::Maximum => ops::scatter_max,
            Self::Minimum => ops::scatter_min,
        }
    }

    #[track_caller]
    fn of_elements(self, x: &Tensor, value: &Tensor) -> Result<Tensor> {
        match self {
            Self::Set => Ok(value.clone()),
            Self::Add => x + value,
            Self::Multiply => x * value,
            Self::Maximum => x.maximum(value),
            Self::Minimum => x.minimum(value),
        }
    }
}

macro_rules! changes {
    ($($(#[$doc:meta])* $name:ident $change:ident;)*) => { $(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(self, value: impl Operand) -> Result<Tensor> {
            let value = value.hold(self.tensor.dtype())?;
            self.apply(Change::$change, value.as_ref())
        }
    )* };
}

// The names are MLX's, and a change is no operator.
#[allow(clippy::should_implement_trait)]
impl At<'_> {
    changes! {
        /// The tensor with the place replaced by `value`.
        set Set;
        /// The tensor with `value` added to the place.
        add Add;
        /// The tensor with the place multiplied by `value`.
        multiply Multiply;
        /// The tensor with the larger of the place and `value`.
        maximum Maximum;
        /// The tensor with the smaller of the place and `value`.
        minimum Minimum;
    }

    /// The tensor with `value` subtracted from the place.
    #[track_caller]
    pub fn subtract(self, value: impl Operand) -> Result<Tensor> {
        let value = value.hold(self.tensor.dtype())?;
        self.apply(Change::Add, &ops::negative(value.as_ref())?)
    }

    /// The tensor with the place divided by `value`: multiplied by `1 / value`, so of use for floats.
    #[track_caller]
    pub fn divide(self, value: impl Operand) -> Result<Tensor> {
        let value = value.hold(self.tensor.dtype())?;
        self.apply(Change::Multiply, &ops::reciprocal(value.as_ref())?)
    }

    #[track_caller]
    fn apply(self, change: Change, value: &Array) -> Result<Tensor> {
        let value = ops::astype(value, self.tensor.dtype())?;
        match self.place? {
            Place::Mask(mask) => masked(self.tensor, &mask, change, &Tensor(value)),
            Place::Plan(plan) => planned(&self.tensor.0, &plan, change, &value).map(Tensor),
        }
    }
}

#[track_caller]
fn planned(x: &Array, plan: &Plan, change: Change, value: &Array) -> Result<Array> {
    let update = plan.update(value)?;
    let (start, stop, step) = plan.bounds();
    if plan.taken.is_empty() {
        return change.of_slice()(x, &update, start, &stop, step);
    }
    let part = plan.restore(&change.of_scatter()(&plan.part(x)?, &plan.taken, &update, &plan.axes)?)?;
    if plan.is_whole() { Ok(part) } else { ops::slice_update(x, &part, start, &stop, step) }
}

#[track_caller]
fn masked(x: &Tensor, mask: &Tensor, change: Change, value: &Tensor) -> Result<Tensor> {
    if !x.shape().starts_with(mask.shape()) {
        let (mask, x) = (mask.shape(), x.shape());
        return Err(Error::new(format!("[at] a mask of shape {mask:?} does not cover the leading axes of {x:?}")));
    }
    let trailing: Vec<i32> = (mask.ndim() as i32..x.ndim() as i32).collect();
    let wide = mask.expand_dims(&trailing)?;
    let value = match value.size() {
        1 => value.reshape([])?,
        _ => Tensor(ops::masked_scatter(&x.0, &mask.0, &value.0)?),
    };
    select(&wide, &change.of_elements(x, &value)?, x)
}

impl Tensor {
    /// A place in the tensor to change; what names it is as for [`Tensor::i`], or a boolean mask. Errors come with the change.
    #[track_caller]
    pub fn at(&self, indices: impl Indices) -> At<'_> {
        let place = indices.with(|indices| match indices {
            [Index::Take(mask)] if mask.dtype() == Dtype::Bool => Ok(Place::Mask(mask.clone())),
            indices => Plan::new(self.shape(), indices).map(Place::Plan),
        });
        let place = match place {
            Ok(place) => Ok(place),
            Err(message) => Err(Error::new(message)),
        };
        At { tensor: self, place }
    }

    /// Replaces a place in the tensor, as Python's `x[index] = value`: `x = x.at(index).set(value)?`.
    #[track_caller]
    pub fn set(&mut self, indices: impl Indices, value: impl Operand) -> Result<()> {
        *self = self.at(indices).set(value)?;
        Ok(())
    }
}
