//! A linear layer with norm, gate and residual as one kernel: a layer of a small model is otherwise more waiting than work.

use super::dense;
use super::gate::{Activated, Gated};
use super::norm::Row;
use super::paneled;
use super::pool::{self, Shared};
use super::quantized;
use super::scratch;
use super::simd::{self, Isa, Lanes};
use crate::projection::{Matrix, Projection};
use crate::{Activation, Precision, Quantization, Tensor};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Error, Result};
use std::ffi::CStr;

/// Elements below which a second thread costs more than it saves.
const PARALLEL: usize = 64 * 1024;

/// The layer where this module has a kernel for it: f32 on the CPU.
pub fn projection(p: &Projection<'_>, x: &Tensor) -> Option<Result<Array>> {
    let &inner = x.shape().last()?;
    let outputs = p.matrix.outputs();
    let halves = p.gate.is_none() || outputs % 2 == 0;
    let width = if p.gate.is_some() { outputs / 2 } else { outputs };
    let typed = |tensor: &Tensor, width: i32| tensor.dtype() == Dtype::F32 && tensor.shape() == [width];
    let vectors = p.bias.is_none_or(|bias| typed(bias, outputs))
        && p.norm.is_none_or(|(weight, _)| typed(weight, inner))
        && p.after.is_none_or(|(weight, _)| typed(weight, width));
    let (_, leading) = x.shape().split_last()?;
    let residual = p.residual.is_none_or(|r| {
        r.dtype() == Dtype::F32 && r.shape().split_last().is_some_and(|(last, rest)| rest == leading && *last == width)
    });
    let matrix = match p.matrix {
        Matrix::Dense { weight, .. } => {
            let known = matches!(weight.dtype(), Dtype::F32 | Dtype::F16 | Dtype::Bf16);
            known && weight.ndim() == 2 && weight.shape()[1] == inner
        }
        Matrix::Packed { weight, scales, biases, q } => {
            quantized::fits(inner, &weight.0, &scales.0, biases.as_ref().map(|biases| &biases.0), *q)
        }
        Matrix::Paneled { panels, .. } => panels.shape()[1] * if panels.ndim() == 4 { 2 } else { 1 } == inner,
    };
    let fits = x.dtype() == Dtype::F32 && inner > 0 && width > 0 && halves && vectors && residual && matrix;
    (fits && super::is_current()).then(|| {
        let kernel = Layer::of(p);
        let norms = [p.norm, p.after].map(|norm| norm.map(|(weight, _)| weight));
        let rest = [p.bias, norms[0], norms[1], p.residual].into_iter().flatten();
        let inputs: Vec<Array> = std::iter::once(x).chain(p.matrix.parts()).chain(rest).map(|t| t.0.clone()).collect();
        super::one(kernel, &inputs)
    })
}

/// What the layer has; its tensors are the inputs, in the order of [`Parts`].
#[derive(PartialEq)]
struct Layer {
    matrix: Held,
    precision: Precision,
    bias: bool,
    norm: Option<f32>,
    after: Option<f32>,
    gate: Option<Activation>,
    activation: Option<Activation>,
    residual: bool,
}

/// How the matrix is held.
#[derive(Clone, Copy, PartialEq)]
enum Held {
    Dense,
    /// With biases or without.
    Packed(Quantization, bool),
    /// With so many rows.
    Paneled(i32),
}

/// Tensors of a layer by their role.
struct Parts<'a, T> {
    x: &'a T,
    matrix: &'a [T],
    bias: Option<&'a T>,
    norm: Option<&'a T>,
    after: Option<&'a T>,
    residual: Option<&'a T>,
}

impl Layer {
    fn of(p: &Projection<'_>) -> Self {
        let matrix = match p.matrix {
            Matrix::Dense { .. } => Held::Dense,
            Matrix::Packed { biases, q, .. } => Held::Packed(*q, biases.is_some()),
            Matrix::Paneled { outputs, .. } => Held::Paneled(*outputs),
        };
        let eps = |norm: Option<(&Tensor, f32)>| norm.map(|(_, eps)| eps);
        let (norm, after) = (eps(p.norm), eps(p.after));
        let precision = Precision::current();
        Self {
            matrix,
            precision,
            bias: p.bias.is_some(),
            norm,
            after,
            gate: p.gate,
            activation: p.activation.filter(|_| p.gate.is_none()),
            residual: p.residual.is_some(),
        }
    }

    fn parts<'a, T>(&self, inputs: &'a [T]) -> Result<Parts<'a, T>> {
        let count = match self.matrix {
            Held::Dense | Held::Paneled(_) => 1,
            Held::Packed(_, biases) => {
                if biases {
                    3
                } else {
                    2
                }
            }
        };
        let (Some((x, rest)), true) = (inputs.split_first(), inputs.len() > count) else {
            return Err(Error::new("[Projection] inputs are missing"));
        };
        let (matrix, rest) = rest.split_at(count);
        let mut rest = rest.iter();
        let mut next = |there: bool| if there { rest.next() } else { None };
        let (bias, norm) = (next(self.bias), next(self.norm.is_some()));
        let (after, residual) = (next(self.after.is_some()), next(self.residual));
        Ok(Parts { x, matrix, bias, norm, after, residual })
    }
}

impl Kernel for Layer {
    fn name(&self) -> &'static CStr {
        c"Projection"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let parts = self.parts(inputs)?;
        let rows = self.rows(parts.matrix[0].shape());
        let mut shape = parts.x.shape().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = if self.gate.is_some() { rows / 2 } else { rows };
        }
        Ok(vec![(shape, Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let isa = Isa::best();
        let parts = self.parts(inputs)?;
        let out = outputs[0].values::<f32>()?;
        let x = parts.x.values::<f32>()?;
        let (inner, rows) = (last(parts.x), self.rows(parts.matrix[0].shape()) as usize);
        let m = x.len() / inner;
        if m == 0 {
            return Ok(());
        }
        let bias = parts.bias.map(|bias| bias.values::<f32>()).transpose()?;
        let after = parts.after.map(|after| after.values::<f32>()).transpose()?;
        let Self { gate, activation, .. } = *self;
        let tail = Tail { isa, bias: bias.as_deref(), after: after.as_deref().zip(self.after), gate, activation };
        let residual = parts.residual.map(|residual| residual.values::<f32>()).transpose()?;
        let mut product = |x: &[f32]| match self.gate {
            None => {
                self.product(isa, x, &parts, out)?;
                tail.finish(None, rows, residual.as_deref(), out);
                Ok(())
            }
            Some(_) => scratch::with(m * rows, |whole| {
                self.product(isa, x, &parts, whole)?;
                tail.finish(Some(whole), rows, residual.as_deref(), out);
                Ok(())
            }),
        };
        match parts.norm.zip(self.norm) {
            None => product(&x),
            Some((weight, eps)) => {
                let weight = weight.values::<f32>()?;
                scratch::with(x.len(), |normal| {
                    normalise(isa, &x, &weight, eps, normal);
                    product(normal)
                })
            }
        }
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let inputs: Vec<Tensor> = inputs.iter().map(|array| Tensor(array.clone())).collect();
        let parts = self.parts(&inputs)?;
        let matrix = match (self.matrix, parts.matrix) {
            (Held::Dense, [weight, ..]) => Matrix::dense(weight.clone())?,
            (Held::Paneled(outputs), [panels, ..]) => Matrix::Paneled { panels: panels.clone(), outputs },
            (Held::Packed(q, _), [weight, scales, biases @ ..]) => {
                Matrix::Packed { weight: weight.clone(), scales: scales.clone(), biases: biases.first().cloned(), q }
            }
            _ => return Err(Error::new("[Projection] inputs are missing")),
        };
        let Parts { bias, residual, .. } = parts;
        let (norm, after) = (parts.norm.zip(self.norm), parts.after.zip(self.after));
        let Self { gate, activation, .. } = *self;
        let p = Projection { matrix: &matrix, bias, norm, gate, activation, after, residual };
        Ok(vec![p.composed(parts.x)?.0])
    }
}

impl Layer {
    fn product(&self, isa: Isa, x: &[f32], parts: &Parts<'_, Input<'_>>, out: &mut [f32]) -> Result<()> {
        match self.matrix {
            Held::Packed(q, _) => {
                quantized::Matrix::new(parts.matrix, q, self.precision)?.product(isa, x, out);
                Ok(())
            }
            Held::Dense => dense::product_with(isa, x, last(parts.x), &parts.matrix[0], out),
            Held::Paneled(_) => paneled::product_with(isa, x, last(parts.x), &parts.matrix[0], out),
        }
    }

    /// Rows of the matrix, whose first tensor has this shape.
    fn rows(&self, shape: &[i32]) -> i32 {
        match self.matrix {
            Held::Paneled(rows) => rows,
            _ => shape.first().copied().unwrap_or(0),
        }
    }
}

fn last(input: &Input<'_>) -> usize {
    input.shape().last().map_or(0, |&dim| dim as usize)
}

/// Calls `f` with ranges of rows of `width` elements and the part of `out` that they are.
fn by_rows(out: &mut [f32], width: usize, f: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync) {
    let parallel = out.len() >= PARALLEL;
    let rows = out.len() / width;
    // SAFETY: parts of the range of rows write disjoint rows.
    let to = unsafe { Shared::new(out.as_mut_ptr()) };
    pool::split(rows, 1, parallel, |range| {
        // SAFETY: the rows lie in the output, and no other thread writes them.
        let out = unsafe { std::slice::from_raw_parts_mut(to.get().add(range.start * width), range.len() * width) };
        f(range, out);
    });
}

fn normalise(isa: Isa, x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let width = weight.len();
    by_rows(out, width, |range, out| {
        let rows = x[range.start * width..range.end * width].chunks_exact(width).zip(out.chunks_exact_mut(width));
        for (x, out) in rows {
            // SAFETY: the instruction set is available; the slices have one length.
            unsafe { simd::run(isa, Row::rms(x, weight, eps, out)) };
        }
    });
}

/// What follows the product.
struct Tail<'a> {
    isa: Isa,
    bias: Option<&'a [f32]>,
    gate: Option<Activation>,
    activation: Option<Activation>,
    after: Option<(&'a [f32], f32)>,
}

impl Tail<'_> {
    /// Finishes the rows of `whole`, of `rows` elements each, into `out`; without a gate they are in `out` already.
    fn finish(&self, whole: Option<&mut [f32]>, rows: usize, residual: Option<&[f32]>, out: &mut [f32]) {
        let activation = self.gate.or(self.activation);
        if self.bias.is_none() && activation.is_none() && self.after.is_none() && residual.is_none() {
            return;
        }
        let isa = self.isa;
        let width = if self.gate.is_some() { rows / 2 } else { rows };
        // SAFETY: a range of rows belongs to one thread.
        let whole = whole.map(|whole| unsafe { Shared::new(whole.as_mut_ptr()) });
        by_rows(out, width, |range, out| {
            for (row, out) in range.zip(out.chunks_exact_mut(width)) {
                if let Some((whole, activation)) = whole.zip(self.gate) {
                    // SAFETY: the row lies in the buffer, and no other thread has it.
                    let whole = unsafe { std::slice::from_raw_parts_mut(whole.get().add(row * rows), rows) };
                    self.bias.inspect(|bias| add(isa, bias, whole));
                    let (of, x) = whole.split_at(width);
                    // SAFETY: the instruction set is available; the slices have one length.
                    unsafe { simd::run(isa, Gated { activation, of, x, out }) };
                } else {
                    self.bias.inspect(|bias| add(isa, bias, out));
                    if let Some(activation) = self.activation {
                        // SAFETY: the instruction set is available.
                        unsafe { simd::run(isa, Activated { activation, x: out }) };
                    }
                }
                if let Some((weight, eps)) = self.after {
                    scratch::with(width, |x| {
                        x.copy_from_slice(out);
                        // SAFETY: as above.
                        unsafe { simd::run(isa, Row::rms(x, weight, eps, out)) };
                    });
                }
                residual.inspect(|residual| add(isa, &residual[row * width..][..width], out));
            }
        });
    }
}

/// `to += x`.
fn add(isa: Isa, x: &[f32], to: &mut [f32]) {
    assert_eq!(x.len(), to.len(), "elements to add");
    // SAFETY: the instruction set is available; the slices have one length.
    unsafe { simd::run(isa, Add { x, to }) };
}

struct Add<'a> {
    x: &'a [f32],
    to: &'a mut [f32],
}

impl simd::Kernel for Add<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let (n, x, to) = (self.x.len(), self.x.as_ptr(), self.to.as_mut_ptr());
        let whole = n - n % V::LEN;
        // SAFETY: `at` stays within the slices, which have one length.
        unsafe {
            let one = V::splat(1.0);
            for at in (0..whole).step_by(V::LEN) {
                V::load(x.add(at)).mul_add(one, V::load(to.add(at))).store(to.add(at));
            }
            let rest = n - whole;
            let last = V::load_first(x.add(whole), rest).mul_add(one, V::load_first(to.add(whole), rest));
            last.store_first(to.add(whole), rest);
        }
    }
}
