//! Trees: what functions take and give in place of lists of tensors.

use crate::Tensor;
use mlx_core::{Array, Error, Result};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A value made of tensors, which transforms take apart and put together again.
///
/// Tensors, tuples, arrays, vectors, options, maps by name and `()` are trees. A struct becomes one by showing its fields in some order,
/// and taking them back in the same:
///
/// ```
/// use mlx_ops::Tensor;
/// use mlx_ops::transforms::{Flat, Leaves, Tree, grad};
///
/// struct Line {
///     slope: Tensor,
///     height: Tensor,
/// }
///
/// impl Tree for Line {
///     fn show<'a>(&'a self, flat: &mut Flat<'a>) {
///         self.slope.show(flat);
///         self.height.show(flat);
///     }
///     fn rebuild(&self, leaves: &mut Leaves) -> mlx_ops::Result<Self> {
///         Ok(Self { slope: self.slope.rebuild(leaves)?, height: self.height.rebuild(leaves)? })
///     }
/// }
///
/// let x = Tensor::from_slice(&[1f32, 2.0], [2])?;
/// let loss = |line: &Line| ((&x * &line.slope)? + &line.height)?.sum(.., false);
/// let line = Line { slope: Tensor::from_slice(&[3f32], [])?, height: Tensor::from_slice(&[0f32], [])? };
/// let gradient = grad(loss)(&line)?;
/// assert_eq!((gradient.slope.item::<f32>()?, gradient.height.item::<f32>()?), (3.0, 2.0));
/// # Ok::<(), mlx_ops::Error>(())
/// ```
pub trait Tree: Sized {
    /// Shows every tensor in order, and notes whatever else functions of the tree may depend on.
    fn show<'a>(&'a self, flat: &mut Flat<'a>);

    /// The same with other tensors, taken in the order in which [`Tree::show`] shows them.
    fn rebuild(&self, leaves: &mut Leaves) -> Result<Self>;
}

/// The tensors of a tree, and its structure.
#[derive(Default)]
pub struct Flat<'a> {
    leaves: Vec<&'a Tensor>,
    structure: DefaultHasher,
}

impl<'a> Flat<'a> {
    /// Shows a tensor.
    pub fn leaf(&mut self, tensor: &'a Tensor) {
        self.leaves.push(tensor);
    }

    /// Notes a number, a name or a flag: a compiled function is traced again where it differs.
    pub fn note(&mut self, value: impl Hash) {
        self.leaves.len().hash(&mut self.structure);
        value.hash(&mut self.structure);
    }
}

/// The tensors for [`Tree::rebuild`].
pub struct Leaves(std::vec::IntoIter<Array>);

impl Leaves {
    /// The next tensor; an error where there is none.
    pub fn take(&mut self) -> Result<Tensor> {
        self.0.next().map(Tensor).ok_or_else(|| Error::new("[tree] a tree takes more tensors than it showed"))
    }
}

/// The tensors of a tree, and a number for its structure.
pub(super) fn flattened(tree: &impl Tree) -> (Vec<Array>, u64) {
    let mut flat = Flat::default();
    tree.show(&mut flat);
    (flat.leaves.into_iter().map(|leaf| leaf.0.clone()).collect(), flat.structure.finish())
}

/// The tensors of a tree.
pub(super) fn arrays(tree: &impl Tree) -> Vec<Array> {
    flattened(tree).0
}

/// The tree with other tensors.
pub(super) fn rebuilt<T: Tree>(tree: &T, arrays: Vec<Array>) -> Result<T> {
    let mut leaves = Leaves(arrays.into_iter());
    let rebuilt = tree.rebuild(&mut leaves)?;
    match leaves.0.len() {
        0 => Ok(rebuilt),
        left => Err(Error::new(format!("[tree] a tree left {left} of its tensors"))),
    }
}

impl Tree for Tensor {
    fn show<'a>(&'a self, flat: &mut Flat<'a>) {
        flat.leaf(self);
    }
    fn rebuild(&self, leaves: &mut Leaves) -> Result<Self> {
        leaves.take()
    }
}

impl<T: Tree> Tree for Option<T> {
    fn show<'a>(&'a self, flat: &mut Flat<'a>) {
        flat.note(self.is_some());
        if let Some(tree) = self {
            tree.show(flat);
        }
    }
    fn rebuild(&self, leaves: &mut Leaves) -> Result<Self> {
        self.as_ref().map(|tree| tree.rebuild(leaves)).transpose()
    }
}

impl<T: Tree> Tree for Vec<T> {
    fn show<'a>(&'a self, flat: &mut Flat<'a>) {
        flat.note(self.len());
        self.iter().for_each(|tree| tree.show(flat));
    }
    fn rebuild(&self, leaves: &mut Leaves) -> Result<Self> {
        self.iter().map(|tree| tree.rebuild(leaves)).collect()
    }
}

impl<T: Tree, const N: usize> Tree for [T; N] {
    fn show<'a>(&'a self, flat: &mut Flat<'a>) {
        self.iter().for_each(|tree| tree.show(flat));
    }
    fn rebuild(&self, leaves: &mut Leaves) -> Result<Self> {
        let trees = self.iter().map(|tree| tree.rebuild(leaves)).collect::<Result<Vec<T>>>()?;
        trees.try_into().map_err(|_| Error::new(format!("[tree] an array of {N} changed its length")))
    }
}

impl<T: Tree> Tree for BTreeMap<String, T> {
    fn show<'a>(&'a self, flat: &mut Flat<'a>) {
        flat.note(self.len());
        for (name, tree) in self {
            flat.note(name);
            tree.show(flat);
        }
    }
    fn rebuild(&self, leaves: &mut Leaves) -> Result<Self> {
        self.iter().map(|(name, tree)| Ok((name.clone(), tree.rebuild(leaves)?))).collect()
    }
}

/// Its tensors stand in the order of the names.
impl<T: Tree> Tree for HashMap<String, T> {
    fn show<'a>(&'a self, flat: &mut Flat<'a>) {
        flat.note(self.len());
        for (name, tree) in self.iter().collect::<BTreeMap<_, _>>() {
            flat.note(name);
            tree.show(flat);
        }
    }
    fn rebuild(&self, leaves: &mut Leaves) -> Result<Self> {
        let sorted = self.iter().collect::<BTreeMap<_, _>>();
        sorted.into_iter().map(|(name, tree)| Ok((name.clone(), tree.rebuild(leaves)?))).collect()
    }
}

impl Tree for () {
    fn show<'a>(&'a self, _: &mut Flat<'a>) {}
    fn rebuild(&self, _: &mut Leaves) -> Result<Self> {
        Ok(())
    }
}

macro_rules! tuples {
    ($(($($t:ident $at:tt),+))*) => { $(impl<$($t: Tree),+> Tree for ($($t,)+) {
        fn show<'a>(&'a self, flat: &mut Flat<'a>) {
            $(self.$at.show(flat);)+
        }
        fn rebuild(&self, leaves: &mut Leaves) -> Result<Self> {
            Ok(($(self.$at.rebuild(leaves)?,)+))
        }
    })* };
}
tuples! {
    (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) (A 0, B 1, C 2, D 3, E 4) (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6) (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}
