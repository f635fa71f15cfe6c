//! Attention against its formula in f64 on every instruction set, and against MLX's ops.

use super::super::simd::Isa;
use super::super::tests::{noise, within};
use super::*;
use mlx_core::{kernel, ops};

/// Sizes and options of a problem; strides are those of longer buffers.
#[derive(Clone, Copy)]
struct Case {
    heads: [usize; 3],
    sizes: [usize; 4],
    kind: Kind,
    window: Option<usize>,
    softcap: Option<f32>,
    sinks: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    None,
    Causal,
    Near,
    /// Booleans, and whether they differ by batch, head, query and key.
    Bool([bool; 4]),
    Add([bool; 4]),
}

const PLAIN: Case =
    Case { heads: [1, 1, 1], sizes: [1, 1, 1, 1], kind: Kind::None, window: None, softcap: None, sinks: false };

struct Data {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    bytes: Vec<u8>,
    added: Vec<f32>,
    sinks: Vec<f32>,
    out: Vec<f32>,
}

fn values(n: usize) -> Vec<f32> {
    noise(&[n as i32]).to_vec().unwrap()
}

impl Case {
    /// Distances over batch, head and position, with room between heads.
    fn strides(heads: usize, length: usize, width: usize) -> [usize; 3] {
        [heads * (length + 3) * (width + 1), (length + 3) * (width + 1), width + 1]
    }

    fn mask_strides(&self, differs: [bool; 4]) -> [usize; 4] {
        let ([_, h, _], [l, s, ..]) = (self.heads, self.sizes);
        let full = [h * l * s, l * s, s, 1];
        std::array::from_fn(|axis| if differs[axis] { full[axis] } else { 0 })
    }

    fn data(&self) -> Data {
        let ([b, h, kv], [l, s, d, dv]) = (self.heads, self.sizes);
        let room = |heads, length, width| values(b * Self::strides(heads, length, width)[0]);
        let added = values(b * h * l * s);
        Data {
            q: room(h, l, d),
            k: room(kv, s, d),
            v: room(kv, s, dv),
            bytes: added.iter().map(|&x| u8::from(x > -0.5)).collect(),
            added,
            sinks: values(h),
            out: vec![f32::NAN; b * h * l * dv],
        }
    }

    fn problem<'a>(&self, data: &'a mut Data) -> Problem<'a> {
        let ([b, h, kv], [l, s, d, dv]) = (self.heads, self.sizes);
        let heads =
            |at: &[f32], heads, length, width| Heads { at: at.as_ptr(), strides: Self::strides(heads, length, width) };
        let mask = match self.kind {
            Kind::None => Masking::None,
            Kind::Causal => Masking::Causal,
            Kind::Near => Masking::Near,
            Kind::Bool(differs) => Masking::Bool { at: data.bytes.as_ptr(), strides: self.mask_strides(differs) },
            Kind::Add(differs) => Masking::Add { at: data.added.as_ptr(), strides: self.mask_strides(differs) },
        };
        let (q, k, v) = (heads(&data.q, h, l, d), heads(&data.k, kv, s, d), heads(&data.v, kv, s, dv));
        let (out, out_strides) = (data.out.as_mut_ptr(), [l * h * dv, dv, h * dv]);
        let (softcap, window) = (self.softcap, self.window);
        let sinks = self.sinks.then_some(&data.sinks[..]);
        Problem { b, h, kv, l, s, d, dv, q, k, v, out, out_strides, scale: 0.4, softcap, mask, window, sinks }
    }
}

/// The formula for one query of one head.
fn reference(p: &Problem<'_>, batch: usize, head: usize, query: usize) -> Vec<f64> {
    // SAFETY: the buffers were made for these sizes and strides.
    let element = |from: *const f32, f: usize| f64::from(unsafe { *from.add(f) });
    let (q, kv_head) = (p.q.row(batch, head, query), head / (p.h / p.kv));
    let place = |strides: [usize; 4], key| [batch, head, query, key].iter().zip(strides).map(|(i, n)| i * n).sum();
    let score = |key: usize| {
        let k = p.k.row(batch, kv_head, key);
        let score: f64 = (0..p.d).map(|f| element(q, f) * element(k, f)).sum::<f64>() * f64::from(p.scale);
        let score = p.softcap.map_or(score, |cap| f64::from(cap) * (score / f64::from(cap)).tanh());
        let position = p.s.wrapping_sub(p.l).wrapping_add(query);
        let near = matches!(p.mask, Masking::Near);
        let late = matches!(p.mask, Masking::Causal) || p.window.is_some() && !near;
        if near && p.window.is_some_and(|window| key >= position + window) {
            return f64::NEG_INFINITY;
        }
        if (late && key > position) || p.window.is_some_and(|window| key + window <= position) {
            return f64::NEG_INFINITY;
        }
        match p.mask {
            // SAFETY: as above.
            Masking::Bool { at, strides } if unsafe { *at.add(place(strides, key)) } == 0 => f64::from(f32::MIN),
            Masking::Add { at, strides } => score + element(at, place(strides, key)),
            _ => score,
        }
    };
    let scores: Vec<f64> = (0..p.s).map(score).collect();
    let sink = p.sinks.map_or(f64::NEG_INFINITY, |sinks| f64::from(sinks[head]));
    let most = scores.iter().fold(sink, |most, &x| most.max(x));
    let weights: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
    let total = weights.iter().sum::<f64>() + (sink - most).exp();
    let value = |f| weights.iter().enumerate().map(move |(key, w)| (key, f, w));
    let weighed = |f| value(f).map(|(key, f, w)| w * element(p.v.row(batch, kv_head, key), f)).sum::<f64>() / total;
    (0..p.dv).map(weighed).collect()
}

#[track_caller]
fn check(case: Case) {
    let mut data = case.data();
    for isa in Isa::available() {
        data.out.fill(f32::NAN);
        let p = case.problem(&mut data);
        // SAFETY: the buffers were made for these sizes and strides.
        unsafe { p.compute(isa) };
        for batch in 0..p.b {
            for (head, query) in (0..p.h).flat_map(|head| (0..p.l).map(move |query| (head, query))) {
                let at = batch * p.out_strides[0] + head * p.out_strides[1] + query * p.out_strides[2];
                for (f, want) in reference(&p, batch, head, query).into_iter().enumerate() {
                    // SAFETY: as above.
                    let found = f64::from(unsafe { *p.out.add(at + f) });
                    let Case { heads, sizes, kind, window, softcap, sinks } = case;
                    assert!(
                        (found - want).abs() < 1e-5,
                        "{isa:?} {heads:?} {sizes:?} {kind:?} {window:?} {softcap:?} {sinks}: ({batch}, {head}, {query}, {f}) is {found}, not {want}"
                    );
                }
            }
        }
    }
}

/// Shapes of few rows and of many, for one thread and for several, with and without rest.
const SHAPES: [([usize; 3], [usize; 4]); 14] = [
    ([1, 1, 1], [1, 1, 1, 1]),
    ([2, 3, 1], [1, 5, 7, 3]),
    ([1, 9, 3], [1, 700, 64, 64]),
    ([1, 8, 8], [3, 97, 33, 20]),
    ([1, 4, 2], [4, 193, 64, 80]),
    ([1, 8, 1], [1, 2000, 16, 130]),
    ([1, 3, 3], [8, 8, 64, 64]),
    ([2, 4, 2], [5, 5, 20, 20]),
    ([1, 6, 2], [9, 1200, 24, 17]),
    ([1, 1, 1], [130, 200, 33, 12]),
    ([2, 6, 2], [65, 65, 16, 16]),
    ([1, 7, 1], [61, 190, 8, 9]),
    ([1, 40, 1], [5, 100, 9, 4]),
    ([1, 2, 1], [300, 410, 8, 8]),
];

#[test]
fn agrees_with_f64() {
    for (heads, sizes) in SHAPES {
        let case = Case { heads, sizes, ..PLAIN };
        check(case);
        check(Case { kind: Kind::Causal, ..case });
        check(Case { softcap: Some(2.0), sinks: true, ..case });
        for window in [1, 2, 50, 150, 100_000] {
            check(Case { kind: Kind::Causal, window: Some(window), sinks: window == 50, ..case });
        }
    }
}

#[test]
fn windows_to_both_sides_agree_with_f64() {
    for (heads, length, window) in [
        ([1, 2, 1], 1, 1),
        ([2, 4, 2], 9, 3),
        ([1, 3, 3], 40, 1),
        ([1, 2, 2], 100, 30),
        ([1, 6, 1], 130, 129),
        ([1, 1, 1], 300, 64),
    ] {
        check(Case { heads, sizes: [length, length, 16, 16], kind: Kind::Near, window: Some(window), ..PLAIN });
        check(Case { heads, sizes: [length, length, 16, 16], kind: Kind::Near, ..PLAIN });
    }
}

#[test]
fn masks_agree_with_f64() {
    let all = [true; 4];
    for (heads, sizes) in SHAPES {
        let case = Case { heads, sizes, ..PLAIN };
        for axis in 0..4 {
            let mut but_one = all;
            but_one[axis] = false;
            check(Case { kind: Kind::Bool(but_one), ..case });
            check(Case { kind: Kind::Add(but_one), softcap: Some(5.0), ..case });
        }
        check(Case { kind: Kind::Bool(all), sinks: true, ..case });
        check(Case { kind: Kind::Add(all), window: Some(70), ..case });
        check(Case { kind: Kind::Bool(all), window: Some(3), ..case });
        check(Case { kind: Kind::Add([false; 4]), ..case });
    }
}

#[test]
fn empty_problems_write_nothing() {
    for (heads, sizes) in [([0, 2, 1], [3, 3, 4, 4]), ([1, 2, 1], [0, 3, 4, 4]), ([1, 2, 1], [3, 3, 4, 0])] {
        check(Case { heads, sizes, ..PLAIN });
    }
    check(Case { heads: [1, 2, 1], sizes: [12, 30, 0, 4], ..PLAIN });
}

/// Queries as projections leave them, keys and values as caches hand them out: the start of longer buffers.
fn arrays([b, h, kv]: [i32; 3], [l, s]: [i32; 2], d: i32) -> [Tensor; 3] {
    let part = |x: Array| ops::slice(&x, &[0, 0, 0, 0], &[b, kv, s, d], &[1, 1, 1, 1]).unwrap();
    let q = ops::swapaxes(&noise(&[b, l, h, d]), 1, 2).unwrap();
    [q, part(noise(&[b, kv, s + 9, d])), part(noise(&[b, kv, s + 9, d]))].map(Tensor::from)
}

#[track_caller]
fn check_ops([q, k, v]: &[Tensor; 3], how: Attention<'_>) {
    let want = graph::by_ops(q, k, v, &how).unwrap();
    within(1e-5, attention(&q.0, &k.0, &v.0, &how), &want.0);
}

#[test]
fn agrees_with_mlx() {
    for (heads, lengths, d) in [([2, 9, 3], [1, 300], 64), ([2, 4, 2], [5, 5], 20), ([1, 6, 2], [65, 90], 16)] {
        let ([b, h, _], [l, s]) = (heads, lengths);
        let inputs = arrays(heads, lengths, d);
        let sinks = Tensor(noise(&[h]));
        let plain = Attention { sinks: Some(&sinks), ..Attention::new(0.3) };
        for softcap in [None, Some(3.0)] {
            for window in [None, Some(4)] {
                check_ops(&inputs, Attention { window, softcap, ..plain });
                check_ops(&inputs, Attention { window, softcap, mask: Mask::Causal, sinks: None, ..plain });
                for shape in [&[b, h, l, s][..], &[b, 1, l, s], &[h, 1, s], &[l, 1], &[l, s], &[b, 1, 1, s]] {
                    let scores = Tensor(noise(shape));
                    check_ops(&inputs, Attention { window, softcap, mask: Mask::Tensor(&scores), ..plain });
                    let seen = scores.greater(-0.7).unwrap();
                    check_ops(&inputs, Attention { window, softcap, mask: Mask::Tensor(&seen), ..plain });
                }
            }
        }
        let backward = ops::slice(&noise(&[l, s]), &[l - 1, s - 1], &[-l - 1, -s - 1], &[-1, -1]).unwrap();
        check_ops(&inputs, Attention { mask: Mask::Tensor(&Tensor(backward)), ..plain });
        let turned = Tensor(noise(&[s, l])).greater(-0.7).unwrap().t().unwrap();
        check_ops(&inputs, Attention { mask: Mask::Tensor(&turned), ..plain });
    }
}

#[test]
fn wholly_masked_queries_are_mlxs() {
    for lengths in [[1, 120], [40, 120]] {
        let inputs = arrays([1, 2, 1], lengths, 8);
        let nothing = Tensor(noise(&lengths)).greater(100.0).unwrap();
        check_ops(&inputs, Attention { mask: Mask::Tensor(&nothing), ..Attention::new(0.3) });
        let sinks = Tensor(noise(&[2]));
        check_ops(&inputs, Attention { mask: Mask::Tensor(&nothing), sinks: Some(&sinks), ..Attention::new(0.3) });
        let minus = crate::full(lengths, f64::NEG_INFINITY, Dtype::F32).unwrap();
        let how = Attention { mask: Mask::Tensor(&minus), ..Attention::new(0.3) };
        check_ops(&inputs, Attention { sinks: Some(&sinks), ..how });
        let [q, k, v] = &inputs;
        for out in [attention(&q.0, &k.0, &v.0, &how).unwrap().unwrap(), graph::by_ops(q, k, v, &how).unwrap().0] {
            assert!(out.to_vec::<f32>().unwrap().iter().all(|x| x.is_nan()));
        }
    }
}

#[test]
fn no_number_stays_none() {
    for l in [2, 40] {
        let [q, k, v] = arrays([1, 2, 1], [l, 60], 8);
        // The last query and, with it, the last row of each head.
        let is_last = crate::arange(0.0, f64::from(l), 1.0, Dtype::F32).unwrap().greater_equal(f64::from(l - 1) as f32);
        let is_last = is_last.unwrap().expand_dims([1]).unwrap();
        let q = crate::select(&is_last.logical_not().unwrap(), &q, f32::NAN).unwrap();
        for softcap in [None, Some(2.0)] {
            let how = Attention { softcap, ..Attention::new(1.0) };
            let out = attention(&q.0, &k.0, &v.0, &how).unwrap().unwrap().to_vec::<f32>().unwrap();
            for (i, row) in out.chunks(8).enumerate() {
                let last = i as i32 % l == l - 1;
                assert!(row.iter().all(|x| x.is_nan() == last), "row {i}: {row:?}");
            }
        }
    }
}

#[test]
fn sixteen_bits_are_widened() {
    for dtype in [Dtype::F16, Dtype::Bf16] {
        let [q, k, v] = arrays([1, 4, 2], [3, 20], 16).map(|x| x.astype(dtype).unwrap());
        let [wq, wk, wv] = [&q, &k, &v].map(|x| x.astype(Dtype::F32).unwrap());
        let how = Attention { mask: Mask::Causal, softcap: Some(4.0), ..Attention::new(0.3) };
        let want = graph::by_ops(&wq, &wk, &wv, &how).unwrap().astype(dtype).unwrap();
        let found = attention(&q.0, &k.0, &v.0, &how).expect("a kernel").unwrap();
        assert_eq!(found.dtype(), dtype);
        within(1e-2, Some(ops::astype(&found, Dtype::F32)), &want.astype(Dtype::F32).unwrap().0);
        let mask = Tensor(noise(&[3, 20]));
        assert!(attention(&q.0, &k.0, &v.0, &Attention { mask: Mask::Tensor(&mask), ..how }).is_none());
        let mask = mask.astype(dtype).unwrap();
        assert!(attention(&q.0, &k.0, &v.0, &Attention { mask: Mask::Tensor(&mask), ..how }).is_some());
    }
}

#[test]
fn what_does_not_fit_is_mlxs() {
    let [q, k, v] = arrays([1, 2, 1], [5, 3], 8);
    let plain = Attention::new(1.0);
    let wrong = Tensor(noise(&[4, 3]));
    for (how, fits) in [
        (plain, true),
        (Attention { mask: Mask::Causal, ..plain }, false),
        (Attention { window: Some(9), ..plain }, false),
        (Attention { mask: Mask::Tensor(&wrong), ..plain }, false),
        (Attention { sinks: Some(&wrong), ..plain }, false),
    ] {
        assert_eq!(attention(&q.0, &k.0, &v.0, &how).is_some(), fits, "{how:?}");
    }
    let error = crate::fast::attention(&q, &k, &v, &Attention { window: Some(0), ..plain }).unwrap_err();
    assert!(error.to_string().contains("at least 1 position, not 0"), "{error}");
}

#[test]
fn gradients_are_the_fallbacks() {
    let q = noise(&[1, 2, 4, 8]);
    let (sinks, mask) = (Tensor(noise(&[2])), Tensor(noise(&[4, 4])));
    let plain = Attention::new(0.5);
    for how in [
        Attention { mask: Mask::Causal, ..plain },
        Attention { mask: Mask::Tensor(&mask), sinks: Some(&sinks), ..plain },
        Attention { window: Some(2), softcap: Some(1.5), sinks: Some(&sinks), ..plain },
    ] {
        let ours = kernel::vector_jacobian(|q| attention(q, q, q, &how).expect("a kernel"), &q, &q);
        let by_ops = |q: &Array| {
            let q = Tensor::from(q.clone());
            graph::by_ops(&q, &q, &q, &how).map(Array::from)
        };
        within(1e-5, Some(ours), &kernel::vector_jacobian(by_ops, &q, &q).unwrap());
    }
}
