//! What it costs to build one lazy `add`: in C++, through `Array`, and through `Tensor`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mlx_core::{Array, Result, ops};
use mlx_ops::Tensor;

const CHAIN: usize = 1000;

fn through_array(a: &Array, b: &Array) -> Result<Array> {
    let mut x = a.clone();
    for _ in 0..CHAIN {
        x = ops::add(&x, b)?;
    }
    Ok(x)
}

fn through_tensor(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let mut x = a.clone();
    for _ in 0..CHAIN {
        x = (&x + b)?;
    }
    Ok(x)
}

fn lazy_add(c: &mut Criterion) {
    let array = Array::from_slice(&[1f32], &[1]).expect("a small array");
    let tensor = Tensor::from(array.clone());
    let mut group = c.benchmark_group("lazy_add");
    group.throughput(Throughput::Elements(CHAIN as u64));
    // The three take turns twice, so that a machine whose speed drifts shows.
    for round in ["first", "second"] {
        group.bench_function(BenchmarkId::new("c++", round), |b| {
            b.iter(|| Array::cxx_add_chain(&array, &array, CHAIN).expect("a chain"))
        });
        group.bench_function(BenchmarkId::new("array", round), |b| {
            b.iter(|| through_array(&array, &array).expect("a chain"))
        });
        group.bench_function(BenchmarkId::new("tensor", round), |b| {
            b.iter(|| through_tensor(&tensor, &tensor).expect("a chain"))
        });
    }
    group.finish();
}

criterion_group!(benches, lazy_add);
criterion_main!(benches);
