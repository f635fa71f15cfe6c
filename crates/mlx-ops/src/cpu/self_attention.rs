//! Self-attention over a cache as one kernel: cutting, turning and writing heads costs a pass over them and no graph.

use super::attention::{Heads, Masking, Problem};
use super::norm::Row;
use super::pool::{self, Shared};
use super::rope::{Angles, Rope};
use super::rows::Rows;
use super::scratch;
use super::simd::{self, Isa};
use crate::fast::Mask;
use crate::{SelfAttention, Tensor};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Error, Result, kernel};
use std::ffi::CStr;
use std::rc::Rc;

/// Elements of the projection below which a second thread costs more than it saves.
const PARALLEL: usize = 64 * 1024;

/// The three results where this module has a kernel for them: f32 on the CPU.
pub fn self_attention(
    a: &SelfAttention<'_>,
    qkv: &Tensor,
    keys: &Tensor,
    values: &Tensor,
) -> Option<Result<Vec<Array>>> {
    let (&[b, l, width], &[kb, kv, capacity, d]) = (qkv.shape(), keys.shape()) else { return None };
    let typed = [qkv, keys, values].iter().all(|tensor| tensor.dtype() == Dtype::F32);
    let shaped = keys.shape() == values.shape() && (b, width) == (kb, (a.heads + 2 * kv) * d) && b * l * d > 0;
    let grouped = kv == a.kv_heads && kv > 0 && a.heads > 0 && a.heads % kv == 0;
    let placed = 0 <= a.first && a.first <= a.at && a.at + l <= capacity;
    let weight = |tensor: &Tensor| tensor.dtype() == Dtype::F32 && tensor.shape() == [d];
    let normed = a.norms.is_none_or(|(q, k, _)| weight(q) && weight(k));
    let rope = a.rotation.map(|rotation| (Rope::new(&rotation, a.offset), rotation.parts().1));
    let turned = rope.as_ref().is_none_or(|(rope, table)| rope.fits(d, table.map(|table| &table.0)));
    let sunk = a.sinks.is_none_or(|sinks| sinks.dtype() == Dtype::F32 && sinks.shape() == [a.heads]);
    // A mask beside a window says the same.
    let masked = a.window.is_none() && matches!(a.mask, Mask::Tensor(_));
    let windowed = a.window.is_none_or(|window| window > 0);
    let seen = !masked && windowed && sunk;
    let fits = typed && shaped && grouped && placed && normed && turned && seen && super::is_current();
    fits.then(|| {
        let kernel = Step {
            heads: a.heads as usize,
            kv: kv as usize,
            norms: a.norms.map(|(.., eps)| eps),
            rope: rope.map(|(rope, _)| rope),
            table: rope.is_some_and(|(_, table)| table.is_some()),
            at: a.at as usize,
            first: a.first as usize,
            causal: matches!(a.mask, Mask::Causal),
            window: a.window.map(|window| window as usize),
            softcap: a.softcap,
            sinks: a.sinks.is_some(),
            offset: a.offset,
            scale: a.scale,
        };
        let weights = a.norms.map(|(q, k, _)| [q, k]);
        let rest = weights.into_iter().flatten().chain(a.sinks).chain(rope.and_then(|(_, table)| table));
        let inputs: Vec<Array> = [qkv, keys, values].into_iter().chain(rest).map(|tensor| tensor.0.clone()).collect();
        kernel::apply(kernel, &inputs)
    })
}

/// Inputs: the projection, keys, values, and where there are such the two norms' weights, the sinks, the rotation's table.
#[derive(PartialEq)]
struct Step {
    heads: usize,
    kv: usize,
    norms: Option<f32>,
    rope: Option<Rope>,
    table: bool,
    at: usize,
    first: usize,
    causal: bool,
    window: Option<usize>,
    softcap: Option<f32>,
    sinks: bool,
    offset: i32,
    scale: f32,
}

impl Step {
    fn norms_of<'a, T>(&self, inputs: &'a [T]) -> Option<(&'a T, &'a T, f32)> {
        let eps = self.norms?;
        Some((inputs.get(3)?, inputs.get(4)?, eps))
    }

    fn sinks_of<'a, T>(&self, inputs: &'a [T]) -> Option<&'a T> {
        if self.sinks { inputs.get(if self.norms.is_some() { 5 } else { 3 }) } else { None }
    }

    fn table_of<'a, T>(&self, inputs: &'a [T]) -> Option<&'a T> {
        if self.table { inputs.last() } else { None }
    }
}

impl Kernel for Step {
    fn name(&self) -> &'static CStr {
        c"SelfAttention"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let (&[b, l, _], &[.., d]) = (inputs[0].shape(), inputs[1].shape()) else {
            return Err(Error::new("[SelfAttention] the projection has not three axes"));
        };
        let shapes = [vec![b, l, self.heads as i32 * d], inputs[1].shape().to_vec(), inputs[2].shape().to_vec()];
        Ok(shapes.map(|shape| (shape, Dtype::F32)).into())
    }

    fn updates(&self) -> Vec<(usize, usize)> {
        vec![(1, 1), (2, 2)]
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let (&[b, l, _], &[_, kv, capacity, d]) = (inputs[0].shape(), inputs[1].shape()) else { return Ok(()) };
        let [b, l, kv, capacity, d] = [b, l, kv, capacity, d].map(|dim| dim as usize);
        let [out, keys, values] = outputs else { return Err(Error::new("[SelfAttention] results are missing")) };
        let (out, keys, values) = (out.values::<f32>()?, keys.values::<f32>()?, values.values::<f32>()?);
        let norms = self.norms_of(inputs);
        let norms =
            norms.map(|(q, k, eps)| Ok::<_, Error>((q.values::<f32>()?, k.values::<f32>()?, eps))).transpose()?;
        let table = self.table_of(inputs).map(|table| table.values::<f32>()).transpose()?;
        let sinks = self.sinks_of(inputs).map(|sinks| sinks.values::<f32>()).transpose()?;
        let angles = self.rope.map(|rope| (rope, rope.angles(table.as_deref(), l)));
        let heads = self.heads;
        scratch::with(b * l * heads * d, |q| {
            let cut = Cut {
                rows: Rows::new(&inputs[0])?,
                size: [heads, kv, l, d],
                turn: Turn {
                    norms: norms.as_ref().map(|(q, k, eps)| [(&**q, *eps), (&**k, *eps)]),
                    angles: angles.as_ref().map(|(rope, angles)| (*rope, Rc::as_ref(angles))),
                },
            };
            // SAFETY: each row of the projection has its own places in the three.
            let to = unsafe {
                [Shared::new(q.as_mut_ptr()), Shared::new(keys.as_mut_ptr()), Shared::new(values.as_mut_ptr())]
            };
            let place = Place { to, at: self.at, capacity };
            pool::split(b * l, 1, b * l * (heads + 2 * kv) * d >= PARALLEL, |range| {
                // SAFETY: the rows are among the projection's, and their places in the buffers.
                range.for_each(|row| unsafe { cut.row(row, &place) });
            });
            let cache = |buffer: &[f32]| Heads {
                at: buffer[self.first * d..].as_ptr(),
                strides: [kv * capacity * d, capacity * d, d],
            };
            let problem = Problem {
                b,
                h: heads,
                kv,
                l,
                s: self.at + l - self.first,
                d,
                dv: d,
                q: Heads { at: q.as_ptr(), strides: [l * heads * d, d, heads * d] },
                k: cache(keys),
                v: cache(values),
                out: out.as_mut_ptr(),
                out_strides: [l * heads * d, d, heads * d],
                scale: self.scale,
                softcap: self.softcap,
                mask: if self.causal { Masking::Causal } else { Masking::None },
                window: self.window,
                sinks: sinks.as_deref(),
            };
            // SAFETY: queries, buffers and output have these sizes, and the instruction set is available.
            unsafe { problem.compute(Isa::best()) };
            Ok(())
        })
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let inputs: Vec<Tensor> = inputs.iter().map(|array| Tensor(array.clone())).collect();
        let [qkv, keys, values, ..] = &inputs[..] else { return Err(Error::new("[SelfAttention] inputs are missing")) };
        let a = SelfAttention {
            heads: self.heads as i32,
            kv_heads: self.kv as i32,
            norms: self.norms_of(&inputs),
            rotation: self.rope.map(|rope| rope.rotation(self.table_of(&inputs))),
            offset: self.offset,
            at: self.at as i32,
            first: self.first as i32,
            window: self.window.map(|window| window as i32),
            mask: if self.causal { Mask::Causal } else { Mask::None },
            scale: self.scale,
            softcap: self.softcap,
            sinks: self.sinks_of(&inputs),
        };
        let (out, keys, values) = a.composed(qkv, keys.clone(), values.clone())?;
        Ok(vec![out.0, keys.0, values.0])
    }
}

/// Cuts rows of the projection into heads.
struct Cut<'a> {
    rows: Rows<'a>,
    /// Heads of queries, heads of keys and values, positions, features.
    size: [usize; 4],
    turn: Turn<'a>,
}

/// What becomes of queries and keys.
pub struct Turn<'a> {
    /// Their norms' weights and epsilons.
    pub norms: Option<[(&'a [f32], f32); 2]>,
    pub angles: Option<(Rope, &'a Angles)>,
}

/// Where the heads go: queries `(B, L, H, D)`, keys and values `(B, KV, capacity, D)` from position `at` on.
struct Place {
    to: [Shared<f32>; 3],
    at: usize,
    capacity: usize,
}

impl Cut<'_> {
    /// # Safety
    /// `row` is a row of the projection, and nobody else writes its places.
    unsafe fn row(&self, row: usize, place: &Place) {
        let [heads, kv, l, d] = self.size;
        let (batch, position) = (row / l, row % l);
        for (i, x) in self.rows.nth(row).chunks_exact(d).enumerate() {
            let (which, head) = match i {
                i if i < heads => (0, i),
                i if i < heads + kv => (1, i - heads),
                i => (2, i - heads - kv),
            };
            let offset = match which {
                0 => (row * heads + head) * d,
                _ => ((batch * kv + head) * place.capacity + place.at + position) * d,
            };
            // SAFETY: the head's place lies in its buffer, by the caller's word nobody else's.
            let out = unsafe { std::slice::from_raw_parts_mut(place.to[which].get().add(offset), d) };
            match which {
                2 => out.copy_from_slice(x),
                _ => self.turn.head(x, which, position, out),
            }
        }
    }
}

impl Turn<'_> {
    /// A head of a query (0) or a key (1).
    pub fn head(&self, x: &[f32], which: usize, position: usize, out: &mut [f32]) {
        let turn = |x: &[f32], out: &mut [f32]| match self.angles {
            Some((rope, angles)) => rope.turn(x, angles, position, out),
            None => out.copy_from_slice(x),
        };
        match self.norms.map(|norms| norms[which]) {
            None => turn(x, out),
            Some((weight, eps)) => scratch::with(x.len(), |normal| {
                // SAFETY: the instruction set is available; the slices have one length.
                unsafe { simd::run(Isa::best(), Row::rms(x, weight, eps, normal)) };
                turn(normal, out);
            }),
        }
    }
}
