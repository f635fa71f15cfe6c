//! The CPU kernels through the public API, at the sizes of a small language model, beside what the machine can do.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use mlx_ops::fast::{self, Attention, Frequencies, Mask, Rotation};
use mlx_ops::{Activation, Device, Dtype, Quantization, Result, Tensor, random};
use pulp::{Arch, Simd, WithSimd};
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

/// SmolLM2-135M: width, width of the feed-forward layer, ids, heads of queries and of keys, width of a head.
const HIDDEN: i32 = 576;
const INNER: i32 = 1536;
const VOCAB: i32 = 49152;
const HEADS: i32 = 9;
const KV_HEADS: i32 = 3;
const HEAD: i32 = 64;

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn normal(dims: &[i32]) -> Tensor {
    let tensor = random::normal(dims, Dtype::F32, None).expect("random numbers");
    tensor.eval().expect("random numbers");
    tensor
}

/// Measures building and evaluating one op.
fn op(group: &mut Group, name: &str, throughput: Throughput, op: impl Fn() -> Result<Tensor>) {
    group.throughput(throughput);
    group.bench_function(name, |b| b.iter(|| op().and_then(|out| out.eval()).expect("the op runs")));
}

fn operations(count: i64) -> Throughput {
    Throughput::Elements(count.unsigned_abs())
}

fn bytes(tensors: &[&Tensor]) -> Throughput {
    Throughput::Bytes(tensors.iter().map(|tensor| tensor.nbytes() as u64).sum())
}

/// Independent chains of multiply-adds: more than the latency times the units of any CPU so far.
const CHAINS: usize = 12;
const STEPS: usize = 100_000;

struct MultiplyAdds;

impl WithSimd for MultiplyAdds {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (a, b) = (simd.splat_f32s(black_box(0.999)), simd.splat_f32s(black_box(0.001)));
        let mut chains = [simd.splat_f32s(1.0); CHAINS];
        for _ in 0..STEPS {
            for chain in &mut chains {
                *chain = simd.mul_add_f32s(*chain, a, b);
            }
        }
        chains.into_iter().map(|chain| simd.reduce_sum_f32s(chain)).sum()
    }
}

struct LaneCount;

impl WithSimd for LaneCount {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// The limits that the kernels are measured against.
fn machine(c: &mut Criterion) {
    let mut group = c.benchmark_group("machine");
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let arch = Arch::new();
    let adds = 2 * (STEPS * CHAINS * arch.dispatch(LaneCount)) as u64;
    group.throughput(Throughput::Elements(adds));
    group.bench_function("fma one thread", |b| b.iter(|| black_box(arch.dispatch(MultiplyAdds))));
    group.throughput(Throughput::Elements(adds * threads as u64));
    group.bench_function("fma all threads", |b| {
        b.iter_custom(|count| {
            let work = |_| (0..count).for_each(|_| _ = black_box(arch.dispatch(MultiplyAdds)));
            together(vec![(); threads], &work)
        })
    });
    // Several times the largest cache.
    let words = vec![1u64; 32 << 20];
    group.throughput(Throughput::Bytes(size_of_val(&words[..]) as u64));
    group.bench_function("read all threads", |b| {
        b.iter_custom(|count| {
            let sum = |part: &[u64]| part.iter().fold(0u64, |sum, word| sum.wrapping_add(*word));
            let work = |part| (0..count).for_each(|_| _ = black_box(sum(black_box(part))));
            together(words.chunks(words.len().div_ceil(threads)).collect(), &work)
        })
    });
    group.finish();
}

/// How long it takes to do all parts, a thread each: enough rounds in each that starting the threads does not count.
fn together<T: Send>(parts: Vec<T>, work: &(impl Fn(T) + Sync)) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for part in parts {
            scope.spawn(move || work(part));
        }
    });
    start.elapsed()
}

/// Products with packed matrices: bytes count where the matrix is read once for one row, operations otherwise.
fn packed(c: &mut Criterion) {
    let mut group = c.benchmark_group("packed");
    for (bits, group_size) in [(4, 32), (8, 32), (4, 64)] {
        let q = Quantization { group_size, bits, mode: "affine" };
        for (n, k, rows) in [(VOCAB, HIDDEN, &[1][..]), (INNER, HIDDEN, &[1, 8, 128, 512]), (HIDDEN, INNER, &[512])] {
            // The wider formats once, at the sizes that say most.
            if (bits, group_size) != (4, 32) && rows.len() == 1 && rows[0] != 1 {
                continue;
            }
            let (w, scales, biases) = normal(&[n, k]).quantize(q).expect("a packed matrix");
            let biases = biases.expect("affine has biases");
            mlx_ops::eval([&w, &scales, &biases]).expect("a packed matrix");
            for &m in rows {
                let x = normal(&[m, k]);
                let work = match m {
                    1 => bytes(&[&w, &scales, &biases]),
                    _ => operations(2 * i64::from(m) * i64::from(n) * i64::from(k)),
                };
                let name = format!("{bits} bits by {group_size}, {m}x{k} to {n}");
                op(&mut group, &name, work, || x.quantized_matmul(&w, &scales, Some(&biases), q));
            }
        }
    }
    group.finish();
}

fn dense(c: &mut Criterion) {
    let mut group = c.benchmark_group("dense");
    let row = normal(&[1, HIDDEN]);
    let w = normal(&[VOCAB, HIDDEN]).transpose([1, 0]).expect("a view");
    op(&mut group, "1x576 to 49152", bytes(&[&w]), || row.matmul(&w));
    for (m, n, k) in [(8, INNER, HIDDEN), (128, INNER, HIDDEN), (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048)]
    {
        let x = normal(&[m, k]);
        let w = normal(&[n, k]).transpose([1, 0]).expect("a view");
        let work = operations(2 * i64::from(m) * i64::from(n) * i64::from(k));
        op(&mut group, &format!("{m}x{k} to {n}"), work, || x.matmul(&w));
    }
    group.finish();
}

fn attention(c: &mut Criterion) {
    let mut group = c.benchmark_group("attention");
    let all = Attention::new(1.0 / (HEAD as f32).sqrt());
    let causal = Attention { mask: Mask::Causal, ..all };
    let heads = |count, length| normal(&[1, count, length, HEAD]);
    for keys in [128, 2048] {
        let (q, k, v) = (heads(HEADS, 1), heads(KV_HEADS, keys), heads(KV_HEADS, keys));
        let name = format!("1 query, {keys} keys");
        op(&mut group, &name, bytes(&[&k, &v]), || fast::attention(&q, &k, &v, &all));
    }
    for length in [128, 512, 2048] {
        let (q, k, v) = (heads(HEADS, length), heads(KV_HEADS, length), heads(KV_HEADS, length));
        // Two products of the pairs that are not masked.
        let pairs = i64::from(length) * i64::from(length + 1) / 2;
        let work = operations(4 * i64::from(HEADS) * i64::from(HEAD) * pairs);
        op(&mut group, &format!("{length} queries, causal"), work, || fast::attention(&q, &k, &v, &causal));
    }
    group.finish();
}

/// What reads and writes each element once; the bytes are those of inputs and output.
fn elementwise(c: &mut Criterion) {
    let mut group = c.benchmark_group("elementwise");
    for rows in [1, 512] {
        let (x, weight) = (normal(&[rows, HIDDEN]), normal(&[HIDDEN]));
        let name = |op: &str| format!("{op}, {rows} rows");
        op(&mut group, &name("rms_norm"), bytes(&[&x, &x]), || fast::rms_norm(&x, Some(&weight), 1e-5));
        op(&mut group, &name("layer_norm"), bytes(&[&x, &x]), || fast::layer_norm(&x, Some(&weight), None, 1e-5));
        let (gate, up) = (normal(&[rows, INNER]), normal(&[rows, INNER]));
        op(&mut group, &name("swiglu"), bytes(&[&gate, &up, &up]), || Activation::Silu.gate(&gate, &up));
        let q = normal(&[1, HEADS, rows, HEAD]);
        let frequencies = Frequencies::Base(10_000.0);
        let rotation = Rotation { dims: HEAD, traditional: false, frequencies, scale: 1.0, amplitude: 1.0 };
        op(&mut group, &name("rope"), bytes(&[&q, &q]), || fast::rope(&q, &rotation, 7));
    }
    group.finish();
}

/// Short, because `cargo xtask bench cpu` runs them all each time.
fn configuration() -> Criterion {
    Device::Cpu.set_default().expect("there is always a CPU");
    let short = Criterion::default().sample_size(20).nresamples(2000).without_plots();
    short.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(700))
}

criterion_group! {
    name = benches;
    config = configuration();
    targets = machine, packed, dense, attention, elementwise
}
criterion_main!(benches);
