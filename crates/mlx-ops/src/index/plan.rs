//! An index resolved against a shape, and how it is read.

use super::Index;
use crate::{Tensor, broadcast_shapes};
use mlx_core::{Array, Result, ops};

/// A slice per axis, then integer tensors, then axes to drop and to add.
#[derive(Debug, Default)]
pub struct Plan {
    shape: Vec<i32>,
    start: Vec<i32>,
    /// Before the first element, -1, where a step goes back to it.
    stop: Vec<i32>,
    step: Vec<i32>,
    /// Axes with one position, which disappear.
    dropped: Vec<i32>,
    /// Axes that integer tensors index, numbered without the dropped ones, and those tensors.
    pub axes: Vec<i32>,
    pub taken: Vec<Array>,
    /// How many axes of the result come before those of the integer tensors, new ones not counted.
    pub before: usize,
    /// New axes of size 1, as axes of the result.
    added: Vec<i32>,
}

/// Where the positions and integer tensors stand, which NumPy treats as one block if nothing is between them.
#[derive(Clone, Copy, PartialEq)]
enum Block {
    None,
    Open,
    Closed,
    Split,
}

impl Plan {
    pub fn new(shape: &[i32], indices: &[Index]) -> Result<Self, String> {
        let used = indices.iter().filter(|index| !matches!(index, Index::New | Index::Rest)).count();
        if used > shape.len() {
            return Err(format!("[i] {used} indices for shape {shape:?}"));
        }
        let mut left = shape.len() - used;
        let mut plan = Self { shape: shape.to_vec(), ..Self::default() };
        // `out` counts axes of the result without the block, `kept` those that are not new.
        let (mut block, mut out, mut kept, mut behind) = (Block::None, 0, 0, Vec::new());
        for index in indices {
            block = match (matches!(index, Index::At(_) | Index::Take(_)), block) {
                (true, Block::None) => {
                    plan.before = kept;
                    Block::Open
                }
                (true, Block::Closed) => Block::Split,
                (false, Block::Open) => Block::Closed,
                (_, block) => block,
            };
            match index {
                Index::New => {
                    plan.added.push(out);
                    behind.push(block != Block::None);
                    out += 1;
                }
                Index::Rest => {
                    (0..left).for_each(|_| plan.keep_whole());
                    out += left as i32;
                    kept += std::mem::take(&mut left);
                }
                Index::Span(..) | Index::Step(..) => {
                    plan.slice(index)?;
                    out += 1;
                    kept += 1;
                }
                Index::At(at) => plan.position(*at)?,
                Index::Take(positions) => plan.take(positions)?,
            }
        }
        (plan.start.len()..shape.len()).for_each(|_| plan.keep_whole());
        if !plan.taken.is_empty() {
            let split = block == Block::Split;
            plan.before = if split { 0 } else { plan.before };
            let block = plan.block()?.len() as i32;
            for (axis, behind) in plan.added.iter_mut().zip(behind) {
                *axis += if behind || split { block } else { 0 };
            }
        }
        Ok(plan)
    }

    fn keep(&mut self, start: i32, stop: i32, step: i32) {
        self.start.push(start);
        self.stop.push(stop);
        self.step.push(step);
    }

    fn keep_whole(&mut self) {
        self.keep(0, self.shape[self.start.len()], 1);
    }

    fn slice(&mut self, index: &Index) -> Result<(), String> {
        let (start, stop, step) = match *index {
            Index::Step(start, stop, step) => (start, stop, step),
            Index::Span(start, stop) => (start, stop, 1),
            _ => return Ok(()),
        };
        let size = self.shape[self.start.len()];
        // Forwards, bounds are 0 to size; backwards, the last element to before the first.
        let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
        let bound = |at: i32| if at < 0 { at.saturating_add(size) } else { at }.clamp(low, high);
        let (first, last) = if step > 0 { (low, high) } else { (high, low) };
        let (start, stop) = (start.map_or(first, bound), stop.map_or(last, bound));
        match step {
            0 => return Err("[i] a step of 0".to_owned()),
            1.. => self.keep(start, stop.max(start), step),
            _ => self.keep(start, stop.min(start), step),
        }
        Ok(())
    }

    fn position(&mut self, at: i32) -> Result<(), String> {
        let axis = self.start.len();
        let size = self.shape[axis];
        let position = if at < 0 { at.saturating_add(size) } else { at };
        if !(0..size).contains(&position) {
            return Err(format!("[i] index {at} is out of range for axis {axis} of shape {:?}", self.shape));
        }
        self.dropped.push(axis as i32);
        self.keep(position, position + 1, 1);
        Ok(())
    }

    fn take(&mut self, positions: &Tensor) -> Result<(), String> {
        let dtype = positions.dtype();
        if dtype.is_float() || matches!(dtype, mlx_core::Dtype::Bool | mlx_core::Dtype::Complex64) {
            return Err(format!(
                "[i] positions are integers, not {dtype} (a mask alone can be written to: `at`, `set`)"
            ));
        }
        self.axes.push((self.start.len() - self.dropped.len()) as i32);
        self.taken.push(positions.0.clone());
        self.keep_whole();
        Ok(())
    }

    /// The common shape of the integer tensors.
    pub fn block(&self) -> Result<Vec<i32>, String> {
        let shapes: Vec<&[i32]> = self.taken.iter().map(Array::shape).collect();
        broadcast_shapes(&shapes).map_err(|_| format!("[i] index tensors of shapes {shapes:?} do not broadcast"))
    }

    /// Whether the slice is the whole array.
    pub fn is_whole(&self) -> bool {
        self.start.iter().all(|&start| start == 0) && self.stop == self.shape && self.step.iter().all(|&step| step == 1)
    }

    /// Start, stop and step per axis as MLX takes them, where a stop of -1 would be the last element.
    pub fn bounds(&self) -> (&[i32], Vec<i32>, &[i32]) {
        let stop = self.stop.iter().zip(&self.shape);
        (&self.start, stop.map(|(&stop, &size)| if stop < 0 { -1 - size } else { stop }).collect(), &self.step)
    }

    /// The axes of the slice that stay, without those of integer tensors.
    pub fn kept(&self) -> Vec<i32> {
        let mut sizes: Vec<i32> = Vec::with_capacity(self.shape.len());
        for (axis, ((&start, &stop), &step)) in self.start.iter().zip(&self.stop).zip(&self.step).enumerate() {
            if !self.dropped.contains(&(axis as i32)) {
                // Rounded up, for either direction.
                sizes.push((stop - start + step - step.signum()) / step);
            }
        }
        let taken = |axis: &usize| self.axes.contains(&(*axis as i32));
        (0..sizes.len()).filter(|axis| !taken(axis)).map(|axis| sizes[axis]).collect()
    }

    /// The slice alone, without its dropped axes.
    #[track_caller]
    pub fn part(&self, x: &Array) -> Result<Array> {
        let mut x = x.clone();
        if !self.is_whole() {
            let (start, stop, step) = self.bounds();
            x = ops::slice(&x, start, &stop, step)?;
        }
        if self.dropped.is_empty() { Ok(x) } else { ops::squeeze(&x, &self.dropped) }
    }

    #[track_caller]
    pub fn read(&self, x: &Array) -> Result<Array> {
        let mut x = self.part(x)?;
        if !self.taken.is_empty() {
            x = self.gather(&x)?;
        }
        if self.added.is_empty() { Ok(x) } else { ops::expand_dims(&x, &self.added) }
    }

    #[track_caller]
    fn gather(&self, x: &Array) -> Result<Array> {
        if let (&[axis], [positions]) = (&self.axes[..], &self.taken[..])
            && axis as usize == self.before
        {
            return ops::take(x, positions, Some(axis));
        }
        let mut sizes = x.shape().to_vec();
        self.axes.iter().for_each(|&axis| sizes[axis as usize] = 1);
        let found = ops::gather(x, &self.taken, &self.axes, &sizes)?;
        let block = found.ndim() - x.ndim();
        let single: Vec<i32> = self.axes.iter().map(|&axis| axis + block as i32).collect();
        let found = ops::squeeze(&found, &single)?; // (block.., kept..)
        let order = (block..block + self.before).chain(0..block).chain(block + self.before..found.ndim());
        ops::transpose(&found, &order.map(|axis| axis as i32).collect::<Vec<_>>())
    }

    /// The update of the slice's shape, or of what a scatter takes, from a value that broadcasts to what [`Plan::read`] gives.
    #[track_caller]
    pub fn update(&self, value: &Array) -> Result<Array> {
        let block = self.block().map_err(mlx_core::Error::new)?;
        let block = if self.taken.is_empty() { &[][..] } else { &block };
        let mut shape = self.kept();
        shape.splice(self.before.min(shape.len())..self.before.min(shape.len()), block.iter().copied());
        let mut whole = shape.clone();
        self.added.iter().for_each(|&axis| whole.insert(axis as usize, 1));
        let surplus: Vec<i32> = (0..value.ndim().saturating_sub(whole.len()) as i32).collect();
        let value = if surplus.is_empty() { value.clone() } else { ops::squeeze(value, &surplus)? };
        let mut value = ops::broadcast_to(&value, &whole)?;
        if !self.added.is_empty() {
            value = ops::squeeze(&value, &self.added)?;
        }
        if self.taken.is_empty() {
            return if self.dropped.is_empty() { Ok(value) } else { ops::expand_dims(&value, &self.dropped) };
        }
        let (first, n) = (self.before, block.len());
        let order = (first..first + n).chain(0..first).chain(first + n..shape.len());
        let value = ops::transpose(&value, &order.map(|axis| axis as i32).collect::<Vec<_>>())?;
        let single: Vec<i32> = self.axes.iter().map(|&axis| axis + n as i32).collect();
        ops::expand_dims(&value, &single)
    }

    /// The axes that [`Plan::part`] dropped, back again.
    #[track_caller]
    pub fn restore(&self, part: &Array) -> Result<Array> {
        if self.dropped.is_empty() { Ok(part.clone()) } else { ops::expand_dims(part, &self.dropped) }
    }
}
