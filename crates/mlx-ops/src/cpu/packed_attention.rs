//! Attention within packed sequences as one kernel, which reads heads where the projection has them.

use super::attention::{Heads, Masking, Problem};
use super::pool::{self, Shared};
use super::rope::Rope;
use super::scratch;
use super::self_attention::Turn;
use super::simd::Isa;
use crate::{PackedAttention, Segment, Tensor};
use mlx_core::kernel::{Input, Kernel, Output};
use mlx_core::{Array, Dtype, Error, Result};
use std::ffi::CStr;
use std::ops::Range;
use std::rc::Rc;

/// Multiplications below which a second thread costs more than it saves.
const PARALLEL: usize = 256 * 1024;

/// The heads' outputs where this module has a kernel for them: f32 on the CPU.
pub fn packed_attention(a: &PackedAttention<'_>, qkv: &Tensor, segments: &[Segment]) -> Option<Result<Array>> {
    let &[_, width] = qkv.shape() else { return None };
    let (heads, kv) = (a.heads, a.kv_heads);
    let grouped = kv > 0 && heads > 0 && heads % kv == 0 && width % (heads + 2 * kv) == 0;
    if !grouped || qkv.dtype() != Dtype::F32 || a.scores.is_some() || !super::is_current() {
        return None;
    }
    let d = width / (heads + 2 * kv);
    let weight = |tensor: &Tensor| tensor.dtype() == Dtype::F32 && tensor.shape() == [d];
    let normed = a.norms.is_none_or(|(q, k, _)| weight(q) && weight(k));
    let rope = a.rotation.map(|rotation| (Rope::new(&rotation, 0), rotation.parts().1));
    let turned = rope.as_ref().is_none_or(|(rope, table)| rope.fits(d, table.map(|table| &table.0)));
    let fits = d > 0 && normed && turned && a.window.is_none_or(|window| window > 0);
    fits.then(|| {
        let kernel = Packed {
            segments: segments.to_vec(),
            heads: heads as usize,
            kv: kv as usize,
            norms: a.norms.map(|(.., eps)| eps),
            rope: rope.map(|(rope, _)| rope),
            table: rope.is_some_and(|(_, table)| table.is_some()),
            causal: a.causal,
            window: a.window.map(|window| window as usize),
            scale: a.scale,
            softcap: a.softcap,
        };
        let weights = a.norms.map(|(q, k, _)| [q, k]);
        let rest = weights.into_iter().flatten().chain(rope.and_then(|(_, table)| table));
        let inputs: Vec<Array> = std::iter::once(qkv).chain(rest).map(|tensor| tensor.0.clone()).collect();
        super::one(kernel, &inputs)
    })
}

/// Inputs: the projection, and where there are such the two norms' weights and the rotation's table.
#[derive(PartialEq)]
struct Packed {
    segments: Vec<Segment>,
    heads: usize,
    kv: usize,
    norms: Option<f32>,
    rope: Option<Rope>,
    table: bool,
    causal: bool,
    window: Option<usize>,
    scale: f32,
    softcap: Option<f32>,
}

impl Packed {
    /// Where each sequence begins and ends.
    fn sequences(&self) -> Vec<Range<usize>> {
        let lengths = self.segments.iter().flat_map(|s| std::iter::repeat_n(s.length as usize, s.count as usize));
        lengths
            .scan(0, |at, length| {
                *at += length;
                Some(*at - length..*at)
            })
            .collect()
    }

    fn norms_of<'a, T>(&self, inputs: &'a [T]) -> Option<(&'a T, &'a T, f32)> {
        Some((inputs.get(1)?, inputs.get(2)?, self.norms?))
    }

    fn table_of<'a, T>(&self, inputs: &'a [T]) -> Option<&'a T> {
        inputs.last().filter(|_| self.table)
    }

    /// The attention of some heads of keys and their queries over one sequence, read from rows that begin at the three
    /// pointers, the first two `turned` wide and the values `width`.
    fn problem<'a>(&self, at: Place, sequence: &Range<usize>, kv: Range<usize>) -> Problem<'a> {
        let (l, d, group) = (sequence.len(), at.d, self.heads / self.kv);
        let heads = |from: *const f32, width: usize, first: usize| Heads {
            at: from.wrapping_add(sequence.start * width + first * d),
            strides: [0, d, width],
        };
        let out = at.out.wrapping_add((sequence.start * self.heads + kv.start * group) * d);
        Problem {
            b: 1,
            h: kv.len() * group,
            kv: kv.len(),
            l,
            s: l,
            d,
            dv: d,
            q: heads(at.qk, at.turned, kv.start * group),
            k: heads(at.qk, at.turned, self.heads + kv.start),
            v: heads(at.qkv, at.width, self.heads + self.kv + kv.start),
            out,
            out_strides: [0, d, self.heads * d],
            scale: self.scale,
            softcap: self.softcap,
            mask: if self.causal { Masking::Causal } else { Masking::Near },
            window: self.window,
            sinks: None,
        }
    }
}

/// Where rows begin: queries with keys, all three, and the output.
#[derive(Clone, Copy)]
struct Place {
    qk: *const f32,
    turned: usize,
    qkv: *const f32,
    width: usize,
    out: *mut f32,
    d: usize,
}

// SAFETY: threads only read what the pointers lead to, but for `out`, whose rows and heads are one thread's each.
unsafe impl Sync for Place {}

impl Kernel for Packed {
    fn name(&self) -> &'static CStr {
        c"PackedAttention"
    }

    fn outputs(&self, inputs: &[Array]) -> Result<Vec<(Vec<i32>, Dtype)>> {
        let &[rows, width] = inputs[0].shape() else {
            return Err(Error::new("[PackedAttention] the projection has not two axes"));
        };
        let heads = self.heads as i32;
        Ok(vec![(vec![rows, width / (heads + 2 * self.kv as i32) * heads], Dtype::F32)])
    }

    fn run(&self, inputs: &[Input<'_>], outputs: &mut [Output<'_>]) -> Result<()> {
        let &[rows, width] = inputs[0].shape() else { return Ok(()) };
        let (rows, width) = (rows as usize, width as usize);
        let d = width / (self.heads + 2 * self.kv);
        let qkv = inputs[0].values::<f32>()?;
        let out = outputs[0].values::<f32>()?;
        let sequences = self.sequences();
        let place = Place { qk: qkv.as_ptr(), turned: width, qkv: qkv.as_ptr(), width, out: out.as_mut_ptr(), d };
        if self.norms.is_none() && self.rope.is_none() {
            self.attend(&sequences, place);
            return Ok(());
        }
        let norms = self.norms_of(inputs);
        let norms =
            norms.map(|(q, k, eps)| Ok::<_, Error>((q.values::<f32>()?, k.values::<f32>()?, eps))).transpose()?;
        let table = self.table_of(inputs).map(|table| table.values::<f32>()).transpose()?;
        let longest = sequences.iter().map(Range::len).max().unwrap_or(0);
        let angles = self.rope.map(|rope| (rope, rope.angles(table.as_deref(), longest)));
        let turn = Turn {
            norms: norms.as_ref().map(|(q, k, eps)| [(&**q, *eps), (&**k, *eps)]),
            angles: angles.as_ref().map(|(rope, angles)| (*rope, Rc::as_ref(angles))),
        };
        let turned = (self.heads + self.kv) * d;
        scratch::with(rows * turned, |qk| {
            // SAFETY: each sequence has rows of its own.
            let to = unsafe { Shared::new(qk.as_mut_ptr()) };
            pool::split(sequences.len(), 1, rows * turned >= PARALLEL / 4, |range| {
                for sequence in &sequences[range] {
                    for (position, row) in sequence.clone().enumerate() {
                        for (head, x) in qkv[row * width..][..turned].chunks_exact(d).enumerate() {
                            let at = to.get().wrapping_add(row * turned + head * d);
                            // SAFETY: the head lies in the buffer, and no other thread writes it.
                            let out = unsafe { std::slice::from_raw_parts_mut(at, d) };
                            turn.head(x, usize::from(head >= self.heads), position, out);
                        }
                    }
                }
            });
            self.attend(&sequences, Place { qk: qk.as_ptr(), turned, ..place });
        });
        Ok(())
    }

    fn fallback(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let inputs: Vec<Tensor> = inputs.iter().map(|array| Tensor(array.clone())).collect();
        let a = PackedAttention {
            heads: self.heads as i32,
            kv_heads: self.kv as i32,
            norms: self.norms_of(&inputs),
            rotation: self.rope.map(|rope| rope.rotation(self.table_of(&inputs))),
            causal: self.causal,
            window: self.window.map(|window| window as i32),
            scores: None,
            scale: self.scale,
            softcap: self.softcap,
        };
        let qkv = inputs.first().ok_or_else(|| Error::new("[PackedAttention] the projection is missing"))?;
        Ok(vec![a.composed(qkv, &self.segments)?.0])
    }
}

impl Packed {
    /// Attention of all sequences, each head of keys being one piece of work.
    fn attend(&self, sequences: &[Range<usize>], place: Place) {
        let isa = Isa::best();
        let work: usize = sequences.iter().map(|sequence| sequence.len() * sequence.len()).sum();
        pool::split(sequences.len() * self.kv, 1, work * self.heads * place.d >= PARALLEL, |range| {
            let place = &place;
            let mut at = range.start;
            while at < range.end {
                let (i, first) = (at / self.kv, at % self.kv);
                let last = self.kv.min(first + range.end - at);
                // SAFETY: the rows of the sequence lie in all three, heads of the output are this thread's, and the
                // instruction set is available.
                unsafe { self.problem(*place, &sequences[i], first..last).compute_here(isa) };
                at += last - first;
            }
        });
    }
}
