//! A chain of 20 elementwise ops, built anew each time and replayed by `compile`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mlx_ops::transforms::compile;
use mlx_ops::{Dtype, Result, Tensor, random};

fn chain(x: &Tensor) -> Result<Tensor> {
    let mut y = x.clone();
    for _ in 0..4 {
        y = ((((y * 0.5)? + x)?.abs()? + 1.0)?).sqrt()?;
    }
    Ok(y)
}

fn elementwise(c: &mut Criterion) {
    let compiled = compile(chain);
    for n in [1_000, 1_000_000] {
        let x = random::normal([n], Dtype::F32, None).expect("numbers");
        x.eval().expect("numbers");
        let mut group = c.benchmark_group(format!("chain of {n}"));
        group.throughput(Throughput::Elements(n as u64)).sample_size(30);
        // The two take turns twice, so that a machine whose speed drifts shows.
        for round in ["first", "second"] {
            group.bench_function(BenchmarkId::new("eager", round), |b| {
                b.iter(|| chain(&x).and_then(|y| y.eval()).expect("a chain"))
            });
            group.bench_function(BenchmarkId::new("compiled", round), |b| {
                b.iter(|| compiled.call(&x).and_then(|y| y.eval()).expect("a chain"))
            });
            // Without computing anything.
            group.bench_function(BenchmarkId::new("eager, built only", round), |b| {
                b.iter(|| chain(&x).expect("a chain"))
            });
            group.bench_function(BenchmarkId::new("compiled, built only", round), |b| {
                b.iter(|| compiled.call(&x).expect("a chain"))
            });
        }
        group.finish();
    }
}

criterion_group!(benches, elementwise);
criterion_main!(benches);
