//! Functions with rules of their own.

use super::tree::{arrays, rebuilt};
use super::{Tree, asked, copied, uncalled};
use mlx_core::transforms::{self, Function};
use mlx_core::{Array, Result, ops};
use std::cell::{OnceCell, RefCell};
use std::panic::Location;
use std::rc::Rc;

/// `f`, whose gradients `rule` gives from the input, the cotangents and the outputs.
///
/// Gradients flow to the input alone: what `f` captures is constant.
///
/// ```
/// use mlx_ops::Tensor;
/// use mlx_ops::transforms::{custom_vjp, grad};
/// // Rounds, and lets gradients pass as if it did not.
/// let round = custom_vjp(|x: &Tensor| x.round(0), |_, cotangents, _| Ok(cotangents.clone()));
/// let x = Tensor::from_slice(&[1.6f32], [])?;
/// let squared = |x: &Tensor| round(x)?.square();
/// assert_eq!(squared(&x)?.item::<f32>()?, 4.0);
/// assert_eq!(grad(squared)(&x)?.item::<f32>()?, 4.0);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn custom_vjp<A: Tree + 'static, B: Tree + 'static>(
    f: impl FnMut(&A) -> Result<B> + 'static,
    rule: impl FnMut(&A, &B, &B) -> Result<A> + 'static,
) -> impl Fn(&A) -> Result<B> {
    let rule = Rc::new(RefCell::new(rule));
    kept(f, move |call| {
        let (rule, shape) = (rule.clone(), call.clone());
        transforms::custom_vjp(
            move |inputs| call.run(inputs),
            move |primals, cotangents, outputs| {
                let (primals, cotangents) = (shape.input(primals)?, shape.output(cotangents)?);
                Ok(arrays(&(rule.borrow_mut())(&primals, &cotangents, &shape.output(outputs)?)?))
            },
        )
    })
}

/// `f`, whose forward-mode tangents `rule` gives from the input and its tangents (zeros where an input has none).
///
/// ```
/// use mlx_ops::Tensor;
/// use mlx_ops::transforms::{custom_jvp, jvp};
/// let f = custom_jvp(|x: &Tensor| x.sin(), |x, tangent| x.cos()? * (tangent * 2.0)?);
/// let (x, one) = (Tensor::from_slice(&[0f32], [])?, Tensor::from_slice(&[1f32], [])?);
/// assert_eq!(jvp(f, &x, &one)?.1.item::<f32>()?, 2.0);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn custom_jvp<A: Tree + 'static, B: Tree + 'static>(
    f: impl FnMut(&A) -> Result<B> + 'static,
    rule: impl FnMut(&A, &A) -> Result<B> + 'static,
) -> impl Fn(&A) -> Result<B> {
    let rule = Rc::new(RefCell::new(rule));
    kept(f, move |call| {
        let (rule, shape) = (rule.clone(), call.clone());
        transforms::custom_jvp(
            move |inputs| call.run(inputs),
            move |primals, tangents| {
                let filled = primals.iter().zip(tangents).map(|(primal, tangent)| match tangent {
                    Some(tangent) => Ok(tangent.clone()),
                    None => ops::zeros(primal.shape(), primal.dtype()),
                });
                let tangents = filled.collect::<Result<Vec<Array>>>()?;
                Ok(arrays(&(rule.borrow_mut())(&shape.input(primals)?, &shape.input(&tangents)?)?))
            },
        )
    })
}

/// `f`, of whose inside nothing is kept for the gradient: it is computed again there, which trades time for memory.
///
/// Gradients flow to the input alone: what `f` captures is constant.
///
/// ```
/// use mlx_ops::Tensor;
/// use mlx_ops::transforms::{checkpoint, grad};
/// let layer = checkpoint(|x: &Tensor| x.exp()?.sin());
/// let x = Tensor::from_slice(&[0f32], [])?;
/// assert_eq!(grad(layer)(&x)?.item::<f32>()?, 1f32.cos());
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn checkpoint<A: Tree + 'static, B: Tree + 'static>(
    f: impl FnMut(&A) -> Result<B> + 'static,
) -> impl Fn(&A) -> Result<B> {
    kept(f, |call| transforms::checkpoint(move |inputs| call.run(inputs)))
}

/// One call of a function that the graph keeps: the function, and trees like its input and its output.
struct Call<F, A, B> {
    f: Rc<RefCell<F>>,
    input: A,
    /// What the first run gave. Later ones start from results of the graph that holds this, and would close a circle.
    output: OnceCell<B>,
}

impl<A: Tree, B: Tree, F: FnMut(&A) -> Result<B>> Call<F, A, B> {
    fn run(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let output = (self.f.borrow_mut())(&self.input(inputs)?)?;
        let leaves = arrays(&output);
        self.output.get_or_init(|| output);
        Ok(leaves)
    }

    fn input(&self, arrays: &[Array]) -> Result<A> {
        rebuilt(&self.input, arrays.to_vec())
    }

    fn output(&self, arrays: &[Array]) -> Result<B> {
        rebuilt(self.output.get().ok_or_else(uncalled)?, arrays.to_vec())
    }
}

/// `f` through the function that `make` builds of each call.
#[track_caller]
fn kept<A: Tree, B: Tree, F: FnMut(&A) -> Result<B>>(
    f: F,
    make: impl Fn(Rc<Call<F, A, B>>) -> Result<Function>,
) -> impl Fn(&A) -> Result<B> {
    let (f, at) = (Rc::new(RefCell::new(f)), Location::caller());
    move |x: &A| {
        let call = Rc::new(Call { f: f.clone(), input: copied(x)?, output: OnceCell::new() });
        let outputs = asked(at, make(call.clone())?.call(&arrays(x)))?;
        call.output(&outputs)
    }
}
