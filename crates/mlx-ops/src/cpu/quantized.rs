//! The quantized product as a kernel of the lazy graph.

use super::packed::{self, Packed};
use super::simd::Isa;
use crate::Quantization;
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, ops};
use std::ffi::CStr;

/// Whether there is a kernel for rows of `inner` elements and a packed matrix.
pub fn fits(inner: i32, w: &Array, scales: &Array, biases: Option<&Array>, q: Quantization) -> bool {
    let Some(biases) = biases else { return false };
    let known = q.mode == "affine" && matches!(q.bits, 2 | 4 | 8) && matches!(q.group_size, 32 | 64 | 128);
    let typed = w.dtype() == Dtype::U32 && [scales, biases].iter().all(|array| array.dtype() == Dtype::F32);
    let &[rows, words] = w.shape() else { return false };
    let shaped = words * 32 == inner * q.bits && scales.shape() == [rows, inner / q.group_size.max(1)];
    known && typed && shaped && biases.shape() == scales.shape()
}

/// `out = x @ matrix.T` for rows of `inner` elements and the inputs words, scales, biases.
pub fn product(
    isa: Isa,
    x: &[f32],
    inner: usize,
    matrix: &[Input<'_>],
    q: Quantization,
    out: &mut [f32],
) -> Result<()> {
    let [words, scales, biases] = matrix else { return Err(mlx_core::Error::new("[PackedMatmul] inputs are missing")) };
    let (words, scales, biases) = (words.values::<u32>()?, scales.values::<f32>()?, biases.values::<f32>()?);
    let (bits, group) = (q.bits as usize, q.group_size as usize);
    packed::product(isa, x, &Packed { words: &words, scales: &scales, biases: &biases, inner, bits, group }, out);
    Ok(())
}

/// `x @ w.T` where this module has a kernel for it: on the CPU, f32, mode `affine`, 2, 4 or 8 bits, one matrix.
pub fn matmul(x: &Array, w: &Array, scales: &Array, biases: Option<&Array>, q: Quantization) -> Option<Result<Array>> {
    let biases = biases?;
    let fits = q.mode == "affine" && matches!(q.bits, 2 | 4 | 8) && matches!(q.group_size, 32 | 64 | 128);
    let typed = w.dtype() == Dtype::U32 && [x, scales, biases].iter().all(|array| array.dtype() == Dtype::F32);
    let (&[rows, words], Some(&inner)) = (w.shape(), x.shape().last()) else { return None };
    let shaped = words * 32 == inner * q.bits && scales.shape() == [rows, inner / q.group_size.max(1)];
    // What does not fit is MLX's to compute or to reject.
    if !(fits && typed && shaped && biases.shape() == scales.shape() && super::is_current()) {
        return None;
    }
    Some(super::one(Matmul(q), &[x.clone(), w.clone(), scales.clone(), biases.clone()]))
}

/// Inputs `x`, packed words, scales, biases.
#[derive(PartialEq)]
struct Matmul(Quantization);

impl Kernel for Matmul {
    fn name(&self) -> &'static CStr {
        c"PackedMatmul"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let mut shape = inputs[0].shape().to_vec();
        if let (Some(last), Some(&rows)) = (shape.last_mut(), inputs[1].shape().first()) {
            *last = rows;
        }
        Ok(vec![(shape, Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let (x, words) = (inputs[0].values::<f32>()?, inputs[1].values::<u32>()?);
        let (scales, biases) = (inputs[2].values::<f32>()?, inputs[3].values::<f32>()?);
        let inner = inputs[0].shape().last().map_or(0, |&inner| inner as usize);
        let (bits, group) = (self.0.bits as usize, self.0.group_size as usize);
        let matrix = Packed { words: &words, scales: &scales, biases: &biases, inner, bits, group };
        packed::product(Isa::best(), &x, &matrix, outputs[0].values()?);
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let q = self.0;
        let [x, w, scales, biases] = [0, 1, 2, 3].map(|i| &inputs[i]);
        Ok(vec![ops::quantized_matmul(x, w, scales, Some(biases), true, Some(q.group_size), Some(q.bits), q.mode)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::one;
    use mlx_core::{eval, kernel, random};

    struct Case {
        x: Array,
        parts: Vec<Array>,
        q: Quantization,
    }

    fn case(batch: &[i32], rows: i32, inner: i32, bits: i32, group_size: i32) -> Case {
        let q = Quantization { group_size, bits, mode: "affine" };
        let shape = [batch, &[inner]].concat();
        let x = random::normal(&shape, Dtype::F32, None).unwrap();
        let w = random::normal(&[rows, inner], Dtype::F32, None).unwrap();
        let parts = ops::quantize(&w, Some(group_size), Some(bits), q.mode).unwrap();
        eval(&parts).unwrap();
        x.eval().unwrap();
        Case { x, parts, q }
    }

    fn all(x: &Array, parts: &[Array]) -> Vec<Array> {
        std::iter::once(x).chain(parts).cloned().collect()
    }

    #[track_caller]
    fn close(ours: &Array, theirs: &Array) {
        assert_eq!(ours.shape(), theirs.shape());
        let (ours, theirs) = (ours.to_vec::<f32>().unwrap(), theirs.to_vec::<f32>().unwrap());
        let scale = theirs.iter().fold(1f32, |most, y| most.max(y.abs()));
        for (i, (x, y)) in ours.iter().zip(&theirs).enumerate() {
            // What fixed-point numbers of 16 bits leave.
            assert!((x - y).abs() < 5e-5 * scale, "element {i}: {x} is not {y}");
        }
    }

    #[track_caller]
    fn check(batch: &[i32], rows: i32, inner: i32, bits: i32, group: i32) {
        let Case { x, parts, q } = case(batch, rows, inner, bits, group);
        let fallback = Matmul(q).fallback(&all(&x, &parts)).unwrap().remove(0);
        let ours = matmul(&x, &parts[0], &parts[1], Some(&parts[2]), q).unwrap().unwrap();
        close(&ours, &fallback);
        let (x, words) = (x.to_vec::<f32>().unwrap(), parts[0].to_vec::<u32>().unwrap());
        let (scales, biases) = (parts[1].to_vec::<f32>().unwrap(), parts[2].to_vec::<f32>().unwrap());
        let (inner, bits, group) = (inner as usize, bits as usize, group as usize);
        let matrix = Packed { words: &words, scales: &scales, biases: &biases, inner, bits, group };
        for isa in Isa::available() {
            let mut out = vec![f32::NAN; fallback.size()];
            packed::product(isa, &x, &matrix, &mut out);
            close(&Array::from_slice(&out, fallback.shape()).unwrap(), &fallback);
        }
    }

    #[test]
    fn agrees_with_mlx() {
        for bits in [2, 4, 8] {
            for group in [32, 64, 128] {
                check(&[1], 1, group, bits, group);
                check(&[1], 7, 3 * group, bits, group);
                check(&[2, 3], 13, 5 * group, bits, group);
                check(&[2, 1, 9], 30, 4 * group, bits, group);
            }
        }
    }

    #[test]
    fn agrees_where_work_is_split_and_panels_are_unpacked() {
        for bits in [2, 4, 8] {
            check(&[1], 2003, 576, bits, 64);
            check(&[37], 203, 544, bits, 32);
            check(&[65], 203, 544, bits, 32);
            check(&[3, 40], 515, 640, bits, 128);
        }
    }

    /// MLX 0.32.4's own op divides by zero here, and ends the process.
    #[test]
    fn no_rows_give_nothing() {
        for batch in [&[0][..], &[2, 0]] {
            let Case { x, parts, q } = case(batch, 5, 64, 4, 64);
            let product = matmul(&x, &parts[0], &parts[1], Some(&parts[2]), q).unwrap().unwrap();
            assert_eq!(product.shape(), [batch, &[5]].concat());
            assert_eq!(product.to_vec::<f32>().unwrap(), [] as [f32; 0]);
        }
    }

    #[test]
    fn what_does_not_fit_is_left_to_mlx() {
        let Case { x, parts, q } = case(&[2], 8, 128, 4, 64);
        let of = |x: &Array, q| matmul(x, &parts[0], &parts[1], Some(&parts[2]), q).is_some();
        assert!(of(&x, q));
        assert!(!of(&ops::astype(&x, Dtype::F16).unwrap(), q));
        assert!(!of(&ops::transpose(&x, &[1, 0]).unwrap(), q));
        assert!(!of(&x, Quantization { bits: 8, ..q }) && !of(&x, Quantization { mode: "mxfp4", ..q }));
        assert!(matmul(&x, &parts[0], &parts[1], None, q).is_none());
    }

    #[test]
    fn gradient_is_the_fallbacks() {
        let Case { x, parts, q } = case(&[3], 16, 128, 4, 32);
        let cotangent = random::normal(&[3, 16], Dtype::F32, None).unwrap();
        let ours = kernel::vector_jacobian(|x| one(Matmul(q), &all(x, &parts)), &x, &cotangent).unwrap();
        let theirs =
            kernel::vector_jacobian(|x| Ok(Matmul(q).fallback(&all(x, &parts))?.remove(0)), &x, &cotangent).unwrap();
        close(&ours, &theirs);
    }
}
