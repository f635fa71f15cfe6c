//! The quantized product as a kernel of the lazy graph.

use super::experts::{Indices, gather_quantized_matmul};
use super::packed::{self, Packed, Scales};
use super::short;
use super::simd::Isa;
use crate::{Precision, Quantization};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, bf16, f16, ops};
use std::borrow::Cow;
use std::ffi::CStr;

/// `x @ w.T` where there is a kernel for it: on the CPU, floats of 16 or 32 bits, matrices in any of MLX's formats.
pub fn matmul(x: &Array, w: &Array, scales: &Array, biases: Option<&Array>, q: Quantization) -> Option<Result<Array>> {
    if w.ndim() > 2 && x.ndim() > 2 {
        // Each entry of the batch meets its own matrix.
        return gather_quantized_matmul(x, w, scales, biases, q, Indices { lhs: None, rhs: None, sorted: false });
    }
    // What does not fit is MLX's to compute or to reject.
    if !(is_float(x) && fits(*x.shape().last()?, w, scales, biases, q)) {
        return None;
    }
    Some(super::one(Matmul { q, precision: Precision::current() }, &inputs(&[x, w, scales], biases)))
}

/// The inputs of a kernel: the first ones, and biases where there are any.
pub fn inputs(first: &[&Array], biases: Option<&Array>) -> Vec<Array> {
    first.iter().copied().chain(biases).cloned().collect()
}

/// Whether an array holds floats that kernels widen.
pub fn is_float(x: &Array) -> bool {
    matches!(x.dtype(), Dtype::F32 | Dtype::F16 | Dtype::Bf16)
}

/// Whether [`Matrix`] reads these parts of one matrix, and ops that are built now run on the CPU; `x` is `(.., inner)`.
pub fn fits(inner: i32, w: &Array, scales: &Array, biases: Option<&Array>, q: Quantization) -> bool {
    w.ndim() == 2 && fits_stacked(inner, w, scales, biases, q)
}

/// As [`fits`], for matrices stacked along any leading axes.
pub fn fits_stacked(inner: i32, w: &Array, scales: &Array, biases: Option<&Array>, q: Quantization) -> bool {
    let Quantization { group_size, bits, mode } = q;
    let known = match mode {
        "affine" => matches!(bits, 2..=6 | 8) && matches!(group_size, 32 | 64 | 128),
        "mxfp4" => (bits, group_size) == (4, 32),
        "nvfp4" => (bits, group_size) == (4, 16),
        "mxfp8" => (bits, group_size) == (8, 32),
        _ => false,
    };
    let typed = match biases {
        Some(biases) => mode == "affine" && is_float(scales) && is_float(biases) && biases.shape() == scales.shape(),
        None => mode != "affine" && scales.dtype() == Dtype::U8,
    };
    let (Some((&words, rows)), Some((&groups, scale_rows))) = (w.shape().split_last(), scales.shape().split_last())
    else {
        return false;
    };
    let shaped = rows == scale_rows && i64::from(words) * 32 == i64::from(inner) * i64::from(bits);
    known && typed && shaped && !rows.is_empty() && groups * group_size == inner && is_words(w) && super::is_current()
}

fn is_words(w: &Array) -> bool {
    w.dtype() == Dtype::U32
}

/// The dtype that MLX gives a product: that of `x`, promoted with scales and biases where they are floats.
pub fn result_type(x: &Array, scales: &Array, biases: Option<&Array>) -> Dtype {
    match biases {
        Some(biases) if x.dtype() != scales.dtype() || x.dtype() != biases.dtype() => Dtype::F32,
        _ => x.dtype(),
    }
}

/// A packed matrix, or several below each other, as a kernel's inputs hold it; [`fits`] says which it may be.
pub struct Matrix<'a> {
    words: Cow<'a, [u32]>,
    scales: Values<'a>,
    biases: Option<Values<'a>>,
    inner: usize,
    q: Quantization,
    precision: Precision,
}

/// [`Scales`] that may have been copied together.
enum Values<'a> {
    F32(Cow<'a, [f32]>),
    F16(Cow<'a, [f16]>),
    Bf16(Cow<'a, [bf16]>),
    E8m0(Cow<'a, [u8]>),
    E4m3(Cow<'a, [u8]>),
}

impl<'a> Values<'a> {
    fn new(input: &'a Input<'_>, q: Quantization) -> Result<Self> {
        Ok(match (input.dtype(), q.mode) {
            (Dtype::U8, "nvfp4") => Self::E4m3(input.values()?),
            (Dtype::U8, _) => Self::E8m0(input.values()?),
            (Dtype::F16, _) => Self::F16(input.values()?),
            (Dtype::Bf16, _) => Self::Bf16(input.values()?),
            _ => Self::F32(input.values()?),
        })
    }

    fn scales(&self) -> Scales<'_> {
        match self {
            Self::F32(all) => Scales::F32(all),
            Self::F16(all) => Scales::F16(all),
            Self::Bf16(all) => Scales::Bf16(all),
            Self::E8m0(all) => Scales::E8m0(all),
            Self::E4m3(all) => Scales::E4m3(all),
        }
    }
}

impl<'a> Matrix<'a> {
    /// From the inputs words, scales and, in mode `affine`, biases; what follows them is not looked at.
    pub fn new(inputs: &'a [Input<'_>], q: Quantization, precision: Precision) -> Result<Self> {
        let words = inputs[0].values::<u32>()?;
        let inner = inputs[0].shape().last().map_or(0, |&words| words as usize * 32 / q.bits as usize);
        let biases = (q.mode == "affine").then(|| Values::new(&inputs[2], q)).transpose()?;
        Ok(Self { words, scales: Values::new(&inputs[1], q)?, biases, inner, q, precision })
    }

    /// What the product reads.
    pub fn packed(&self) -> Packed<'_> {
        let (scales, biases) = (self.scales.scales(), self.biases.as_ref().map(Values::scales));
        let (bits, group) = (self.q.bits as usize, self.q.group_size as usize);
        Packed { words: &self.words, scales, biases, inner: self.inner, bits, group, precision: self.precision }
    }

    /// The one with this number, of matrices of `rows` rows.
    pub fn nth(&self, number: usize, rows: usize) -> Packed<'_> {
        self.packed().part(number * rows..(number + 1) * rows)
    }

    /// `out = x @ self.T` for `x` of shape `(m, inner)` and `out` of shape `(m, rows)`.
    pub fn product(&self, isa: Isa, x: &[f32], out: &mut [f32]) {
        packed::product(isa, x, &self.packed(), out);
    }
}

/// Inputs `x`, packed words, scales and, in mode `affine`, biases.
#[derive(PartialEq)]
struct Matmul {
    q: Quantization,
    precision: Precision,
}

impl Kernel for Matmul {
    fn name(&self) -> &'static CStr {
        c"PackedMatmul"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let mut shape = inputs[0].shape().to_vec();
        if let (Some(last), Some(&rows)) = (shape.last_mut(), inputs[1].shape().first()) {
            *last = rows;
        }
        Ok(vec![(shape, result_type(&inputs[0], &inputs[2], inputs.get(3)))])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        // Without rows, a matrix that is a view of less memory need not be copied together.
        if outputs[0].shape().contains(&0) {
            return Ok(());
        }
        let (x, matrix) = (short::read(&inputs[0])?, Matrix::new(&inputs[1..], self.q, self.precision)?);
        short::write(&mut outputs[0], |out| {
            matrix.product(Isa::best(), &x, out);
            Ok(())
        })
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let q = self.q;
        let [x, w, scales] = [0, 1, 2].map(|i| &inputs[i]);
        Ok(vec![ops::quantized_matmul(x, w, scales, inputs.get(3), true, Some(q.group_size), Some(q.bits), q.mode)?])
    }
}

#[cfg(test)]
mod tests;
