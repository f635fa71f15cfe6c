//! Transforms of functions: gradients, Jacobian products, vectorization, compilation.
//!
//! A function takes a reference to a [`Tree`] and gives a tree. [`grad`], [`value_and_grad`] and [`vmap`] turn it into another function,
//! so they nest: `grad(grad(f))`, `vmap(grad(f), 0, 0)`, `compile(value_and_grad(f))`.
//!
//! The transformed value is the whole input; to hold something fixed, capture it:
//!
//! ```
//! use mlx_ops::Tensor;
//! use mlx_ops::transforms::grad;
//! let x = Tensor::from_slice(&[1f32, 2.0, 3.0], [3])?;
//! let target = Tensor::from_slice(&[2f32, 4.0, 6.0], [3])?;
//! let gradient = grad(|w: &Tensor| ((&x * w)? - &target)?.square()?.sum(.., false));
//! assert_eq!(gradient(&Tensor::from_slice(&[1f32], [])?)?.item::<f32>()?, -28.0);
//! # Ok::<(), mlx_ops::Error>(())
//! ```
//!
//! An error of a function comes back as it was returned. A panic comes back as an error, and the next transform works as ever.

mod axes;
mod compiled;
mod custom;
mod exported;
mod tree;

pub use axes::MapAxes;
pub use compiled::{Compiled, compile, compile_shapeless};
pub use custom::{checkpoint, custom_jvp, custom_vjp};
pub use exported::{Exporter, Imported, export_function, export_to_dot, import_function};
pub use mlx_core::compile::{CompileMode, set_compile_mode};
pub use tree::{Flat, Leaves, Tree};

use crate::Tensor;
use mlx_core::{Array, Error, Result, transforms};
use std::cell::RefCell;
use std::panic::Location;
use tree::{arrays, rebuilt};

/// The gradient of the first tensor that `f` gives, which must have shape `()`, with respect to every tensor of its input.
///
/// ```
/// use mlx_ops::Tensor;
/// use mlx_ops::transforms::grad;
/// let cube = |x: &Tensor| x.square()? * x;
/// let x = Tensor::from_slice(&[2f32], [])?;
/// assert_eq!(grad(cube)(&x)?.item::<f32>()?, 12.0);
/// assert_eq!(grad(grad(cube))(&x)?.item::<f32>()?, 12.0);
/// assert_eq!(grad(grad(grad(cube)))(&x)?.item::<f32>()?, 6.0);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn grad<A: Tree, B: Tree>(f: impl FnMut(&A) -> Result<B>) -> impl Fn(&A) -> Result<A> {
    let both = value_and_grad(f);
    move |x| Ok(both(x)?.1)
}

/// What `f` gives, and the gradient of the first tensor in it, which must have shape `()`, with respect to every tensor of its input.
///
/// `f` gives the loss, or the loss and anything else: `Ok((loss, (accuracy, logits)))`. Tensors of integers have no gradient; capture
/// them.
///
/// ```
/// use mlx_ops::Tensor;
/// use mlx_ops::transforms::value_and_grad;
/// let f = |(a, b): &(Tensor, Tensor)| {
///     let product = (a * b)?;
///     Ok((product.sum(.., false)?, product))
/// };
/// let (a, b) = (Tensor::from_slice(&[1f32, 2.0], [2])?, Tensor::from_slice(&[3f32, 4.0], [2])?);
/// let ((loss, product), (da, db)) = value_and_grad(f)(&(a, b))?;
/// assert_eq!(loss.item::<f32>()?, 11.0);
/// assert_eq!(product.to_vec::<f32>()?, [3.0, 8.0]);
/// assert_eq!((da.to_vec::<f32>()?, db.to_vec::<f32>()?), (vec![3.0, 4.0], vec![1.0, 2.0]));
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad<A: Tree, B: Tree>(f: impl FnMut(&A) -> Result<B>) -> impl Fn(&A) -> Result<(B, A)> {
    let (f, at) = (RefCell::new(f), Location::caller());
    move |x| {
        let inputs = arrays(x);
        let argnums: Vec<i32> = (0..inputs.len() as i32).collect();
        let outputs = RefCell::new(None);
        let result = transforms::value_and_grad(over(&f, x, &outputs), &inputs, &argnums);
        let (values, gradients) = asked(at, result)?;
        Ok((refilled(outputs, values)?, rebuilt(x, gradients)?))
    }
}

/// What `f` gives at `primals`, and the product of `cotangents`, a tree like the result, with the Jacobian: a tree like the input.
///
/// ```
/// use mlx_ops::Tensor;
/// use mlx_ops::transforms::vjp;
/// let x = Tensor::from_slice(&[1f32, 2.0], [2])?;
/// let (squares, slopes) = vjp(|x: &Tensor| x.square(), &x, &Tensor::from_slice(&[1f32, 10.0], [2])?)?;
/// assert_eq!(squares.to_vec::<f32>()?, [1.0, 4.0]);
/// assert_eq!(slopes.to_vec::<f32>()?, [2.0, 40.0]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn vjp<A: Tree, B: Tree>(f: impl FnMut(&A) -> Result<B>, primals: &A, cotangents: &B) -> Result<(B, A)> {
    let (f, outputs) = (RefCell::new(f), RefCell::new(None));
    let (values, gradients) = transforms::vjp(over(&f, primals, &outputs), &arrays(primals), &arrays(cotangents))?;
    Ok((refilled(outputs, values)?, rebuilt(primals, gradients)?))
}

/// What `f` gives at `primals`, and the product of its Jacobian with `tangents`, a tree like the input: a tree like the result.
///
/// ```
/// use mlx_ops::Tensor;
/// use mlx_ops::transforms::jvp;
/// let (x, one) = (Tensor::from_slice(&[3f32], [])?, Tensor::from_slice(&[1f32], [])?);
/// let (square, slope) = jvp(|x: &Tensor| x.square(), &x, &one)?;
/// assert_eq!((square.item::<f32>()?, slope.item::<f32>()?), (9.0, 6.0));
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn jvp<A: Tree, B: Tree>(f: impl FnMut(&A) -> Result<B>, primals: &A, tangents: &A) -> Result<(B, B)> {
    let (f, outputs) = (RefCell::new(f), RefCell::new(None));
    let (values, slopes) = transforms::jvp(over(&f, primals, &outputs), &arrays(primals), &arrays(tangents))?;
    let slopes = outputs.borrow().as_ref().map(|outputs| rebuilt(outputs, slopes)).ok_or_else(uncalled)??;
    Ok((refilled(outputs, values)?, slopes))
}

/// `f` over every index of an axis at once: it sees tensors without that axis.
///
/// `in_axes` and `out_axes` name the axis: one for all tensors, or a tuple or array with one for each part of the tree. `None` is an
/// input that all indices share. Negative axes count from the end.
///
/// ```
/// use mlx_ops::{Dtype, Tensor, arange};
/// use mlx_ops::transforms::vmap;
/// let rows = arange(0.0, 6.0, 1.0, Dtype::F32)?.reshape([3, 2])?;
/// let weights = Tensor::from_slice(&[1f32, 10.0], [2])?;
/// let dot = |(row, weights): &(Tensor, Tensor)| (row * weights)?.sum(.., false);
/// let dots = vmap(dot, (0, None), 0)(&(rows, weights))?;
/// assert_eq!(dots.to_vec::<f32>()?, [10.0, 32.0, 54.0]);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn vmap<A: Tree, B: Tree>(
    f: impl FnMut(&A) -> Result<B>,
    in_axes: impl MapAxes<A>,
    out_axes: impl MapAxes<B>,
) -> impl Fn(&A) -> Result<B> {
    let (f, at) = (RefCell::new(f), Location::caller());
    move |x| {
        let outputs = RefCell::new(None);
        let mut axes = Vec::new();
        in_axes.axes(x, &mut axes);
        let result = transforms::vmap(over(&f, x, &outputs), &arrays(x), &axes, |_| {
            let mut axes = Vec::new();
            out_axes.axes(outputs.borrow().as_ref().ok_or_else(uncalled)?, &mut axes);
            let every: Option<Vec<i32>> = axes.into_iter().collect();
            every.ok_or_else(|| Error::new("[vmap] An output must have its axis; only inputs can do without."))
        });
        let values = asked(at, result)?;
        refilled(outputs, values)
    }
}

/// `f` as a function of the tensors of a tree like `x`; what it gave last is put into `outputs`.
fn over<A: Tree, B: Tree>(
    f: &RefCell<impl FnMut(&A) -> Result<B>>,
    x: &A,
    outputs: &RefCell<Option<B>>,
) -> impl FnMut(&[Array]) -> Result<Vec<Array>> {
    move |inputs| {
        let given = (f.borrow_mut())(&rebuilt(x, inputs.to_vec())?)?;
        let leaves = arrays(&given);
        outputs.replace(Some(given));
        Ok(leaves)
    }
}

/// The tree that the function gave, with the tensors that the transform gave.
fn refilled<B: Tree>(outputs: RefCell<Option<B>>, values: Vec<Array>) -> Result<B> {
    rebuilt(&outputs.into_inner().ok_or_else(uncalled)?, values)
}

fn uncalled() -> Error {
    Error::new("[transforms] MLX did not call the function")
}

/// An error that names a line of these files names the caller instead.
fn asked<T>(at: &'static Location<'static>, result: Result<T>) -> Result<T> {
    let folder = file!().trim_end_matches("mod.rs");
    result.map_err(|error| match error.location().file().starts_with(folder) {
        true => error.with_location(at),
        false => error,
    })
}

/// A copy of a tree, which shares its tensors.
fn copied<T: Tree>(tree: &T) -> Result<T> {
    rebuilt(tree, arrays(tree))
}

/// The tensors of a list of arrays.
fn tensors(arrays: Vec<Array>) -> Vec<Tensor> {
    arrays.into_iter().map(Tensor).collect()
}
