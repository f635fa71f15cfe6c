//! The kernels of whole layers against the same layers composed of single ops.

use crate::fast::{Frequencies, Mask, Rotation};
use crate::{
    Activation, Dtype, Matrix, PackedAttention, Projection, Quantization, Segment, SelfAttention, Sums, Tensor, arange,
    random,
};
use mlx_core::Result;
use mlx_core::kernel::vector_jacobian;

fn noise(shape: &[i32]) -> Tensor {
    let x = random::normal(shape, Dtype::F32, None).unwrap();
    x.eval().unwrap();
    x
}

#[track_caller]
fn close(ours: &Tensor, theirs: &Tensor) {
    assert_eq!(ours.shape(), theirs.shape());
    let (ours, theirs) = (ours.to_vec::<f32>().unwrap(), theirs.to_vec::<f32>().unwrap());
    let scale = theirs.iter().fold(1f32, |most, y| most.max(y.abs()));
    for (i, (x, y)) in ours.iter().zip(&theirs).enumerate() {
        assert!((x - y).abs() < 2e-5 * scale, "element {i}: {x} is not {y}");
    }
}

fn packed(rows: i32, inner: i32) -> Matrix {
    let q = Quantization { group_size: 32, bits: 4, mode: "affine" };
    let (weight, scales, biases) = noise(&[rows, inner]).quantize(q).unwrap();
    Matrix::Packed { weight, scales, biases, q }
}

fn kernel(p: &Projection<'_>, x: &Tensor) -> Result<Tensor> {
    super::projection(p, x).expect("a kernel").map(Tensor)
}

#[track_caller]
fn check_projection(matrix: &Matrix, x: &Tensor, inner: i32, rows: i32) {
    let (bias, norm) = (noise(&[rows]), noise(&[inner]));
    let gates = [Activation::Silu, Activation::GeluTanh].map(|gate| (Some(gate), None));
    let functions = [Activation::Gelu, Activation::Relu].map(|activation| (None, Some(activation)));
    for (gate, activation) in gates.into_iter().chain(functions).chain([(None, None)]) {
        let width = if gate.is_some() { rows / 2 } else { rows };
        let after = noise(&[width]);
        let residual = noise(&[&x.shape()[..x.ndim() - 1], &[width]].concat());
        for on in 0..16 {
            let p = Projection {
                bias: (on & 1 > 0).then_some(&bias),
                norm: (on & 2 > 0).then_some((&norm, 1e-5)),
                gate,
                activation,
                after: (on & 4 > 0).then_some((&after, 1e-6)),
                residual: (on & 8 > 0).then_some(&residual),
                matrix,
            };
            close(&kernel(&p, x).unwrap(), &p.composed(x).unwrap());
        }
    }
}

#[test]
fn projections_agree() {
    for shape in [&[1, 1, 64][..], &[64], &[2, 3, 64], &[70, 64], &[0, 64]] {
        check_projection(&packed(22, 64), &noise(shape), 64, 22);
        check_projection(&Matrix::dense(noise(&[22, 64])).unwrap(), &noise(shape), 64, 22);
    }
    for dtype in [Dtype::F16, Dtype::Bf16] {
        let narrow = Matrix::dense(noise(&[22, 64]).astype(dtype).unwrap()).unwrap();
        check_projection(&narrow, &noise(&[3, 64]), 64, 22);
    }
    for dtype in [Dtype::F32, Dtype::F16, Dtype::Bf16] {
        let dense = || Matrix::dense(noise(&[22, 64]).astype(dtype).unwrap()).unwrap();
        for shape in [&[1, 64][..], &[70, 64], &[0, 64]] {
            check_projection(&dense().paneled(Sums::Exact).unwrap(), &noise(shape), 64, 22);
        }
    }
    // Wide enough for all threads, and a view of every other row.
    let x = noise(&[300, 2, 96]).i((.., 1)).unwrap();
    check_projection(&packed(514, 96), &x, 96, 514);
    let thin = Matrix::dense(noise(&[10, 7])).unwrap();
    check_projection(&thin, &noise(&[3, 7]), 7, 10);
}

#[test]
fn products_of_bf16_are_those_of_rounded_numbers() {
    let round = |x: Tensor| x.astype(Dtype::Bf16).unwrap().astype(Dtype::F32).unwrap();
    for shape in [[1, 64], [70, 64]] {
        let (x, w) = (round(noise(&shape)), round(noise(&[22, 64])));
        let want = x.matmul(&w.t().unwrap()).unwrap();
        let matrix = Matrix::dense(w).unwrap().paneled(Sums::Bf16).unwrap();
        close(&matrix.product(&x).unwrap(), &want);
        close(&kernel(&Projection::new(&matrix), &x).unwrap(), &want);
    }
}

#[test]
fn what_no_kernel_fits_is_composed() {
    let matrix = Matrix::dense(noise(&[6, 8])).unwrap();
    let p = Projection::new(&matrix);
    let half = noise(&[2, 8]).astype(Dtype::F16).unwrap();
    assert!(super::projection(&p, &half).is_none() && super::projection(&p, &noise(&[2, 7])).is_none());
    assert_eq!(p.forward(&half).unwrap().shape(), [2, 6]);
    assert!(p.forward(&noise(&[2, 7])).is_err());
    let short = noise(&[5]);
    let wrong = Projection { bias: Some(&short), ..p };
    assert!(wrong.forward(&noise(&[2, 8])).is_err());
}

#[test]
fn joined_matrices_multiply_as_their_parts() {
    let x = noise(&[3, 64]);
    for parts in [vec![packed(8, 64), packed(5, 64)], [8, 5].map(|n| Matrix::dense(noise(&[n, 64])).unwrap()).into()] {
        let joined = Matrix::joined(&parts).unwrap().expect("one kind");
        let apart = [parts[0].product(&x).unwrap(), parts[1].product(&x).unwrap()];
        close(&joined.product(&x).unwrap(), &crate::concatenate(&apart, -1).unwrap());
    }
    let dense = Matrix::dense(noise(&[8, 64])).unwrap();
    assert!(Matrix::joined(&[packed(8, 64), dense]).unwrap().is_none());
}

#[test]
fn gradients_of_projections_are_the_compositions() {
    let (matrix, norm, x) = (packed(16, 64), noise(&[64]), noise(&[3, 64]));
    let residual = noise(&[3, 8]);
    let p = Projection {
        norm: Some((&norm, 1e-5)),
        gate: Some(Activation::Silu),
        residual: Some(&residual),
        ..Projection::new(&matrix)
    };
    let ours = vector_jacobian(|x| Ok(kernel(&p, &Tensor(x.clone()))?.0), &x.0, &residual.0).unwrap();
    let theirs = vector_jacobian(|x| Ok(p.composed(&Tensor(x.clone()))?.0), &x.0, &residual.0).unwrap();
    close(&Tensor(ours), &Tensor(theirs));
}

struct Case {
    b: i32,
    l: i32,
    heads: i32,
    kv: i32,
    d: i32,
    capacity: i32,
}

impl Case {
    fn tensors(&self) -> [Tensor; 3] {
        let Self { b, l, heads, kv, d, capacity } = *self;
        [noise(&[b, l, (heads + 2 * kv) * d]), noise(&[b, kv, capacity, d]), noise(&[b, kv, capacity, d])]
    }
}

#[track_caller]
fn check_attention(case: &Case, a: &SelfAttention<'_>) {
    let [qkv, keys, values] = case.tensors();
    let results = super::self_attention(a, &qkv, &keys, &values).expect("a kernel").unwrap();
    let (out, new_keys, new_values) = a.composed(&qkv, keys.clone(), values.clone()).unwrap();
    for (ours, theirs) in results.into_iter().zip([out, new_keys, new_values]) {
        close(&Tensor(ours), &theirs);
    }
}

#[test]
fn self_attention_agrees() {
    let (norms, table) = ([noise(&[16]), noise(&[16])], arange(1.0, 9.0, 1.0, Dtype::F32).unwrap());
    let rotation =
        |dims, traditional, frequencies| Rotation { dims, traditional, frequencies, scale: 0.5, amplitude: 1.25 };
    let rotations = [
        None,
        Some(rotation(16, false, Frequencies::Base(1e4))),
        Some(rotation(8, true, Frequencies::Base(1e4))),
        Some(rotation(16, false, Frequencies::Table(&table))),
    ];
    for (l, mask, at, first) in
        [(1, Mask::None, 40, 0), (1, Mask::None, 40, 7), (5, Mask::Causal, 0, 0), (70, Mask::Causal, 9, 2)]
    {
        for rotation in rotations {
            for norms in [None, Some((&norms[0], &norms[1], 1e-5))] {
                let a = SelfAttention {
                    heads: 6,
                    kv_heads: 2,
                    norms,
                    rotation,
                    offset: at + 3,
                    at,
                    first,
                    window: None,
                    mask,
                    scale: 0.25,
                    softcap: None,
                    sinks: None,
                };
                check_attention(&Case { b: 2, l, heads: 6, kv: 2, d: 16, capacity: 96 }, &a);
            }
        }
    }
}

#[test]
fn a_cache_step_is_within_its_buffers() {
    let a = SelfAttention {
        heads: 2,
        kv_heads: 1,
        norms: None,
        rotation: None,
        offset: 0,
        at: 8,
        first: 0,
        window: None,
        mask: Mask::None,
        scale: 1.0,
        softcap: None,
        sinks: None,
    };
    let case = Case { b: 1, l: 1, heads: 2, kv: 1, d: 4, capacity: 8 };
    let [qkv, keys, values] = case.tensors();
    assert!(super::self_attention(&a, &qkv, &keys, &values).is_none());
    assert!(a.forward(&qkv, keys, values).is_err());
}

#[test]
fn attention_over_packed_sequences_agrees() {
    let segments = [(2, 5), (1, 40), (3, 1)].map(|(count, length)| Segment { count, length });
    let rows = 53;
    let (q, k) = (noise(&[8]), noise(&[8]));
    let rotation =
        Rotation { dims: 8, traditional: false, frequencies: Frequencies::Base(100.0), scale: 1.0, amplitude: 1.0 };
    for (heads, kv_heads) in [(4, 4), (4, 2), (3, 1)] {
        let qkv = noise(&[rows, (heads + 2 * kv_heads) * 8]);
        for on in 0..16 {
            let a = PackedAttention {
                heads,
                kv_heads,
                norms: (on & 1 > 0).then_some((&q, &k, 1e-5)),
                rotation: (on & 2 > 0).then_some(rotation),
                causal: on & 4 > 0,
                window: (on & 8 > 0).then_some(4),
                scores: None,
                scale: 0.3,
                softcap: (on == 5).then_some(2.0),
            };
            let ours = super::packed_attention(&a, &qkv, &segments).expect("a kernel").map(Tensor).unwrap();
            close(&ours, &a.composed(&qkv, &segments).unwrap());
        }
    }
    let a = PackedAttention {
        heads: 2,
        kv_heads: 2,
        norms: None,
        rotation: None,
        causal: false,
        window: None,
        scores: None,
        scale: 1.0,
        softcap: None,
    };
    let error = a.forward(&noise(&[52, 48]), &segments).unwrap_err().to_string();
    assert!(error.contains("are not the rows of [52, 48]"), "{error}");
}
