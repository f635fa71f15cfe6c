//! Bins of texts on their way through a model, side by side on a CPU's cores.

use crate::schedule::bins;
use mlx_nn::{Error, Result};
use mlx_ops::{Dtype, Tensor, async_eval, cpu_streams, with_stream};

/// Tokens from which on bins run side by side on a CPU's cores, in place of one that all cores share.
const ASIDE: usize = 192;

/// Tokens of a bin there, unless its caller wants fewer: their rows stay in a core's cache from one layer to the next.
const NEAR: usize = 384;

/// Puts texts of these lengths into bins of `budget` tokens, lets `forward` make a row for each of a bin's texts or for each
/// of their tokens, `(rows, width)`, and hands `take` the numbers of each text, those of some bins while the next are on their
/// way.
///
/// A number that is not finite is an error that names `what` of which text it is, `first` being the first one's number.
pub fn run(
    lengths: &[usize],
    budget: usize,
    what: &str,
    first: usize,
    forward: impl Fn(&[usize]) -> Result<Tensor>,
    mut take: impl FnMut(usize, &[f32]),
) -> Result<()> {
    let mut read = |bin: &[usize], rows: &Tensor| {
        let [count, width] = rows.dims()?;
        let each = count as usize == bin.len();
        let rows = rows.to_vec::<f32>()?;
        let mut rest = &rows[..];
        for &i in bin {
            let (row, behind) = rest.split_at(width as usize * if each { 1 } else { lengths[i] });
            rest = behind;
            if row.iter().any(|x| !x.is_finite()) {
                return Err(Error::msg(format!(
                    "The {what} of text {} is not finite: the model overflows on it, or its weights are broken.",
                    first + i
                )));
            }
            take(i, row);
        }
        Ok::<_, Error>(())
    };
    let streams = if lengths.iter().sum::<usize>() < ASIDE { Vec::new() } else { cpu_streams()? };
    let aside = streams.len().max(1);
    let forward = |(i, bin): (usize, &Vec<usize>)| {
        let rows = || Ok(forward(bin)?.astype(Dtype::F32)?);
        match streams.get(i) {
            Some(&stream) => with_stream(stream, rows),
            None => rows(),
        }
    };
    let mut before: Vec<(&Vec<usize>, Tensor)> = Vec::new();
    let budget = if streams.is_empty() { budget } else { budget.min(NEAR) };
    let all = bins(lengths, budget, aside);
    for bins in all.chunks(aside) {
        let rows = bins.iter().enumerate().map(forward).collect::<Result<Vec<_>>>()?;
        async_eval(&rows)?;
        for (bin, rows) in std::mem::replace(&mut before, bins.iter().zip(rows).collect()) {
            read(bin, &rows)?;
        }
    }
    before.iter().try_for_each(|(bin, rows)| read(bin, rows))
}
