//! Functions that are traced once and replayed.

use super::Tree;
use super::tree::{flattened, rebuilt};
use mlx_core::Result;
use mlx_core::compile::Traces;
use std::cell::RefCell;

type Function<'f, A, B> = dyn FnMut(&A) -> Result<B> + 'f;

/// A function that runs once for each kind of input; see [`compile`].
pub struct Compiled<'f, A, B> {
    f: RefCell<Box<Function<'f, A, B>>>,
    traces: Traces<B>,
}

/// `f`, traced at the first call for inputs of given shapes, dtypes and structure, and replayed at the others.
///
/// The trace holds what `f` did then. Whatever it captured or read is constant, random keys too, so what changes must be an input, and `f`
/// must not read values back. On a GPU MLX fuses elementwise ops; on a CPU, where that would take a C++ compiler, the gain is the
/// time to build the graph, and what does not depend on the input is computed once. Inside other transforms `f` itself
/// runs. Dropping the value frees its traces.
///
/// ```
/// use mlx_ops::Tensor;
/// use mlx_ops::transforms::compile;
/// let gelu = compile(|x: &Tensor| ((x * 0.5)? * ((x / 2f32.sqrt())?.erf()? + 1.0)));
/// let x = Tensor::from_slice(&[0f32, 1.0], [2])?;
/// let y = gelu.call(&x)?.to_vec::<f32>()?;
/// assert!(y[0] == 0.0 && (y[1] - 0.841345).abs() < 1e-6);
/// # Ok::<(), mlx_ops::Error>(())
/// ```
pub fn compile<'f, A: Tree, B: Tree>(f: impl FnMut(&A) -> Result<B> + 'f) -> Compiled<'f, A, B> {
    Compiled { f: RefCell::new(Box::new(f)), traces: Traces::new(false) }
}

/// As [`compile`], with one trace for all shapes of the same number of axes.
///
/// A function whose graph depends on sizes (`x.dim(0)?` in a shape) is then wrong or an error, and not every op can follow.
///
/// ```
/// use mlx_ops::{Dtype, Tensor, ones};
/// use mlx_ops::transforms::compile_shapeless;
/// let total = compile_shapeless(|x: &Tensor| (x * 3.0)?.sum(.., false));
/// for n in [2, 5] {
///     assert_eq!(total.call(&ones([n], Dtype::F32)?)?.item::<f32>()?, 3.0 * n as f32);
/// }
/// # Ok::<(), mlx_ops::Error>(())
/// ```
pub fn compile_shapeless<'f, A: Tree, B: Tree>(f: impl FnMut(&A) -> Result<B> + 'f) -> Compiled<'f, A, B> {
    Compiled { f: RefCell::new(Box::new(f)), traces: Traces::new(true) }
}

impl<A: Tree, B: Tree> Compiled<'_, A, B> {
    /// What the function gives for `x`.
    #[track_caller]
    pub fn call(&self, x: &A) -> Result<B> {
        let (inputs, structure) = flattened(x);
        let run = |inputs: &[mlx_core::Array]| {
            let outputs = (self.f.borrow_mut())(&rebuilt(x, inputs.to_vec())?)?;
            Ok((super::arrays(&outputs), outputs))
        };
        let (values, outputs) = self.traces.call(run, &inputs, structure)?;
        rebuilt(&*outputs, values)
    }
}
