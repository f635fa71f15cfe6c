//! The packed product against f64 and against MLX's own, in every format.

use super::*;
use crate::cpu::one;
use mlx_core::{eval, kernel, random};

/// Every format that MLX packs.
fn formats() -> impl Iterator<Item = Quantization> {
    let affine = [2, 3, 4, 5, 6, 8].into_iter().flat_map(|bits| [32, 64, 128].map(|group| (bits, group, "affine")));
    let floats = [(4, 32, "mxfp4"), (8, 32, "mxfp8"), (4, 16, "nvfp4")];
    affine.chain(floats).map(|(bits, group_size, mode)| Quantization { group_size, bits, mode })
}

/// The product on one instruction set.
#[derive(PartialEq)]
struct On(Isa, Quantization, Precision);

impl Kernel for On {
    fn name(&self) -> &'static CStr {
        c"PackedMatmulOn"
    }
    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let (m, rows) = (inputs[0].shape()[0], inputs[1].shape()[0]);
        Ok(vec![(vec![m, rows], Dtype::F32)])
    }
    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let x = inputs[0].values::<f32>()?;
        outputs[0].values::<f32>()?.fill(f32::NAN);
        Matrix::new(&inputs[1..], self.1, self.2)?.product(self.0, &x, outputs[0].values()?);
        Ok(())
    }
    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        Matmul { q: self.1, precision: self.2 }.fallback(inputs)
    }
}

struct Case {
    x: Array,
    parts: Vec<Array>,
    q: Quantization,
}

fn noise(shape: &[i32]) -> Array {
    let x = random::normal(shape, Dtype::F32, None, None, None).unwrap();
    x.eval().unwrap();
    x
}

fn to(dtype: Dtype, x: &Array) -> Array {
    ops::astype(x, dtype).unwrap()
}

impl Case {
    fn new(batch: &[i32], rows: i32, inner: i32, q: Quantization) -> Self {
        let parts = ops::quantize(&noise(&[rows, inner]), Some(q.group_size), Some(q.bits), q.mode, None).unwrap();
        eval(&parts).unwrap();
        Case { x: noise(&[batch, &[inner]].concat()), parts, q }
    }

    /// The same with `x`, scales and biases of other types; the scales of floats stay as they are.
    fn typed(&self, x: Dtype, scales: Dtype, biases: Dtype) -> Self {
        let mut parts = self.parts.clone();
        if let [_, s, b] = &mut parts[..] {
            (*s, *b) = (to(scales, s), to(biases, b));
        }
        Case { x: to(x, &self.x), parts, q: self.q }
    }

    fn all(&self) -> Vec<Array> {
        std::iter::once(&self.x).chain(&self.parts).cloned().collect()
    }

    fn ours(&self) -> Array {
        let [w, scales, ..] = &self.parts[..] else { unreachable!() };
        matmul(&self.x, w, scales, self.parts.get(2), self.q).expect("a kernel").unwrap()
    }

    fn theirs(&self) -> Array {
        Matmul { q: self.q, precision: Precision::current() }.fallback(&self.all()).unwrap().remove(0)
    }

    /// How much further than an f32 fixed-point numbers of 16 bits may be off, where several rows may become such.
    fn slack(&self) -> f64 {
        if self.q.mode == "affine" && matches!(self.q.bits, 2 | 4 | 8) { 30.0 } else { 1.0 }
    }

    /// The product with the unpacked matrix in f64, and how far an f32 may be off.
    fn exact(&self) -> Vec<(f64, f64)> {
        let Quantization { group_size, bits, mode } = self.q;
        let wide: Vec<Array> = self.parts[1..]
            .iter()
            .map(|part| if is_float(part) { to(Dtype::F32, part) } else { part.clone() })
            .collect();
        let w = ops::dequantize(&self.parts[0], &wide[0], wide.get(1), Some(group_size), Some(bits), mode, None, None)
            .unwrap();
        let inner = w.shape()[1] as usize;
        let (w, x) = (to(Dtype::F32, &w).to_vec::<f32>().unwrap(), to(Dtype::F32, &self.x).to_vec::<f32>().unwrap());
        let most = w.iter().fold(0f32, |most, w| most.max(w.abs()));
        let off = 1e-6 * self.slack();
        let mut out = Vec::new();
        for x in x.chunks_exact(inner) {
            let size: f64 = x.iter().map(|x| f64::from(x.abs() * most)).sum();
            out.extend(
                w.chunks_exact(inner)
                    .map(|w| (w.iter().zip(x).map(|(&w, &x)| f64::from(w) * f64::from(x)).sum::<f64>(), off * size)),
            );
        }
        out
    }
}

#[track_caller]
fn close(what: &str, ours: &Array, exact: &[(f64, f64)]) {
    let unit = match ours.dtype() {
        Dtype::F32 => 0.0,
        Dtype::F16 => 1.0 / 2048.0,
        _ => 1.0 / 256.0,
    };
    let ours = to(Dtype::F32, ours).to_vec::<f32>().unwrap();
    assert_eq!(ours.len(), exact.len(), "{what}");
    for (i, (&x, (y, off))) in ours.iter().zip(exact).enumerate() {
        assert!((f64::from(x) - y).abs() <= off + unit * y.abs(), "{what}: element {i}: {x} is not {y}");
    }
}

#[track_caller]
fn check(batch: &[i32], rows: i32, inner: i32, q: Quantization) {
    let case = Case::new(batch, rows, inner, q);
    let what = format!("{batch:?} {rows} {inner} {q:?}");
    let m = case.x.size() as i32 / inner;
    for scales in [Dtype::F32, Dtype::F16, Dtype::Bf16] {
        let case = case.typed(Dtype::F32, scales, scales);
        let (ours, exact) = (case.ours(), case.exact());
        assert_eq!((ours.shape(), ours.dtype()), (&[batch, &[rows]].concat()[..], Dtype::F32), "{what}");
        close(&what, &ours, &exact);
        if m > 0 {
            close(&format!("MLX {what}"), &case.theirs(), &exact);
        }
        let mut inputs = case.all();
        inputs[0] = ops::reshape(&inputs[0], &[m, inner]).unwrap();
        for isa in Isa::available() {
            close(&format!("{isa:?} {what}"), &one(On(isa, q, Precision::Fast), &inputs).unwrap(), &exact);
            let full = one(On(isa, q, Precision::Full), &inputs).unwrap();
            let tight: Vec<_> = exact.iter().map(|&(y, off)| (y, off / case.slack())).collect();
            close(&format!("{isa:?} full {what}"), &full, &tight);
        }
    }
}

#[test]
fn agrees_on_small_shapes() {
    for q in formats() {
        let group = q.group_size.max(32);
        check(&[1], 1, group, q);
        check(&[1], 7, 3 * group, q);
        check(&[2, 3], 13, 5 * group, q);
        check(&[2, 1, 9], 30, 4 * group, q);
    }
}

#[test]
fn agrees_on_any_shape() {
    let mut state = 1u32;
    let mut below = |n: u32| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        ((state >> 16) % n) as i32
    };
    for q in formats() {
        for m in [0, 1, 2, 7, 50, 130] {
            check(&[m], 2 * below(40) + 1, (1 + below(9)) * q.group_size.max(32), q);
        }
    }
}

#[test]
fn agrees_where_work_is_split_and_panels_are_unpacked() {
    for q in formats() {
        check(&[1], 2003, 5 * q.group_size.max(128), q);
        check(&[37], 203, 512 + q.group_size.max(32), q);
        check(&[3, 40], 515, 640, q);
    }
}

#[test]
fn agrees_where_inputs_do_not_adjoin() {
    let turned = |x: &Array| ops::swapaxes(&ops::contiguous(&ops::swapaxes(x, 0, 1).unwrap()).unwrap(), 0, 1).unwrap();
    for q in formats() {
        let mut case = Case::new(&[3], 11, 256, q);
        let exact = case.exact();
        case.x = turned(&case.x);
        case.parts = case.parts.iter().map(turned).collect();
        close(q.mode, &case.ours(), &exact);
    }
}

/// MLX computes in the type of its result, so that its 16-bit products are no reference; its types are.
#[test]
fn mixed_types_give_what_mlx_gives() {
    let types = [Dtype::F32, Dtype::F16, Dtype::Bf16];
    for q in formats() {
        let case = Case::new(&[5], 9, 128, q);
        for x in types {
            for scales in types {
                for biases in types {
                    let case = case.typed(x, scales, biases);
                    let ours = case.ours();
                    assert_eq!(ours.dtype(), case.theirs().dtype(), "{q:?} {x} {scales} {biases}");
                    close(&format!("{q:?} {x} {scales} {biases}"), &ours, &case.exact());
                }
            }
        }
    }
}

/// MLX 0.32.4's own op divides by zero here, and ends the process.
#[test]
fn no_rows_give_nothing() {
    for q in formats() {
        for batch in [&[0][..], &[2, 0]] {
            for dtype in [Dtype::F32, Dtype::F16, Dtype::Bf16] {
                let product = Case::new(batch, 5, 128, q).typed(dtype, dtype, dtype).ours();
                assert_eq!(product.shape(), [batch, &[5]].concat());
                assert_eq!(to(Dtype::F32, &product).to_vec::<f32>().unwrap(), [] as [f32; 0]);
            }
        }
    }
}

/// Views of a few numbers as 130 GB each, which nobody may copy together.
#[test]
fn no_rows_leave_a_huge_matrix_alone() {
    let huge = |x: &Array| ops::broadcast_to(x, &[1 << 28, x.shape()[1]]).unwrap();
    for q in formats().filter(|q| q.bits == 4) {
        let mut case = Case::new(&[0], 1, 1024, q);
        case.parts = case.parts.iter().map(huge).collect();
        assert_eq!(case.ours().shape(), [0, 1 << 28]);
        assert_eq!(case.ours().to_vec::<f32>().unwrap(), [] as [f32; 0]);
    }
}

/// Every code, one at a time, with every scale that keeps it finite and, in the bf16 of MLX's answer, exact.
#[test]
fn floats_mean_what_mlx_says() {
    let numbers = |code: &u8| code & 0x7f != 0x7f;
    let codes: Vec<u8> = (0..=255).filter(numbers).chain([0, 0]).collect();
    let nibbles = [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe].repeat(16);
    check_floats("mxfp4", &nibbles, (0..=252).collect());
    check_floats("mxfp8", &codes, (20..=245).collect());
    check_floats("nvfp4", &nibbles, codes);
}

#[track_caller]
fn check_floats(mode: &'static str, codes: &[u8], scales: Vec<u8>) {
    let q = formats().find(|q| q.mode == mode).unwrap();
    let (rows, groups) = (scales.len() as i32, 256 / q.group_size);
    let row: Vec<u32> = codes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
    let w = Array::from_slice(&row.repeat(scales.len()), &[rows, row.len() as i32]).unwrap();
    let scales: Vec<u8> = scales.iter().flat_map(|&scale| vec![scale; groups as usize]).collect();
    let scales = Array::from_slice(&scales, &[rows, groups]).unwrap();
    let want = ops::dequantize(&w, &scales, None, Some(q.group_size), Some(q.bits), mode, None, None).unwrap();
    let want = to(Dtype::F32, &ops::transpose(&want, &[1, 0]).unwrap()).to_vec::<f32>().unwrap();
    for isa in Isa::available() {
        // All rows of one at once, and few.
        for m in [256, 16] {
            let x = ops::eye(m, 256, 0, Dtype::F32).unwrap();
            let ours =
                one(On(isa, q, Precision::Fast), &[x, w.clone(), scales.clone()]).unwrap().to_vec::<f32>().unwrap();
            for (i, (x, y)) in ours.iter().zip(&want).enumerate() {
                assert!(x == y, "{isa:?} {mode}: element {i}: {x} is not {y}");
            }
        }
    }
}

#[test]
fn no_number_stays_none() {
    for (mode, word, scale) in [("mxfp8", 0x7f00, 127u8), ("mxfp8", 0xff, 127), ("nvfp4", 1, 0x7f), ("nvfp4", 1, 0xff)]
    {
        let q = formats().find(|q| q.mode == mode).unwrap();
        let words = [&[word], &[0u32; 31][..128 * q.bits as usize / 32 - 1]].concat();
        let w = Array::from_slice(&words, &[1, words.len() as i32]).unwrap();
        let scales = vec![scale; 128 / q.group_size as usize];
        let scales = Array::from_slice(&scales, &[1, scales.len() as i32]).unwrap();
        for isa in Isa::available() {
            for m in [1, 60] {
                let x = ops::ones(&[m, 128], Dtype::F32).unwrap();
                let ours =
                    one(On(isa, q, Precision::Fast), &[x, w.clone(), scales.clone()]).unwrap().to_vec::<f32>().unwrap();
                assert!(ours.iter().all(|y| y.is_nan()), "{isa:?} {mode}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_left_to_mlx() {
    let q = Quantization { group_size: 64, bits: 4, mode: "affine" };
    let Case { x, parts, q } = Case::new(&[2], 8, 128, q);
    let of = |x: &Array, q| matmul(x, &parts[0], &parts[1], Some(&parts[2]), q).is_some();
    assert!(of(&x, q) && of(&to(Dtype::F16, &x), q));
    assert!(!of(&to(Dtype::I32, &x), q));
    assert!(!of(&ops::transpose(&x, &[1, 0]).unwrap(), q));
    assert!(!of(&x, Quantization { bits: 8, ..q }) && !of(&x, Quantization { mode: "mxfp4", ..q }));
    assert!(!of(&x, Quantization { group_size: 32, ..q }) && !of(&x, Quantization { bits: 7, ..q }));
    assert!(matmul(&x, &parts[0], &parts[1], None, q).is_none());
    let Case { x, parts, q } = Case::new(&[2], 8, 128, Quantization { group_size: 32, bits: 4, mode: "mxfp4" });
    assert!(matmul(&x, &parts[0], &parts[1], None, q).is_some());
    assert!(matmul(&x, &parts[0], &parts[1], Some(&parts[1]), q).is_none());
    assert!(matmul(&x, &parts[0], &to(Dtype::F16, &parts[1]), None, q).is_none());
    assert!(matmul(&x, &parts[0], &parts[1], None, Quantization { mode: "nvfp4", ..q }).is_none());
}

#[test]
fn gradient_is_the_fallbacks() {
    for q in formats() {
        let case = Case::new(&[3], 16, 128, q);
        let with = |x: &Array| Case { x: x.clone(), parts: case.parts.clone(), q };
        let cotangent = noise(&[3, 16]);
        let ours = kernel::vector_jacobian(|x| Ok(with(x).ours()), &case.x, &cotangent).unwrap();
        let theirs = kernel::vector_jacobian(|x| Ok(with(x).theirs()), &case.x, &cotangent).unwrap();
        let theirs: Vec<_> =
            theirs.to_vec::<f32>().unwrap().iter().map(|&y| (y.into(), 1e-5 * f64::from(y.abs()).max(1.0))).collect();
        close(q.mode, &ours, &theirs);
    }
}
