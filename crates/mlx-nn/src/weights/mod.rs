//! Weights by name: scoped, shape-checked, and packed or dense as the checkpoint has them.

mod doubles;
mod load;
mod pickle;
mod place;
mod torch;

pub use load::{Checkpoint, ModelFiles, are_complete};

use crate::{Embedding, Error, Linear, Result};
use mlx_ops::{Dtype, Matrix, Quantization, Sums, Tensor, concatenate, memory, zeros};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A checkpoint's tensors seen from one module's place in it.
///
/// Taking a tensor removes it, so that [`Weights::finish`] can name what was never used. A tensor that is missing is
/// noted and stands in as zeros until then, so that one error names all of them.
#[derive(Clone)]
pub struct Weights {
    store: Rc<Store>,
    path: String,
    /// How linear layers are multiplied, where that was said.
    sums: Option<Sums>,
}

struct Store {
    origin: String,
    dtype: Option<Dtype>,
    left: RefCell<BTreeMap<String, Tensor>>,
    taken: RefCell<Vec<Tensor>>,
    missing: RefCell<Vec<String>>,
}

impl Weights {
    /// The tensors of a checkpoint. Floating-point tensors convert to `dtype` if given; packed ones stay packed.
    pub fn new(tensors: BTreeMap<String, Tensor>, dtype: Option<Dtype>, origin: impl Into<String>) -> Self {
        let (taken, missing) = (RefCell::default(), RefCell::default());
        let store = Store { origin: origin.into(), dtype, left: RefCell::new(tensors), taken, missing };
        Self { store: Rc::new(store), path: String::new(), sums: None }
    }

    /// The same weights seen from a child module.
    pub fn at(&self, name: impl std::fmt::Display) -> Self {
        Self { path: self.key(&name.to_string()), ..self.clone() }
    }

    /// The same weights, dense linear layers of which are brought into the order that products of many rows want: see
    /// [`Matrix::paneled`].
    pub fn for_many_rows(&self, sums: Sums) -> Self {
        Self { sums: Some(sums), ..self.clone() }
    }

    fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Whether a tensor of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.store.left.borrow().contains_key(&self.key(name))
    }

    /// The shape of the tensor of this name, if it is there.
    pub fn shape(&self, name: &str) -> Option<Vec<i32>> {
        self.store.left.borrow().get(&self.key(name)).map(|tensor| tensor.shape().to_vec())
    }

    /// Leaves tensors out that the model does not want.
    pub fn drop_where(&self, unwanted: impl Fn(&str) -> bool) {
        self.store.left.borrow_mut().retain(|name, _| !unwanted(name));
    }

    fn pop(&self, name: &str) -> Option<Tensor> {
        self.store.left.borrow_mut().remove(&self.key(name))
    }

    fn typed(&self, tensor: Tensor) -> Result<Tensor> {
        Ok(match self.store.dtype {
            Some(dtype) if tensor.dtype().is_float() && tensor.dtype() != dtype => tensor.astype(dtype)?,
            _ => tensor,
        })
    }

    /// As [`Weights::typed`], but that a part of a matrix keeps its 16 bits where products read them.
    fn typed_part(&self, part: Tensor) -> Result<Tensor> {
        let narrow = matches!(part.dtype(), Dtype::F16 | Dtype::Bf16);
        if narrow && self.store.dtype == Some(Dtype::F32) && Matrix::widens_in_products() {
            return Ok(part);
        }
        self.typed(part)
    }

    /// Notes a tensor as one that the model holds.
    fn keep(&self, tensor: Tensor) -> Tensor {
        self.store.taken.borrow_mut().push(tensor.clone());
        tensor
    }

    fn keep_matrix(&self, matrix: Matrix) -> Matrix {
        matrix.parts().for_each(|part| {
            self.keep(part.clone());
        });
        matrix
    }

    /// Notes the matrix of a linear layer.
    fn keep_layer(&self, matrix: Matrix) -> Result<Matrix> {
        Ok(self.keep_matrix(match self.sums {
            Some(sums) => matrix.paneled(sums)?,
            None => matrix,
        }))
    }

    fn wrong_shape(&self, name: &str, found: &[i32], expected: &[i32]) -> Error {
        let key = self.key(name);
        Error::msg(format!("{}: tensor `{key}` has shape {found:?}, expected {expected:?}.", self.store.origin))
    }

    /// The tensor of this name, which must have shape `dims`.
    pub fn take(&self, name: &str, dims: &[i32]) -> Result<Tensor> {
        Ok(self.keep(self.typed(self.read(name, dims)?)?))
    }

    /// The tensor of this name, which must have one of these shapes.
    pub fn take_any<const N: usize>(&self, name: &str, shapes: &[[i32; N]]) -> Result<Tensor> {
        let found = self.store.left.borrow().get(&self.key(name)).map(|tensor| tensor.shape().to_vec());
        let fits = shapes.iter().find(|shape| Some(&shape[..]) == found.as_deref());
        self.take(name, fits.unwrap_or(&shapes[0]))
    }

    fn read(&self, name: &str, dims: &[i32]) -> Result<Tensor> {
        match self.pop(name) {
            Some(tensor) if tensor.shape() == dims => Ok(tensor),
            Some(tensor) => Err(self.wrong_shape(name, tensor.shape(), dims)),
            None => {
                self.store.missing.borrow_mut().push(self.key(name));
                Ok(zeros(dims, self.store.dtype.unwrap_or(Dtype::F32))?)
            }
        }
    }

    /// The matrix `weight` of shape `(out, in)`, packed if its `scales` are there.
    pub fn matrix(&self, inputs: i32, outputs: i32) -> Result<Matrix> {
        Ok(self.keep_matrix(self.read_matrix(inputs, outputs)?))
    }

    fn read_matrix(&self, inputs: i32, outputs: i32) -> Result<Matrix> {
        let packed = self.pop("scales").and_then(|scales| Some((self.pop("weight")?, scales)));
        let Some((weight, scales)) = packed else {
            return Ok(Matrix::dense(self.typed_part(self.read("weight", &[outputs, inputs])?)?)?);
        };
        let q = self.infer(&weight, &scales, inputs, outputs)?;
        let biases = (q.mode == "affine").then(|| self.typed_part(self.read("biases", scales.shape())?)).transpose()?;
        Ok(Matrix::Packed { weight, scales: self.typed_part(scales)?, biases, q })
    }

    /// Bits and group size follow from the shapes, and the scales' dtype tells the mode, so that a per-layer setting
    /// in config.json needs no reading: it can only repeat what the tensors say.
    fn infer(&self, weight: &Tensor, scales: &Tensor, inputs: i32, outputs: i32) -> Result<Quantization> {
        let (packed, groups) = match (weight.shape(), scales.shape()) {
            (&[rows, packed], &[also, groups]) if rows == outputs && also == outputs && groups > 0 => (packed, groups),
            (found, _) if found.first() != Some(&outputs) => {
                return Err(self.wrong_shape("weight", found, &[outputs, inputs]));
            }
            (_, found) => return Err(self.wrong_shape("scales", found, &[outputs, -1])),
        };
        let (bits, group_size) = (packed * 32 / inputs, inputs / groups);
        let mode = match (scales.dtype(), bits, group_size) {
            (Dtype::U8, 4, 16) => "nvfp4",
            (Dtype::U8, 4, 32) => "mxfp4",
            (Dtype::U8, 8, 32) => "mxfp8",
            (dtype, 2..=8, 16 | 32 | 64 | 128) if dtype.is_float() => "affine",
            _ => {
                return Err(Error::msg(format!(
                    "{}: tensor `{}` is packed in a way MLX does not know: {bits} bits in groups of {group_size}, scales {}.",
                    self.store.origin,
                    self.key("weight"),
                    scales.dtype()
                )));
            }
        };
        match packed * 32 == inputs * bits && groups * group_size == inputs {
            true => Ok(Quantization { group_size, bits, mode }),
            false => Err(self.wrong_shape("weight", weight.shape(), &[outputs, inputs * bits / 32])),
        }
    }

    /// The linear layer at `name`, from `inputs` to `outputs` features.
    pub fn linear(&self, name: &str, inputs: i32, outputs: i32, bias: bool) -> Result<Linear> {
        let w = self.at(name);
        let matrix = w.keep_layer(w.read_matrix(inputs, outputs)?)?;
        let bias = bias.then(|| w.take("bias", &[outputs])).transpose()?;
        Ok(Linear::new(matrix, bias))
    }

    /// The linear layers at `names` on the same input, joined to one where their matrices are of one kind.
    ///
    /// A joined matrix is computed by [`Weights::finish`], after which nothing holds its parts.
    pub fn joined(&self, names: &[&str], inputs: i32, outputs: &[i32], bias: bool) -> Result<Vec<Linear>> {
        let places: Vec<(Self, i32)> = names.iter().map(|name| self.at(name)).zip(outputs.iter().copied()).collect();
        let matrices = places.iter().map(|(w, out)| w.read_matrix(inputs, *out)).collect::<Result<Vec<_>>>()?;
        let biases = match bias {
            true => places.iter().map(|(w, out)| w.typed(w.read("bias", &[*out])?)).collect::<Result<Vec<_>>>()?,
            false => Vec::new(),
        };
        if let Some(matrix) = Matrix::joined(&matrices)? {
            let bias = bias.then(|| Ok::<_, Error>(self.keep(concatenate(&biases, 0)?))).transpose()?;
            return Ok(vec![Linear::new(self.keep_layer(matrix)?, bias)]);
        }
        let mut biases = biases.into_iter();
        let mut linear = |matrix| {
            let bias = biases.next().map(|bias| self.keep(bias));
            Ok(Linear::new(self.keep_layer(matrix)?, bias))
        };
        matrices.into_iter().map(&mut linear).collect()
    }

    /// The embedding at `name`: `entries` rows of `dims` features.
    pub fn embedding(&self, name: &str, entries: i32, dims: i32) -> Result<Embedding> {
        let matrix = self.at(name).matrix(dims, entries)?;
        let dtype = match (self.store.dtype, matrix.parts().find(|part| part.dtype().is_float())) {
            (Some(dtype), _) => dtype,
            (None, Some(part)) => part.dtype(),
            // MLX unpacks the formats without biases as bf16.
            (None, None) => Dtype::Bf16,
        };
        Ok(Embedding::new(matrix, dtype))
    }

    /// `count` modules at `name.0`, `name.1` and so on.
    pub fn layers<T>(&self, name: &str, count: usize, f: impl Fn(&Weights, usize) -> Result<T>) -> Result<Vec<T>> {
        (0..count).map(|i| f(&self.at(format_args!("{name}.{i}")), i)).collect()
    }

    /// Reads all taken tensors into memory, reporting bytes done and in all, and fails where the checkpoint lacks a
    /// tensor or holds one that no module took.
    pub fn finish(&self, mut progress: impl FnMut(usize, usize)) -> Result<()> {
        let missing = self.store.missing.take();
        let unused: Vec<String> = self.store.left.take().into_keys().collect();
        if !missing.is_empty() || !unused.is_empty() {
            return Err(mismatch(&self.store.origin, &missing, &unused));
        }
        let taken = self.store.taken.take();
        let total = taken.iter().map(Tensor::nbytes).sum();
        let mut done = 0;
        for tensor in taken {
            tensor.eval().map_err(|e| Error::msg(format!("{}: {}", self.store.origin, e.message())))?;
            done += tensor.nbytes();
            progress(done, total);
        }
        // What joined matrices were made of.
        memory::clear_cache()?;
        memory::trim()?;
        Ok(())
    }
}

fn mismatch(origin: &str, missing: &[String], unused: &[String]) -> Error {
    let list = |names: &[String]| {
        let shown: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
        let more = names.len().saturating_sub(8);
        if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
    };
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("the model needs tensors that are not there: {}", list(missing)));
    }
    if !unused.is_empty() {
        parts.push(format!("there are tensors that the model does not use: {}", list(unused)));
    }
    Error::msg(format!("{origin}: {}.", parts.join("; ")))
}
