//! Fused operations, random numbers and transforms.

use super::dice::Dice;
use super::ops::{Op, TABLES};
use mlx_ops::fast::{self, Attention, Frequencies, Mask, Rotation};
use mlx_ops::transforms::{compile, grad, vmap};
use mlx_ops::{Result, Tensor, random};
use std::cell::RefCell;

type Table = &'static [(&'static str, Op)];

pub const LAYERS: Table = &[
    ("rms_norm", |d| one(fast::rms_norm(&d.floats(), d.maybe().as_ref(), 1e-5))),
    ("layer_norm", |d| one(fast::layer_norm(&d.floats(), d.maybe().as_ref(), d.maybe().as_ref(), 1e-5))),
    ("cross_entropy", |d| one(fast::cross_entropy(&d.floats(), &d.positions()))),
    ("rope", rope),
    ("attention", attention),
    ("random bits", |d| one(random::bits(d.dims(), d.int(1, 4), None))),
    ("random uniform", |d| one(random::uniform(d.tensor(), d.tensor(), d.dims(), d.dtype(), None))),
    ("random normal", |d| one(random::normal(d.dims(), d.dtype(), None))),
    ("random randint", |d| one(random::randint(d.tensor(), d.tensor(), d.dims(), d.dtype(), None))),
    ("random bernoulli", |d| one(random::bernoulli(d.tensor(), d.dims(), None))),
    ("random categorical", |d| one(random::categorical(&d.floats(), None))),
    ("random permutation", |d| one(random::permutation(&d.tensor(), d.axis(), None))),
    ("random key", |d| one(random::split_into(&d.tensor(), d.int(1, 4)))),
    ("grad", |d| transformed(d, |f, x| grad(|x: &Tensor| f(x)?.sum(.., false))(x))),
    ("vmap", |d| transformed(d, |f, x| vmap(|x: &Tensor| f(x), 0, 0)(x))),
    ("compile", |d| transformed(d, |f, x| compile(|x: &Tensor| f(x)).call(x))),
];

fn one(tensor: Result<Tensor>) -> Result<Vec<Tensor>> {
    Ok(vec![tensor?])
}

fn rope(d: &mut Dice) -> Result<Vec<Tensor>> {
    let table = d.floats();
    let frequencies = if d.once_in(3) { Frequencies::Table(&table) } else { Frequencies::Base(1e4) };
    let (dims, traditional) = (d.int(0, 6), d.flag());
    let rotation = Rotation { dims, traditional, frequencies, scale: 1.0, amplitude: 1.0 };
    one(fast::rope(&d.floats(), &rotation, d.int(0, 9)))
}

fn attention(d: &mut Dice) -> Result<Vec<Tensor>> {
    let (mask, sinks) = (d.tensor(), d.floats());
    let mask = match d.below(3) {
        0 => Mask::None,
        1 => Mask::Causal,
        _ => Mask::Tensor(&mask),
    };
    let window = d.once_in(4).then(|| d.int(1, 5));
    let sinks = d.once_in(4).then_some(&sinks);
    let attention = Attention { scale: 0.5, mask, window, softcap: d.once_in(4).then_some(10.0), sinks };
    // Shapes that fit, more often than the pool has them.
    let [b, heads, kv, l, s, w] = [3, 5, 3, 6, 7, 10].map(|n| d.below(n) as i32);
    let make = |heads, rows| random::normal([b, heads, rows, w], mlx_ops::Dtype::F32, None);
    match d.flag() {
        true => one(fast::attention(&make(heads, l)?, &make(kv, s)?, &make(kv, s)?, &attention)),
        false => one(fast::attention(&d.floats(), &d.floats(), &d.floats(), &attention)),
    }
}

/// A transform of an op, of which the function's argument replaces every tensor that it draws.
fn transformed(
    d: &mut Dice,
    transform: impl Fn(&dyn Fn(&Tensor) -> Result<Tensor>, &Tensor) -> Result<Tensor>,
) -> Result<Vec<Tensor>> {
    // The transforms' own table is the last.
    let table = TABLES[d.below(TABLES.len() - 1)];
    let (name, op) = table[d.below(table.len())];
    d.drawn.borrow_mut().push(format!("of {name}"));
    let (x, seed) = (d.floats(), d.below(usize::MAX) as u64);
    let f = |x: &Tensor| {
        let mut inner = Dice::new(seed);
        inner.keep(x.clone());
        let inner = RefCell::new(inner);
        let results = op(&mut inner.borrow_mut())?;
        results.into_iter().next().map_or_else(|| Ok(x.clone()), Ok)
    };
    one(transform(&f, &x))
}
