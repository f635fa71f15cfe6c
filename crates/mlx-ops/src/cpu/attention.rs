//! Attention as one kernel: scores of a block of queries stay in cache, and a causal block skips the keys after it.

use super::matvec::Product;
use super::pool::{self, Shared};
use super::rows::Rows;
use super::simd::{self, Isa, Lanes};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Result, fast};
use std::ffi::CStr;

/// Multiplications below which a second thread costs more than it saves.
const PARALLEL: usize = 128 * 1024;

/// Queries of a block, where there are many.
const BLOCK: usize = 64;

/// Rows up to which a product streams its second matrix in place of packing it.
const FEW_ROWS: usize = 16;

/// `softmax(scale * q @ k.T) @ v` where this module has a kernel for it: f32 on the CPU, with no mask or the causal one.
pub fn attention(q: &Array, k: &Array, v: &Array, scale: f32, causal: bool) -> Option<Result<Array>> {
    let (&[b, h, l, d], &[bk, kv, s, dk], &[bv, kv_v, sv, _]) = (q.shape(), k.shape(), v.shape()) else { return None };
    let typed = [q, k, v].iter().all(|array| array.dtype() == Dtype::F32);
    let same = (b, d) == (bk, dk) && (b, kv, s) == (bv, kv_v, sv);
    let shaped = kv > 0 && h % kv == 0 && s > 0 && (!causal || l <= s);
    let fits = typed && same && shaped && super::is_current();
    fits.then(|| super::one(Attention { scale, causal }, &[q.clone(), k.clone(), v.clone()]))
}

#[derive(PartialEq)]
struct Attention {
    scale: f32,
    causal: bool,
}

impl Kernel for Attention {
    fn name(&self) -> &'static CStr {
        c"Attention"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let mut shape = inputs[0].shape().to_vec();
        if let (Some(to), Some(&from)) = (shape.last_mut(), inputs[2].shape().last()) {
            *to = from;
        }
        Ok(vec![(shape, Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let (&[b, h, l, d], &[_, kv, s, dv]) = (inputs[0].shape(), inputs[2].shape()) else { return Ok(()) };
        let [b, h, l, d, kv, s, dv] = [b, h, l, d, kv, s, dv].map(|dim| dim as usize);
        let out = outputs[0].values::<f32>()?;
        let (q, k, v) = (Rows::new(&inputs[0])?, Rows::new(&inputs[1])?, Rows::new(&inputs[2])?);
        let heads = |rows: &Rows<'_>| Heads { at: rows.at(&[]), strides: [0, 1, 2].map(|axis| rows.stride(axis)) };
        let (q, k, v) = (heads(&q), heads(&k), heads(&v));
        let (out, out_strides) = (out.as_mut_ptr(), [h * l * dv, l * dv, dv]);
        let (scale, causal) = (self.scale, self.causal);
        // SAFETY: the rows lie in the arrays, and nobody else writes the output.
        unsafe { Problem { b, h, kv, l, s, d, dv, q, k, v, out, out_strides, scale, causal }.compute(Isa::best()) };
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let mode = if self.causal { "causal" } else { "" };
        Ok(vec![fast::scaled_dot_product_attention(&inputs[0], &inputs[1], &inputs[2], self.scale, mode, None, None)?])
    }
}

/// Rows of heads: features adjoin, and neighbouring batch entries, heads and positions are so many elements apart.
#[derive(Clone, Copy)]
pub struct Heads {
    pub at: *const f32,
    pub strides: [usize; 3],
}

// SAFETY: only read while a kernel runs.
unsafe impl Sync for Heads {}

/// Attention of `l` queries over `s` keys.
pub struct Problem {
    pub b: usize,
    pub h: usize,
    pub kv: usize,
    pub l: usize,
    pub s: usize,
    pub d: usize,
    pub dv: usize,
    pub q: Heads,
    pub k: Heads,
    pub v: Heads,
    pub out: *mut f32,
    pub out_strides: [usize; 3],
    pub scale: f32,
    pub causal: bool,
}

impl Problem {
    /// # Safety
    /// The pointers are valid for the sizes, `out` for writing by nobody else, and `isa` is available.
    pub unsafe fn compute(&self, isa: Isa) {
        let &Self { b, h, kv, l, s, d, dv, q, k, v, out_strides, scale, causal, .. } = self;
        if b * h * l * dv == 0 {
            return;
        }
        // SAFETY: parts of the range of blocks write disjoint rows.
        let to = unsafe { Shared::new(self.out) };
        // The queries of heads that share keys go together where each head has but one.
        let (group, blocks) = if l == 1 { (h / kv, 1) } else { (1, l.div_ceil(BLOCK)) };
        let units = b * (h / group) * blocks;
        pool::split(units, 1, b * h * l * s * d >= PARALLEL, |units| {
            let mut scores = Vec::new();
            for unit in units {
                let (block, head) = (unit % blocks, unit / blocks * group);
                let (batch, head) = (head / h, head % h);
                let first = block * BLOCK;
                let rows = if l == 1 { group } else { BLOCK.min(l - first) };
                let keys = if causal { s - l + first + if l == 1 { 1 } else { rows } } else { s };
                let at = |heads: &Heads, [b, h, p]: [usize; 3]| {
                    heads.at.wrapping_add(b * heads.strides[0] + h * heads.strides[1] + p * heads.strides[2])
                };
                let shared = [batch, head / (h / kv), 0];
                let row = if l == 1 { 1 } else { 2 };
                let offset = batch * out_strides[0] + head * out_strides[1] + first * out_strides[2];
                let block = Block {
                    q: (at(&q, [batch, head, first]), q.strides[row]),
                    k: (at(&k, shared), k.strides[2]),
                    v: (at(&v, shared), v.strides[2]),
                    out: (to.get().wrapping_add(offset), out_strides[row]),
                    size: [rows, keys, d, dv],
                    scale,
                    causal: causal && l > 1,
                };
                // SAFETY: the rows lie in the arrays, and no other unit writes these of the output.
                unsafe { block.compute(isa, &mut scores) };
            }
        });
    }
}

/// Rows of queries over the same keys: pointers with the distance of their rows.
struct Block {
    q: (*const f32, usize),
    k: (*const f32, usize),
    v: (*const f32, usize),
    out: (*mut f32, usize),
    /// Queries, keys, features of a key, features of a value.
    size: [usize; 4],
    scale: f32,
    /// The last query sees all keys, each one before it one less.
    causal: bool,
}

impl Block {
    /// # Safety
    /// The pointers are valid for the sizes, and `isa` is available.
    unsafe fn compute(self, isa: Isa, scores: &mut Vec<f32>) {
        let [m, n, d, dv] = self.size;
        scores.resize(m * n, 0.0);
        let ((a, lda), (b, ldb), c) = (self.q, self.k, scores.as_mut_ptr());
        let alpha = self.scale;
        let product = Product { m, n, k: d, alpha, a, lda, b, ldb, transposed: true, beta: 0.0, c, ldc: n };
        // SAFETY: the caller's; scores have room for m rows of n.
        unsafe { multiply(product, isa) };
        for (i, row) in scores.chunks_exact_mut(n).enumerate() {
            let visible = if self.causal { n + 1 + i - m } else { n };
            let (seen, hidden) = row.split_at_mut(visible);
            // SAFETY: the instruction set is available.
            unsafe { simd::run(isa, Softmax(seen)) };
            hidden.fill(0.0);
        }
        let ((b, ldb), a, (c, ldc)) = (self.v, scores.as_ptr(), self.out);
        let product = Product { m, n: dv, k: n, alpha: 1.0, a, lda: n, b, ldb, transposed: false, beta: 0.0, c, ldc };
        // SAFETY: the caller's; scores hold m rows of n.
        unsafe { multiply(product, isa) }
    }
}

/// # Safety
/// As [`Product::compute`].
unsafe fn multiply(product: Product, isa: Isa) {
    // SAFETY: the caller's.
    unsafe {
        match product.m <= FEW_ROWS {
            true => product.compute_here(isa),
            false => product.many_rows_here(false, isa),
        }
    }
}

/// The softmax of a row in its place.
struct Softmax<'a>(&'a mut [f32]);

impl simd::Kernel for Softmax<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let (n, row) = (self.0.len(), self.0.as_mut_ptr());
        let whole = n - n % V::LEN;
        let mut largest = f32::NEG_INFINITY;
        // SAFETY: `at` stays within the row; sixteen elements are at least a vector.
        unsafe {
            let mut most = V::splat(f32::NEG_INFINITY);
            for at in (0..whole).step_by(V::LEN) {
                most = most.max(V::load(row.add(at)));
            }
            let mut lanes = [f32::NEG_INFINITY; 16];
            most.store(lanes.as_mut_ptr());
            for x in lanes.iter().chain(&self.0[whole..]) {
                largest = largest.max(*x);
            }
            let shift = V::splat(-largest);
            let one = V::splat(1.0);
            let mut sum = V::splat(0.0);
            for at in (0..whole).step_by(V::LEN) {
                let x = simd::exp(V::load(row.add(at)).mul_add(one, shift));
                x.store(row.add(at));
                sum = x.mul_add(one, sum);
            }
            let mut total = sum.sum();
            for x in &mut self.0[whole..] {
                *x = (*x - largest).exp();
                total += *x;
            }
            let scale = 1.0 / total;
            for at in (0..whole).step_by(V::LEN) {
                V::load(row.add(at)).mul(V::splat(scale)).store(row.add(at));
            }
            for x in &mut self.0[whole..] {
                *x *= scale;
            }
        }
    }
}
