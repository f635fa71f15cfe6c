//! Bins of texts, one behind the other through a model.

use crate::schedule::bins;
use mlx_nn::{Error, Result};
use mlx_ops::{Dtype, Tensor, async_eval};

/// Puts texts of these lengths into bins of `budget` tokens, lets `forward` make a row of each of a bin's texts, and hands
/// the rows to `take` with the texts' numbers, those of one bin while the next is on its way.
///
/// A number that is not finite is an error that names `what` of which text it is, `first` being the first one's number.
pub fn run(
    lengths: &[usize],
    budget: usize,
    what: &str,
    first: usize,
    mut forward: impl FnMut(&[usize]) -> Result<Tensor>,
    mut take: impl FnMut(usize, &[f32]),
) -> Result<()> {
    let mut read = |bin: &[usize], rows: &Tensor| {
        let rows = rows.to_vec::<f32>()?;
        for (&i, row) in bin.iter().zip(rows.chunks_exact(rows.len() / bin.len())) {
            if row.iter().any(|x| !x.is_finite()) {
                return Err(Error::msg(format!(
                    "The {what} of text {} is not finite: the model overflows on it, or its weights are broken.",
                    first + i
                )));
            }
            take(i, row);
        }
        Ok(())
    };
    let mut before: Option<(Vec<usize>, Tensor)> = None;
    for bin in bins(lengths, budget) {
        let rows = forward(&bin)?.astype(Dtype::F32)?;
        async_eval([&rows])?;
        if let Some((bin, rows)) = before.replace((bin, rows)) {
            read(&bin, &rows)?;
        }
    }
    match before {
        Some((bin, rows)) => read(&bin, &rows),
        None => Ok(()),
    }
}
