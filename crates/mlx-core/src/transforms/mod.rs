//! Transforms of functions: gradients, Jacobian products, vectorization, and rules of one's own.
//!
//! A function here takes a slice of arrays and gives a list of them. Transforms nest in any order. A closure's error comes back as it
//! was returned, and a panic of it as an error; either leaves MLX as it was before.

mod custom;

use crate::bridge::transforms::ffi;
use crate::call::call;
use crate::closure::{Asked, Borrowed};
use crate::{Array, Error, Result};
pub use custom::{Function, JvpRule, Rules, VjpRule, VmapRule, checkpoint, custom_function, custom_jvp, custom_vjp};

/// The outputs of `f` at `primals`, and the product of `cotangents` with its Jacobian there: one array per primal.
///
/// An error where the cotangents differ from the outputs in number or shape.
///
/// ```
/// use mlx_core::{Array, ops, transforms};
/// let x = Array::from_slice(&[1f32, 2.0], &[2])?;
/// let one = Array::from_slice(&[1f32, 1.0], &[2])?;
/// let (squares, slopes) = transforms::vjp(|x| Ok(vec![ops::square(&x[0])?]), &[x], &[one])?;
/// assert_eq!(squares[0].to_vec::<f32>()?, [1.0, 4.0]);
/// assert_eq!(slopes[0].to_vec::<f32>()?, [2.0, 4.0]);
/// # Ok::<(), mlx_core::Error>(())
/// ```
#[track_caller]
pub fn vjp(
    mut f: impl FnMut(&[Array]) -> Result<Vec<Array>>,
    primals: &[Array],
    cotangents: &[Array],
) -> Result<(Vec<Array>, Vec<Array>)> {
    let f = Borrowed::new(Asked::by("vjp"), &mut f);
    // SAFETY: the closure outlives the call, which keeps no reference to it.
    let pair = call!(unsafe { ffi::vjp(&f, primals, cotangents) })?;
    Ok((pair.first, pair.second))
}

/// The outputs of `f` at `primals`, and the product of its Jacobian there with `tangents`: one array per output.
///
/// An error where the tangents differ from the primals in number or shape.
///
/// ```
/// use mlx_core::{Array, Dtype, ops, transforms};
/// let (x, one) = (Array::scalar(3.0, Dtype::F32)?, Array::scalar(1.0, Dtype::F32)?);
/// let (_, slopes) = transforms::jvp(|x| Ok(vec![ops::square(&x[0])?]), &[x], &[one])?;
/// assert_eq!(slopes[0].item::<f32>()?, 6.0);
/// # Ok::<(), mlx_core::Error>(())
/// ```
#[track_caller]
pub fn jvp(
    mut f: impl FnMut(&[Array]) -> Result<Vec<Array>>,
    primals: &[Array],
    tangents: &[Array],
) -> Result<(Vec<Array>, Vec<Array>)> {
    let f = Borrowed::new(Asked::by("jvp"), &mut f);
    // SAFETY: the closure outlives the call, which keeps no reference to it.
    let pair = call!(unsafe { ffi::jvp(&f, primals, tangents) })?;
    Ok((pair.first, pair.second))
}

/// The outputs of `f`, and the gradients of the first of them with respect to the inputs named by `argnums`, in ascending order.
///
/// The first output must have shape `()`; the others are passed on, without gradients.
///
/// ```
/// use mlx_core::{Array, ops, transforms};
/// let x = Array::from_slice(&[1f32, 2.0], &[2])?;
/// let loss = |x: &[Array]| Ok(vec![ops::sum(&ops::multiply(&x[0], &x[1])?, &[0], false)?]);
/// let (loss, gradients) = transforms::value_and_grad(loss, &[x.clone(), x], &[0])?;
/// assert_eq!(loss[0].item::<f32>()?, 5.0);
/// assert_eq!(gradients[0].to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<(), mlx_core::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad(
    mut f: impl FnMut(&[Array]) -> Result<Vec<Array>>,
    inputs: &[Array],
    argnums: &[i32],
) -> Result<(Vec<Array>, Vec<Array>)> {
    let f = Borrowed::new(Asked::by("value_and_grad"), &mut f);
    // SAFETY: the closure outlives the call, which keeps no reference to it.
    let pair = call!(unsafe { ffi::value_and_grad(&f, inputs, argnums) })?;
    Ok((pair.first, pair.second))
}

/// The gradients alone of [`value_and_grad`].
#[track_caller]
pub fn grad(f: impl FnMut(&[Array]) -> Result<Vec<Array>>, inputs: &[Array], argnums: &[i32]) -> Result<Vec<Array>> {
    Ok(value_and_grad(f, inputs, argnums)?.1)
}

/// `f` over every index of one axis of its inputs at once: the function sees arrays without that axis.
///
/// `in_axes` names the axis of each input, or `None` for one that all indices share. `out_axes` gives, for the outputs of `f`, where the
/// axis stands in each result. Negative axes count from the end.
///
/// ```
/// use mlx_core::{Array, ops, transforms};
/// let x = Array::from_slice(&[1f32, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3])?;
/// let total = |x: &[Array]| Ok(vec![ops::sum(&x[0], &[0], false)?]);
/// let rows = transforms::vmap(total, &[x], &[Some(0)], |outputs| Ok(vec![0; outputs.len()]))?;
/// assert_eq!(rows[0].to_vec::<f32>()?, [6.0, 15.0]);
/// # Ok::<(), mlx_core::Error>(())
/// ```
#[track_caller]
pub fn vmap(
    mut f: impl FnMut(&[Array]) -> Result<Vec<Array>>,
    inputs: &[Array],
    in_axes: &[Option<i32>],
    out_axes: impl FnOnce(&[Array]) -> Result<Vec<i32>>,
) -> Result<Vec<Array>> {
    if in_axes.len() != inputs.len() {
        return Err(Error::new(format!("[vmap] {} input axes for {} inputs.", in_axes.len(), inputs.len())));
    }
    let mut axes = Vec::with_capacity(inputs.len());
    for (input, axis) in inputs.iter().zip(in_axes) {
        // MLX takes -1 for an input that is not mapped.
        axes.push(match *axis {
            Some(axis) => resolved(axis, input.ndim(), "input")?,
            None => -1,
        });
    }
    let f = Borrowed::new(Asked::by("vmap"), &mut f);
    // SAFETY: the closure outlives the call, which keeps no reference to it.
    let trace = call!(unsafe { ffi::vmap_trace(&f, inputs, &axes) })?;
    let wanted = out_axes(&trace.second)?;
    if wanted.len() != trace.second.len() {
        return Err(Error::new(format!("[vmap] {} output axes for {} outputs.", wanted.len(), trace.second.len())));
    }
    let mut outs = Vec::with_capacity(wanted.len());
    for (output, axis) in trace.second.iter().zip(wanted) {
        outs.push(resolved(axis, output.ndim() + 1, "output")?);
    }
    call!(ffi::vmap_replace(inputs, &trace, &axes, &outs))
}

/// The axis counted from the start.
#[track_caller]
fn resolved(axis: i32, ndim: usize, side: &str) -> Result<i32> {
    let at = if axis < 0 { axis + ndim as i32 } else { axis };
    match (0..ndim as i32).contains(&at) {
        true => Ok(at),
        false => Err(Error::new(format!("[vmap] Axis {axis} is out of range for an {side} of {ndim} axes."))),
    }
}
