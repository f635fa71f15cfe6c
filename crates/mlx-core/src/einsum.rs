//! Einstein sums.

use crate::bridge::numeric::ffi;
use crate::call::call;
use crate::ops::over_nothing;
use crate::{Array, Result};

/// The sum of products that `subscripts` describes, such as `ij,jk->ik`.
#[track_caller]
pub fn einsum(subscripts: &str, operands: &[Array]) -> Result<Array> {
    let sum = call!(ffi::einsum(subscripts, operands))?;
    match operands.iter().find(|operand| operand.size() == 0) {
        Some(empty) => over_nothing(empty, sum, 0.0),
        None => Ok(sum),
    }
}

/// The order in which [`einsum`] multiplies: for each step the places of the operands that it takes from the list, putting
/// the product at its end; and MLX's table of the costs.
#[track_caller]
pub fn einsum_path(subscripts: &str, operands: &[Array]) -> Result<(Vec<Vec<usize>>, String)> {
    let mut lines = call!(ffi::einsum_path(subscripts, operands))?;
    let table = lines.pop().unwrap_or_default();
    let places = |line: &String| line.split_whitespace().filter_map(|place| place.parse().ok()).collect();
    Ok((lines.iter().map(places).collect(), table))
}
