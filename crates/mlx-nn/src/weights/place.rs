//! Where a tensor lies in a PyTorch checkpoint.

use mlx_ops::Dtype;
use std::rc::Rc;

/// The most axes of a tensor.
const AXES: usize = 8;

/// Where a tensor's elements are: behind one another in a member of the archive.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub dtype: Dtype,
    /// The member's name inside of `data/`.
    pub storage: Rc<str>,
    /// The first element.
    pub offset: usize,
    pub dims: Vec<i32>,
}

impl Place {
    /// A place of these sizes; says what is wrong with them.
    pub(super) fn new(
        dtype: Dtype,
        storage: Rc<str>,
        offset: i64,
        dims: &[i64],
        strides: &[i64],
    ) -> Result<Self, String> {
        let wrong = |what: &str| format!("a tensor in `{storage}` of shape {dims:?} from {offset} on has {what}");
        let sizes = dims.iter().map(|&dim| i32::try_from(dim).ok().filter(|&dim| dim >= 0)).collect::<Option<_>>();
        match (sizes, usize::try_from(offset)) {
            _ if dims.len() > AXES => Err(wrong("too many axes")),
            (Some(sizes), Ok(offset)) if is_contiguous(dims, strides) => {
                Ok(Self { dtype, storage, offset, dims: sizes })
            }
            (Some(_), Ok(_)) => Err(wrong(&format!("strides {strides:?}: save it contiguously"))),
            _ => Err(wrong("a size or an offset that no tensor has")),
        }
    }
}

/// Whether elements follow one another in the order of their indices. Axes of one element may have any stride.
fn is_contiguous(dims: &[i64], strides: &[i64]) -> bool {
    let mut expected = 1i64;
    let mut follows = |(&dim, &stride): (&i64, &i64)| {
        let fits = dim == 1 || stride == expected;
        expected = expected.saturating_mul(dim);
        fits
    };
    dims.len() == strides.len() && (dims.contains(&0) || dims.iter().zip(strides).rev().all(&mut follows))
}
