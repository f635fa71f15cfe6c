//! Gathered products against f64 and against MLX's own.

use super::*;
use mlx_core::{eval, kernel, random};

fn noise(shape: &[i32]) -> Array {
    let x = random::normal(shape, Dtype::F32, None, None, None).unwrap();
    x.eval().unwrap();
    x
}

fn floats(x: &Array) -> Vec<f32> {
    ops::astype(x, Dtype::F32).unwrap().to_vec().unwrap()
}

/// Index arrays with their shape.
type Numbers = Option<(Vec<u32>, Vec<i32>)>;

fn array(numbers: &Numbers) -> Option<Array> {
    numbers.as_ref().map(|(numbers, shape)| Array::from_slice(numbers, shape).unwrap())
}

/// Some ways in which tokens go to experts: `[left, right]` for a left side of shape `(2, 3)` and five matrices.
fn routes() -> Vec<[Numbers; 2]> {
    let own = |numbers: &[u32], shape: &[i32]| Some((numbers.to_vec(), shape.to_vec()));
    vec![
        [None, own(&[4, 0, 0, 2, 4, 4], &[2, 3])],
        [None, own(&[1, 1, 1, 1, 3, 3], &[2, 3])],
        [None, own(&[2], &[1])],
        [own(&[5, 0, 5, 1], &[2, 2]), own(&[0, 3, 3, 0], &[2, 2])],
        [own(&[0, 1, 2, 3, 4, 5, 0], &[7, 1]), own(&[4, 1], &[2])],
        [own(&[3, 0, 1, 2, 5], &[5]), None],
        [own(&[], &[0]), own(&[], &[0])],
    ]
}

/// The products in f64 of the named `(m, k)` of `x` with the named `(n, k)` of `w`, and how far an f32 may be off.
fn exact(x: &Array, w: &Array, lhs: &[u32], rhs: &[u32], off: f64) -> Vec<(f64, f64)> {
    let (m, k) = (x.shape()[x.ndim() - 2] as usize, x.shape()[x.ndim() - 1] as usize);
    let n = w.shape()[w.ndim() - 2] as usize;
    let (x, w) = (floats(x), floats(w));
    let most = w.iter().fold(0f32, |most, w| most.max(w.abs()));
    let mut out = Vec::new();
    for (&i, &j) in lhs.iter().zip(rhs) {
        for x in x[i as usize * m * k..][..m * k].chunks_exact(k) {
            let size: f64 = x.iter().map(|x| f64::from(x.abs() * most)).sum();
            for w in w[j as usize * n * k..][..n * k].chunks_exact(k) {
                out.push((w.iter().zip(x).map(|(&w, &x)| f64::from(w) * f64::from(x)).sum(), off * size));
            }
        }
    }
    out
}

#[track_caller]
fn close(what: &str, ours: &Array, exact: &[(f64, f64)]) {
    let unit = if ours.dtype() == Dtype::F32 { 0.0 } else { 1.0 / 256.0 };
    let ours = floats(ours);
    assert_eq!(ours.len(), exact.len(), "{what}");
    for (i, (&x, (y, off))) in ours.iter().zip(exact).enumerate() {
        assert!((f64::from(x) - y).abs() <= off + unit * y.abs(), "{what}: element {i}: {x} is not {y}");
    }
}

/// The numbers of both sides, broadcast.
fn numbers(x: &Array, w: &Array, [lhs, rhs]: &[Option<Array>; 2]) -> (Vec<i32>, [Vec<u32>; 2]) {
    let own = |indices: &Option<Array>, from: &Array| {
        let batch = &from.shape()[..from.ndim() - 2];
        indices.clone().unwrap_or_else(|| {
            let all: Vec<u32> = (0..batch.iter().product::<i32>() as u32).collect();
            Array::from_slice(&all, batch).unwrap()
        })
    };
    let (lhs, rhs) = (own(lhs, x), own(rhs, w));
    let shape = broadcast(lhs.shape(), rhs.shape()).unwrap();
    let wide = |indices| ops::broadcast_to(indices, &shape).unwrap().to_vec::<u32>().unwrap();
    let both = [wide(&lhs), wide(&rhs)];
    (shape, both)
}

fn indices([lhs, rhs]: &[Option<Array>; 2]) -> Indices<'_> {
    Indices { lhs: lhs.as_ref(), rhs: rhs.as_ref(), sorted: false }
}

fn formats() -> impl Iterator<Item = Quantization> {
    let affine = [(2, 32), (3, 64), (4, 64), (5, 32), (6, 128), (8, 64)].map(|(bits, group)| (bits, group, "affine"));
    let floats = [(4, 32, "mxfp4"), (8, 32, "mxfp8"), (4, 16, "nvfp4")];
    affine.into_iter().chain(floats).map(|(bits, group_size, mode)| Quantization { group_size, bits, mode })
}

struct Experts {
    parts: Vec<Array>,
    w: Array,
    q: Quantization,
}

impl Experts {
    fn new(shape: &[i32], q: Quantization) -> Self {
        let (group, bits) = (Some(q.group_size), Some(q.bits));
        let parts = ops::quantize(&noise(shape), group, bits, q.mode, None).unwrap();
        eval(&parts).unwrap();
        let w = ops::dequantize(&parts[0], &parts[1], parts.get(2), group, bits, q.mode, None, None).unwrap();
        Self { parts, w, q }
    }

    /// Several rows may be multiplied as fixed-point numbers of 16 bits.
    fn off(&self) -> f64 {
        if self.q.mode == "affine" && matches!(self.q.bits, 2 | 4 | 8) { 3e-5 } else { 1e-6 }
    }

    fn ours(&self, x: &Array, indices: Indices<'_>) -> Array {
        let [w, scales, ..] = &self.parts[..] else { unreachable!() };
        gather_quantized_matmul(x, w, scales, self.parts.get(2), self.q, indices).expect("a kernel").unwrap()
    }

    fn theirs(&self, x: &Array, Indices { lhs, rhs, .. }: Indices<'_>) -> Array {
        let ([w, scales, ..], q) = (&self.parts[..], self.q) else { unreachable!() };
        let (biases, group, bits) = (self.parts.get(2), Some(q.group_size), Some(q.bits));
        ops::gather_qmm(x, w, scales, biases, lhs, rhs, true, group, bits, q.mode, None, false).unwrap()
    }
}

#[test]
fn packed_agrees() {
    for q in formats() {
        let experts = Experts::new(&[5, 11, 256], q);
        for (number, route) in routes().iter().enumerate() {
            for m in [1, 4] {
                let what = format!("{q:?} route {number} m {m}");
                let (x, named) = (noise(&[2, 3, m, 256]), [array(&route[0]), array(&route[1])]);
                let (shape, [lhs, rhs]) = numbers(&x, &experts.w, &named);
                let want = exact(&x, &experts.w, &lhs, &rhs, experts.off());
                let ours = experts.ours(&x, indices(&named));
                assert_eq!(ours.shape(), [&shape[..], &[m, 11]].concat(), "{what}");
                close(&what, &ours, &want);
                close(&format!("MLX {what}"), &experts.theirs(&x, indices(&named)), &want);
                let half = ops::astype(&x, Dtype::F16).unwrap();
                let ours = experts.ours(&half, indices(&named));
                assert_eq!(ours.dtype(), experts.theirs(&half, indices(&named)).dtype(), "{what}");
                close(&what, &ours, &exact(&half, &experts.w, &lhs, &rhs, experts.off()));
            }
        }
    }
}

#[test]
fn many_rows_meet_few_experts() {
    let q = Quantization { group_size: 32, bits: 4, mode: "mxfp4" };
    let experts = Experts::new(&[3, 70, 128], q);
    let x = noise(&[200, 1, 1, 128]);
    let rhs: Vec<u32> = (0..400u32).map(|i| i * i % 3).collect();
    let named = [None, Some(Array::from_slice(&rhs, &[200, 2]).unwrap())];
    let (_, [lhs, rhs]) = numbers(&x, &experts.w, &named);
    close("many rows", &experts.ours(&x, indices(&named)), &exact(&x, &experts.w, &lhs, &rhs, experts.off()));
}

#[test]
fn batches_meet_their_own_matrices() {
    for q in formats() {
        for (left, right) in [(&[2, 3][..], &[3][..]), (&[3], &[3]), (&[1], &[4]), (&[2, 1], &[1, 3]), (&[0], &[1])] {
            let experts = Experts::new(&[right, &[9, 128]].concat(), q);
            let x = noise(&[left, &[5, 128]].concat());
            let [w, scales, ..] = &experts.parts[..] else { unreachable!() };
            let biases = experts.parts.get(2);
            let ours = super::super::quantized_matmul(&x, w, scales, biases, q).expect("a kernel").unwrap();
            let (shape, [lhs, rhs]) = numbers(&x, &experts.w, &[None, None]);
            assert_eq!(ours.shape(), [&shape[..], &[5, 9]].concat());
            let theirs = ops::quantized_matmul(&x, w, scales, biases, true, Some(q.group_size), Some(q.bits), q.mode);
            let theirs = theirs.unwrap();
            assert_eq!((ours.shape(), ours.dtype()), (theirs.shape(), theirs.dtype()));
            close(&format!("{q:?} {left:?} {right:?}"), &ours, &exact(&x, &experts.w, &lhs, &rhs, experts.off()));
        }
    }
}

#[test]
fn dense_agrees() {
    let lies = |w: &Array| {
        let turned = ops::swapaxes(w, 1, 2).unwrap();
        let part = ops::slice(&noise(&[5, 80, 17]), &[0, 0, 0], &[5, 64, 11], &[1, 1, 1]).unwrap();
        let strided = ops::slice(&noise(&[10, 128, 22]), &[0, 0, 0], &[10, 128, 22], &[2, 2, 2]).unwrap();
        vec![ops::contiguous(&turned).unwrap(), turned, part, strided]
    };
    for w in lies(&noise(&[5, 11, 64])) {
        let rows = ops::contiguous(&ops::swapaxes(&w, 1, 2).unwrap()).unwrap();
        for (number, route) in routes().iter().enumerate() {
            for m in [1, 4] {
                let what = format!("route {number} m {m}");
                let (x, named) = (noise(&[2, 3, m, 64]), [array(&route[0]), array(&route[1])]);
                let (shape, [lhs, rhs]) = numbers(&x, &w, &named);
                let ours = gather_matmul(&x, &w, indices(&named)).expect("a kernel").unwrap();
                assert_eq!(ours.shape(), [&shape[..], &[m, 11]].concat(), "{what}");
                let want = exact(&x, &rows, &lhs, &rhs, 1e-6);
                close(&what, &ours, &want);
                let Indices { lhs, rhs, .. } = indices(&named);
                close(&format!("MLX {what}"), &ops::gather_mm(&x, &w, lhs, rhs, false).unwrap(), &want);
            }
        }
    }
}

#[test]
fn nothing_gives_nothing() {
    let rhs = Array::from_slice(&[1u32, 0], &[2]).unwrap();
    let named = Indices { lhs: None, rhs: Some(&rhs), sorted: false };
    for q in formats() {
        let experts = Experts::new(&[2, 5, 128], q);
        let product = experts.ours(&noise(&[2, 0, 128]), named);
        assert_eq!((product.shape(), product.to_vec::<f32>().unwrap()), (&[2, 0, 5][..], vec![]));
    }
    let product = gather_matmul(&noise(&[2, 3, 0]), &noise(&[2, 0, 4]), named).unwrap().unwrap();
    assert_eq!((product.shape(), product.to_vec::<f32>().unwrap()), (&[2, 3, 4][..], vec![0.0; 24]));
}

#[test]
fn an_index_out_of_range_is_an_error() {
    let experts = Experts::new(&[2, 5, 128], formats().next().unwrap());
    let x = noise(&[3, 1, 128]);
    for (lhs, rhs) in [(0, 2), (3, 1), (-1, 0)] {
        let [lhs, rhs] = [lhs, rhs].map(|index: i32| Array::from_slice(&[index], &[1]).unwrap());
        let named = Indices { lhs: Some(&lhs), rhs: Some(&rhs), sorted: false };
        let error = experts.ours(&x, named).eval().unwrap_err().to_string();
        assert!(error.contains("is not below"), "{error}");
        assert!(gather_matmul(&x, &noise(&[2, 128, 5]), named).unwrap().unwrap().eval().is_err());
    }
}

#[test]
fn what_does_not_fit_is_left_to_mlx() {
    let rhs = Array::from_slice(&[1u32, 0, 1], &[3]).unwrap();
    let named = Indices { lhs: None, rhs: Some(&rhs), sorted: false };
    let (x, w) = (noise(&[3, 1, 128]), noise(&[2, 128, 5]));
    assert!(gather_matmul(&x, &w, named).is_some());
    assert!(gather_matmul(&ops::astype(&x, Dtype::F16).unwrap(), &w, named).is_none());
    assert!(gather_matmul(&noise(&[3, 1, 64]), &w, named).is_none());
    assert!(gather_matmul(&noise(&[2, 1, 128]), &w, named).is_none());
    assert!(gather_matmul(&x, &w, Indices { rhs: Some(&noise(&[3])), ..named }).is_none());
}

#[test]
fn gradients_are_the_fallbacks() {
    let rhs = Array::from_slice(&[1u32, 0, 1, 1, 0, 0], &[3, 2]).unwrap();
    let named = Indices { lhs: None, rhs: Some(&rhs), sorted: false };
    let (x, cotangent) = (noise(&[3, 1, 1, 128]), noise(&[3, 2, 1, 5]));
    let same = |ours: Array, theirs: Array| {
        let want: Vec<_> = floats(&theirs).iter().map(|&y| (y.into(), 1e-5 * f64::from(y.abs()).max(1.0))).collect();
        close("gradient", &ours, &want);
    };
    for q in formats() {
        let experts = Experts::new(&[2, 5, 128], q);
        let ours = kernel::vector_jacobian(|x| Ok(experts.ours(x, named)), &x, &cotangent).unwrap();
        same(ours, kernel::vector_jacobian(|x| Ok(experts.theirs(x, named)), &x, &cotangent).unwrap());
    }
    let w = noise(&[2, 128, 5]);
    let ours = kernel::vector_jacobian(|x| gather_matmul(x, &w, named).expect("a kernel"), &x, &cotangent).unwrap();
    let theirs = |x: &Array| ops::gather_mm(x, &w, None, named.rhs, false);
    same(ours, kernel::vector_jacobian(theirs, &x, &cotangent).unwrap());
}
