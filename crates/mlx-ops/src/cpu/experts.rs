//! Products in which index arrays say which matrix each batch entry meets, such as those of a mixture of experts.
//!
//! The entries that meet the same matrix are brought together, so that each matrix streams from memory once.

use super::blas;
use super::matvec::Product;
use super::packed;
use super::quantized::{Matrix, fits_stacked, inputs, is_float, result_type};
use super::short;
use super::simd::Isa;
use crate::{Precision, Quantization};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Error, Result, ops};
use std::borrow::Cow;
use std::ffi::CStr;

/// Entries of the batch axes by number, on either side; all in order where there are none.
#[derive(Clone, Copy)]
pub struct Indices<'a> {
    pub lhs: Option<&'a Array>,
    pub rhs: Option<&'a Array>,
    pub sorted: bool,
}

/// `x @ w.T` of the entries that are named: on the CPU, floats of 16 or 32 bits, matrices in any of MLX's formats.
pub fn gather_quantized_matmul(
    x: &Array,
    w: &Array,
    scales: &Array,
    biases: Option<&Array>,
    q: Quantization,
    indices: Indices<'_>,
) -> Option<Result<Array>> {
    if x.ndim() < 2 || w.ndim() < 2 || !(is_float(x) && fits_stacked(*x.shape().last()?, w, scales, biases, q)) {
        return None;
    }
    let parts = inputs(&[x, w, scales], biases);
    apply(GatheredPacked { q, sorted: indices.sorted, precision: Precision::current() }, parts, x, w, indices)
}

/// `x @ w` of the entries that are named: on the CPU, f32.
pub fn gather_matmul(x: &Array, w: &Array, indices: Indices<'_>) -> Option<Result<Array>> {
    let matrices = x.ndim() >= 2 && w.ndim() >= 2 && x.dtype() == Dtype::F32 && w.dtype() == Dtype::F32;
    if !(matrices && x.shape().last() == w.shape().iter().nth_back(1) && super::is_current()) {
        return None;
    }
    apply(Gathered { sorted: indices.sorted }, vec![x.clone(), w.clone()], x, w, indices)
}

/// The kernel with the indices of both sides, broadcast to one shape, as its last inputs.
fn apply(
    kernel: impl Kernel,
    mut parts: Vec<Array>,
    x: &Array,
    w: &Array,
    indices: Indices<'_>,
) -> Option<Result<Array>> {
    let integers = |indices: Option<&Array>| {
        use Dtype::{I8, I16, I32, I64, U8, U16, U32, U64};
        indices.is_none_or(|all| matches!(all.dtype(), U8 | U16 | U32 | U64 | I8 | I16 | I32 | I64))
    };
    let batch = |indices: Option<&Array>, from: &Array| match indices {
        Some(all) => all.shape().to_vec(),
        None => from.shape()[..from.ndim() - 2].to_vec(),
    };
    let shapes = [batch(indices.lhs, x), batch(indices.rhs, w)];
    let shape = broadcast(&shapes[0], &shapes[1])?;
    if !(integers(indices.lhs) && integers(indices.rhs)) {
        return None;
    }
    let side = |indices: Option<&Array>, own: &[i32]| {
        let numbers = match indices {
            Some(all) => ops::astype(all, Dtype::U32)?,
            None => ops::reshape(&ops::arange(0.0, f64::from(own.iter().product::<i32>()), 1.0, Dtype::U32)?, own)?,
        };
        ops::broadcast_to(&numbers, &shape)
    };
    Some((|| {
        parts.push(side(indices.lhs, &shapes[0])?);
        parts.push(side(indices.rhs, &shapes[1])?);
        super::one(kernel, &parts)
    })())
}

/// The shape that both broadcast to.
fn broadcast(a: &[i32], b: &[i32]) -> Option<Vec<i32>> {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let mut shape = long.to_vec();
    for (dim, &other) in shape[long.len() - short.len()..].iter_mut().zip(short) {
        match (*dim, other) {
            (1, other) => *dim = other,
            (dim, other) if other == 1 || other == dim => {}
            _ => return None,
        }
    }
    Some(shape)
}

/// Products of `(m, k)` with `(k, n)`, from `entries` of the one and `matrices` of the other.
#[derive(Clone, Copy)]
struct Sizes {
    m: usize,
    k: usize,
    n: usize,
    entries: usize,
    matrices: usize,
}

impl Sizes {
    fn new(x: &Input<'_>, w: &Input<'_>, n: usize) -> Self {
        let parts = |shape: &[i32]| {
            let (batch, matrix) = shape.split_at(shape.len() - 2);
            (batch.iter().map(|&dim| dim as usize).product(), matrix[0] as usize, matrix[1] as usize)
        };
        let ((entries, m, k), (matrices, ..)) = (parts(x.shape()), parts(w.shape()));
        Self { m, k, n, entries, matrices }
    }
}

/// Calls `product` once with each matrix that is named, the rows that meet it, and where their products go.
fn each_matrix(
    sizes: &Sizes,
    [lhs, rhs]: [&[u32]; 2],
    x: &[f32],
    out: &mut [f32],
    mut product: impl FnMut(usize, &[f32], &mut [f32]),
) -> Result<()> {
    let check = |what: &str, all: &[u32], n: usize| match all.iter().find(|&&index| index as usize >= n) {
        Some(index) => Err(Error::new(format!("[gather] the {what} index {index} is not below {n}"))),
        None => Ok(()),
    };
    check("left", lhs, sizes.entries)?;
    check("right", rhs, sizes.matrices)?;
    if sizes.k == 0 || out.is_empty() {
        out.fill(0.0);
        return Ok(());
    }
    let (from, to) = (sizes.m * sizes.k, sizes.m * sizes.n);
    let mut order: Vec<usize> = (0..rhs.len()).collect();
    order.sort_by_key(|&entry| rhs[entry]);
    let (mut rows, mut products) = (Vec::new(), Vec::new());
    for run in order.chunk_by(|&a, &b| rhs[a] == rhs[b]) {
        let (matrix, first, n) = (rhs[run[0]] as usize, run[0], run.len());
        if run.windows(2).all(|pair| pair[1] == pair[0] + 1 && lhs[pair[1]] == lhs[pair[0]] + 1) {
            let start = lhs[first] as usize * from;
            product(matrix, &x[start..start + n * from], &mut out[first * to..(first + n) * to]);
            continue;
        }
        rows.clear();
        run.iter().for_each(|&entry| rows.extend_from_slice(&x[lhs[entry] as usize * from..][..from]));
        products.resize(n * to, 0.0);
        product(matrix, &rows, &mut products);
        for (&entry, products) in run.iter().zip(products.chunks_exact(to)) {
            out[entry * to..(entry + 1) * to].copy_from_slice(products);
        }
    }
    Ok(())
}

/// The shape of the results: that of the indices, then the rows of one side and `n`.
fn gathered_shape(inputs: &[Array], n: i32) -> Vec<i32> {
    let m = inputs[0].shape().iter().nth_back(1).copied();
    inputs.last().map_or(&[][..], Array::shape).iter().copied().chain(m).chain([n]).collect()
}

/// Inputs `x`, packed words, scales, in mode `affine` biases, and the indices of both sides.
#[derive(PartialEq)]
struct GatheredPacked {
    q: Quantization,
    sorted: bool,
    precision: Precision,
}

impl Kernel for GatheredPacked {
    fn name(&self) -> &'static CStr {
        c"GatheredPackedMatmul"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let rows = inputs[1].shape().iter().nth_back(1).copied().unwrap_or(0);
        let biases = (inputs.len() == 6).then(|| &inputs[3]);
        Ok(vec![(gathered_shape(inputs, rows), result_type(&inputs[0], &inputs[2], biases))])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let [.., lhs, rhs] = inputs else { return Err(Error::new("[gather] expected two arrays of indices")) };
        if outputs[0].shape().contains(&0) {
            return Ok(());
        }
        let (x, matrix) = (short::read(&inputs[0])?, Matrix::new(&inputs[1..], self.q, self.precision)?);
        let (lhs, rhs) = (lhs.values::<u32>()?, rhs.values::<u32>()?);
        let rows = inputs[1].shape().iter().nth_back(1).map_or(0, |&rows| rows as usize);
        let sizes = Sizes::new(&inputs[0], &inputs[1], rows);
        short::write(&mut outputs[0], |out| {
            each_matrix(&sizes, [&lhs, &rhs], &x, out, |i, x, out| {
                packed::product(Isa::best(), x, &matrix.nth(i, rows), out)
            })
        })
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let (q, n) = (self.q, inputs.len());
        let biases = (n == 6).then(|| &inputs[3]);
        let [lhs, rhs] = [n - 2, n - 1].map(|i| Some(&inputs[i]));
        let [x, w, scales] = [0, 1, 2].map(|i| &inputs[i]);
        let (group, bits) = (Some(q.group_size), Some(q.bits));
        Ok(vec![ops::gather_qmm(x, w, scales, biases, lhs, rhs, true, group, bits, q.mode, None, self.sorted)?])
    }
}

/// Inputs `x`, matrices, and the indices of both sides.
#[derive(PartialEq)]
struct Gathered {
    sorted: bool,
}

impl Kernel for Gathered {
    fn name(&self) -> &'static CStr {
        c"GatheredMatmul"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let columns = inputs[1].shape().last().copied().unwrap_or(0);
        Ok(vec![(gathered_shape(inputs, columns), Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let (x, lhs, rhs) = (inputs[0].values::<f32>()?, inputs[2].values::<u32>()?, inputs[3].values::<u32>()?);
        let columns = inputs[1].shape().last().map_or(0, |&columns| columns as usize);
        let sizes = Sizes::new(&inputs[0], &inputs[1], columns);
        let matrices = Matrices::new(&inputs[1])?;
        each_matrix(&sizes, [&lhs, &rhs], &x, outputs[0].values()?, |i, x, out| {
            let (Sizes { n, k, .. }, b) = (sizes, matrices.nth(i));
            let (ldb, transposed, c) = (matrices.leading, matrices.transposed, out.as_mut_ptr());
            let m = x.len() / k;
            let p = Product { m, n, k, alpha: 1.0, a: x.as_ptr(), lda: k, b, ldb, transposed, beta: 0.0, c, ldc: n };
            // SAFETY: x is (m, k), the output (m, n), and the matrix is one of those that the checked index names.
            unsafe { blas::sgemm(p, false, Isa::best()) }
        })
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        Ok(vec![ops::gather_mm(&inputs[0], &inputs[1], Some(&inputs[2]), Some(&inputs[3]), self.sorted)?])
    }
}

/// Dense matrices where they lie, transposed or not; what lies otherwise is copied together.
struct Matrices<'a> {
    data: *const f32,
    /// Keeps a copy alive.
    _copy: Cow<'a, [f32]>,
    batch: &'a [i32],
    strides: Vec<i64>,
    leading: usize,
    transposed: bool,
}

impl<'a> Matrices<'a> {
    fn new(input: &'a Input<'_>) -> Result<Self> {
        let (batch, &[k, n]) = input.shape().split_at(input.shape().len() - 2) else {
            return Err(Error::new("[gather] a matrix has two axes"));
        };
        let (outer, inner) = input.strides().split_at(batch.len());
        let data = input.as_ptr::<f32>()?;
        let in_place = |leading: i64, transposed| Self {
            data,
            _copy: Cow::Borrowed(&[]),
            batch,
            strides: outer.to_vec(),
            leading: leading as usize,
            transposed,
        };
        if inner[1] == 1 && inner[0] >= i64::from(n) && data.is_aligned() {
            return Ok(in_place(inner[0], false));
        }
        if inner[0] == 1 && inner[1] >= i64::from(k) && data.is_aligned() {
            return Ok(in_place(inner[1], true));
        }
        let mut strides = vec![i64::from(k) * i64::from(n); batch.len()];
        for axis in (1..batch.len()).rev() {
            strides[axis - 1] = strides[axis] * i64::from(batch[axis]);
        }
        let copy = input.values::<f32>()?;
        Ok(Self { data: copy.as_ptr(), _copy: copy, batch, strides, leading: n as usize, transposed: false })
    }

    /// The matrix with this number among the batch axes.
    fn nth(&self, mut number: usize) -> *const f32 {
        let mut offset = 0;
        for (&dim, &stride) in self.batch.iter().zip(&self.strides).rev() {
            offset += (number % dim as usize) as i64 * stride;
            number /= dim as usize;
        }
        self.data.wrapping_offset(offset as isize)
    }
}

#[cfg(test)]
mod tests;
