//! Functions with rules of their own, which MLX keeps in the graph.

use crate::bridge::transforms::ffi::{self, Role};
use crate::call::call;
use crate::closure::{Asked, Kept};
use crate::{Array, Result};
use cxx::UniquePtr;

/// A function of arrays whose transforms were redefined.
///
/// What the function captures is constant for every transform: gradients flow to its inputs alone.
pub struct Function(UniquePtr<ffi::Function>);

impl Function {
    /// The outputs for `inputs`.
    #[track_caller]
    pub fn call(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        call!(self.0.call(inputs))
    }
}

/// Gradients, one per primal, from primals, cotangents and outputs.
pub type VjpRule = dyn Fn(&[Array], &[Array], &[Array]) -> Result<Vec<Array>>;

/// Tangents of the outputs from primals and their tangents; `None` is a tangent of zeros.
pub type JvpRule = dyn Fn(&[Array], &[Option<Array>]) -> Result<Vec<Array>>;

/// Outputs mapped over their axis 0, from inputs and the mapped axis of each.
pub type VmapRule = dyn Fn(&[Array], &[Option<usize>]) -> Result<Vec<Array>>;

/// What to do in place of MLX's transforms; `None` leaves one as it is.
#[derive(Default)]
pub struct Rules {
    /// For reverse mode: [`vjp`](crate::transforms::vjp), [`grad`](crate::transforms::grad).
    pub vjp: Option<Box<VjpRule>>,
    /// For forward mode: [`jvp`](crate::transforms::jvp).
    pub jvp: Option<Box<JvpRule>>,
    /// For [`vmap`](crate::transforms::vmap).
    pub vmap: Option<Box<VmapRule>>,
}

/// `f` with transforms of its own. A rule that gives the wrong number of arrays is an error of the transform.
#[track_caller]
pub fn custom_function(f: impl Fn(&[Array]) -> Result<Vec<Array>> + 'static, rules: Rules) -> Result<Function> {
    let has = [rules.vjp.is_some(), rules.jvp.is_some(), rules.vmap.is_some()];
    let kept = Kept::new(Asked::by("custom_function"), move |role, arrays, numbers| match (role, &rules) {
        (Role::Vjp, Rules { vjp: Some(rule), .. }) => {
            let (primals, rest) = arrays.split_at(numbers[0] as usize);
            let (cotangents, outputs) = rest.split_at(numbers[1] as usize);
            rule(primals, cotangents, outputs)
        }
        (Role::Jvp, Rules { jvp: Some(rule), .. }) => {
            let (primals, given) = arrays.split_at(arrays.len() - numbers.len());
            let mut tangents = vec![None; primals.len()];
            for (&at, tangent) in numbers.iter().zip(given) {
                tangents[at as usize] = Some(tangent.clone());
            }
            rule(primals, &tangents)
        }
        (Role::Vmap, Rules { vmap: Some(rule), .. }) => {
            let axes: Vec<Option<usize>> = numbers.iter().map(|&axis| usize::try_from(axis).ok()).collect();
            rule(arrays, &axes)
        }
        _ => f(arrays),
    });
    let [vjp, jvp, vmap] = has;
    call!(ffi::custom_function(kept, vjp, jvp, vmap)).map(Function)
}

/// `f`, whose gradients `rule` gives from primals, cotangents and outputs.
///
/// ```
/// use mlx_core::{Array, Dtype, ops, transforms};
/// let clipped = transforms::custom_vjp(
///     |x| Ok(vec![ops::exp(&x[0])?]),
///     |_, cotangents, outputs| Ok(vec![ops::minimum(&ops::multiply(&cotangents[0], &outputs[0])?, &cotangents[0])?]),
/// )?;
/// let x = Array::scalar(5.0, Dtype::F32)?;
/// let gradients = transforms::grad(|x| clipped.call(x), &[x], &[0])?;
/// assert_eq!(gradients[0].item::<f32>()?, 1.0);
/// # Ok::<(), mlx_core::Error>(())
/// ```
#[track_caller]
pub fn custom_vjp(
    f: impl Fn(&[Array]) -> Result<Vec<Array>> + 'static,
    rule: impl Fn(&[Array], &[Array], &[Array]) -> Result<Vec<Array>> + 'static,
) -> Result<Function> {
    custom_function(f, Rules { vjp: Some(Box::new(rule)), ..Rules::default() })
}

/// `f`, whose forward-mode tangents `rule` gives from primals and their tangents.
#[track_caller]
pub fn custom_jvp(
    f: impl Fn(&[Array]) -> Result<Vec<Array>> + 'static,
    rule: impl Fn(&[Array], &[Option<Array>]) -> Result<Vec<Array>> + 'static,
) -> Result<Function> {
    custom_function(f, Rules { jvp: Some(Box::new(rule)), ..Rules::default() })
}

/// `f`, which keeps nothing of its inside for the gradient and computes it again there.
#[track_caller]
pub fn checkpoint(f: impl Fn(&[Array]) -> Result<Vec<Array>> + 'static) -> Result<Function> {
    let kept = Kept::new(Asked::by("checkpoint"), move |_, arrays, _| f(arrays));
    call!(ffi::checkpoint(kept)).map(Function)
}
