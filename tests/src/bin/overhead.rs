//! Prints, as one JSON object, what it costs to build lazy ops: nanoseconds an op, the median of many chains. The same
//! chains as in xtask/py/bench_ops.py; nothing is computed.

use mlx_ops::{Dtype, Result, Tensor, ones};
use serde_json::{Map, json};
use std::time::Instant;

/// Ops in a chain, and how often each chain is built.
const CHAIN: usize = 1000;
const ROUNDS: usize = 201;

type Link = fn(&Tensor, &Tensor) -> Result<Tensor>;

/// One op each, from a tensor of shape (8, 8) to one of the same shape.
const LINKS: [(&str, Link); 5] = [
    ("add", |x, y| x + y),
    ("add_scalar", |x, _| x + 1.0),
    ("matmul", |x, y| x.matmul(y)),
    ("softmax", |x, _| x.softmax([-1])),
    ("transpose", |x, _| x.transpose([1, 0])),
];

fn nanoseconds(link: Link, x: &Tensor, y: &Tensor) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let mut chain = x.clone();
        let start = Instant::now();
        for _ in 0..CHAIN {
            chain = link(&chain, y)?;
        }
        times.push(start.elapsed().as_nanos() as f64 / CHAIN as f64);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[ROUNDS / 2])
}

fn main() -> Result<()> {
    let (x, y) = (ones([8, 8], Dtype::F32)?, ones([8, 8], Dtype::F32)?);
    let mut found = Map::new();
    for (name, link) in LINKS {
        found.insert(name.to_owned(), json!(nanoseconds(link, &x, &y)?));
    }
    println!("{}", json!(found));
    Ok(())
}
