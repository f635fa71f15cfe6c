//! Random arguments: mostly such as fit, now and then such as do not.

use mlx_ops::{Dtype, Result, Tensor, random};
use std::cell::RefCell;

/// What an episode knows: its random numbers and the tensors that it has made.
pub struct Dice {
    state: u64,
    pool: Vec<Tensor>,
    /// What was drawn for the op at hand.
    pub drawn: RefCell<Vec<String>>,
}

/// Tensors of an episode; a new one takes an old one's place.
const POOL: usize = 24;

/// Elements beyond which a tensor is not kept.
const LARGE: usize = 1 << 14;

const DTYPES: [Dtype; 14] = [
    Dtype::Bool,
    Dtype::U8,
    Dtype::U16,
    Dtype::U32,
    Dtype::U64,
    Dtype::I8,
    Dtype::I16,
    Dtype::I32,
    Dtype::I64,
    Dtype::F16,
    Dtype::F32,
    Dtype::F64,
    Dtype::Bf16,
    Dtype::Complex64,
];

/// Integers at which arithmetic tends to break.
const WILD: [i32; 10] = [i32::MIN, i32::MIN + 1, -65_537, -7, -1, 0, 33, 65_536, i32::MAX - 1, i32::MAX];

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, pool: Vec::new(), drawn: RefCell::default() }
    }

    fn note<T: std::fmt::Debug>(&self, value: T) -> T {
        self.drawn.borrow_mut().push(format!("{value:?}"));
        value
    }

    fn bits(&mut self) -> u64 {
        // xorshift64*
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.bits() >> 33) as usize) % n.max(1)
    }

    /// Whether one chance in `n` came.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn flag(&mut self) -> bool {
        let flag = self.once_in(2);
        self.note(flag)
    }

    /// An integer from `low` to `high`, or a wild one.
    pub fn int(&mut self, low: i32, high: i32) -> i32 {
        let value = match self.once_in(24) {
            true => WILD[self.below(WILD.len())],
            false => low + self.below((high - low + 1) as usize) as i32,
        };
        self.note(value)
    }

    pub fn axis(&mut self) -> i32 {
        self.int(-3, 3)
    }

    pub fn axes(&mut self) -> Vec<i32> {
        let n = self.below(4);
        (0..n).map(|_| self.axis()).collect()
    }

    pub fn ints(&mut self, low: i32, high: i32) -> Vec<i32> {
        let n = self.below(5);
        (0..n).map(|_| self.int(low, high)).collect()
    }

    pub fn dims(&mut self) -> Vec<i32> {
        self.ints(0, 6)
    }

    pub fn float(&mut self) -> f64 {
        const FLOATS: [f64; 8] = [0.0, 1.0, -1.0, 0.5, 3.0, f64::NAN, f64::INFINITY, 1e30];
        let value = FLOATS[self.below(FLOATS.len())];
        self.note(value)
    }

    pub fn dtype(&mut self) -> Dtype {
        let dtype = match self.once_in(2) {
            true => Dtype::F32,
            false => DTYPES[self.below(DTYPES.len())],
        };
        self.note(dtype)
    }

    pub fn one_of<T: Copy + std::fmt::Debug>(&mut self, of: &[T]) -> T {
        let value = of[self.below(of.len())];
        self.note(value)
    }

    /// A tensor of the pool.
    pub fn tensor(&mut self) -> Tensor {
        let at = self.below(self.pool.len());
        let tensor = self.pool[at].clone();
        self.note(tensor)
    }

    /// A tensor of one of these dtypes, if the pool has one.
    pub fn tensor_of(&mut self, wanted: impl Fn(Dtype) -> bool) -> Tensor {
        let fitting: Vec<Tensor> = self.pool.iter().filter(|tensor| wanted(tensor.dtype())).cloned().collect();
        match fitting.is_empty() {
            true => self.tensor(),
            false => {
                let tensor = fitting[self.below(fitting.len())].clone();
                self.note(tensor)
            }
        }
    }

    pub fn floats(&mut self) -> Tensor {
        self.tensor_of(Dtype::is_float)
    }

    pub fn maybe(&mut self) -> Option<Tensor> {
        self.once_in(2).then(|| self.tensor())
    }

    /// Integers that may be positions.
    pub fn positions(&mut self) -> Tensor {
        self.tensor_of(|dtype| matches!(dtype, Dtype::I32 | Dtype::U32 | Dtype::I64 | Dtype::U8))
    }

    pub fn tensors(&mut self) -> Vec<Tensor> {
        let n = self.below(4);
        (0..n).map(|_| self.tensor()).collect()
    }

    /// A new tensor of small numbers.
    pub fn fresh(&mut self) -> Result<Tensor> {
        let (mut dims, dtype) = (self.dims(), self.dtype());
        dims.iter_mut().for_each(|dim| *dim = (*dim).clamp(0, 6));
        let key = random::key(self.bits() >> 1)?;
        match dtype.is_float() || dtype == Dtype::Complex64 {
            true => random::normal(dims, Dtype::F32, Some(&key))?.astype(dtype),
            false => random::randint(-2, 5, dims, Dtype::I32, Some(&key))?.astype(dtype),
        }
    }

    /// Keeps a tensor, unless it is large.
    pub fn keep(&mut self, tensor: Tensor) {
        // The product of a huge shape wraps.
        let size = tensor.shape().iter().try_fold(1usize, |size, &dim| size.checked_mul(dim.max(0) as usize));
        if size.is_none_or(|size| size > LARGE) {
            return;
        }
        match self.pool.len() < POOL {
            true => self.pool.push(tensor),
            false => {
                let at = self.below(POOL);
                self.pool[at] = tensor;
            }
        }
    }

    pub fn is_small(tensor: &Tensor) -> bool {
        let size = tensor.shape().iter().try_fold(1usize, |size, &dim| size.checked_mul(dim.max(0) as usize));
        size.is_some_and(|size| size <= LARGE)
    }
}
