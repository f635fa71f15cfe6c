//! The numbers of the cases: inputs made of them, and results compared with them.

use super::Found;
use super::call::dtype;
use super::compare;
use mlx_ops::{Dtype, Error, Result, Tensor, zeros};
use serde_json::Value;
use std::path::Path;

/// The bytes of `values.bin`.
pub struct Values(Vec<u8>);

/// What a case should give.
pub struct Expected<'a> {
    pub values: &'a Values,
    pub line: &'a Value,
}

fn list(value: &Value) -> Vec<i32> {
    value.as_array().into_iter().flatten().filter_map(Value::as_i64).map(|size| size as i32).collect()
}

impl Values {
    pub fn read(path: &Path) -> std::io::Result<Self> {
        std::fs::read(path).map(Self)
    }

    /// The bytes of a tensor `[dtype, shape, offset]`.
    fn bytes(&self, tensor: &Value) -> Option<&[u8]> {
        let size: i32 = list(&tensor[1]).iter().product();
        let from = tensor[2].as_u64()? as usize;
        self.0.get(from..from + size as usize * dtype(tensor[0].as_str()?).size())
    }

    /// The tensor `[dtype, shape, offset, steps]`, with the steps to its view.
    pub fn input(&self, tensor: &Value) -> Result<Tensor> {
        let bytes = self.bytes(tensor).ok_or_else(|| Error::new(format!("values.bin lacks {tensor}")))?;
        let (dims, dtype) = (list(&tensor[1]), dtype(tensor[0].as_str().unwrap_or_default()));
        let mut x = match bytes.len() {
            0 => zeros(dims, dtype)?,
            n => Tensor::from_slice(bytes, [n as i32])?.view(dtype)?.reshape(dims)?,
        };
        for step in tensor[3].as_array().into_iter().flatten() {
            x = match step[0].as_str() {
                Some("transpose") => x.transpose(list(&step[1]))?,
                Some("slice") => {
                    let (start, stop, step) = (list(&step[1]), list(&step[2]), list(&step[3]));
                    mlx_core::ops::slice(x.as_array(), &start, &stop, &step)?.into()
                }
                _ => x.broadcast_to(list(&step[1]))?,
            };
        }
        Ok(x)
    }
}

/// The bytes of a tensor's values in order; this computes them.
pub fn bytes(x: &Tensor) -> Result<Vec<u8>> {
    x.eval()?;
    if x.size() == 0 { Ok(Vec::new()) } else { x.contiguous()?.reshape([-1])?.view(Dtype::U8)?.to_vec() }
}

/// Messages by the ops that have other words here: those of Python's own binding, and of what ours checks first.
const OWN_WORDS: [(&str, &str); 9] = [
    // Positions are checked before MLX sees them.
    ("take", "[take] Cannot do a non-empty take from an empty axis"),
    ("slice", "[slice] Invalid slice size"),
    ("slice_update", "[broadcast_shapes] Shapes (3,9,5) and (3,4,5)"),
    ("operator.", "Floating point types not allowed with"),
    ("convolve", "[convolve] Inputs"),
    ("getitem", "Too many indices for array"),
    // Python's binding slices and squeezes, where ours checks the position.
    ("getitem", "[squeeze] Cannot squeeze axis"),
    // A mask is checked for a single value too, which needs no scatter.
    ("setitem", "[masked_scatter] The boolean mask should have the same shape"),
    // The shapes that the binding names have the axes that the index drops.
    ("", "[broadcast_shapes] Shapes (3) and (1,4,5)"),
];

impl Expected<'_> {
    /// Compares tensors and their bytes, or an error, with the case's.
    pub fn compare(&self, ours: Result<Vec<(Tensor, Vec<u8>)>>) -> Found {
        let outputs = self.line["outputs"].as_array();
        match (self.line["error"].as_str(), ours) {
            (Some(expected), Err(ours)) => {
                let same = ours.message().contains(expected) || self.has_other_words(expected);
                if same {
                    Found::Refused
                } else {
                    Found::Mismatch(format!("the error is `{}`, not `{expected}`", ours.message()))
                }
            }
            (Some(expected), Ok(_)) => Found::Mismatch(format!("no error, where Python says `{expected}`")),
            (None, Err(error)) => Found::Mismatch(format!("an error: {error}")),
            (None, Ok(ours)) => self.outputs(outputs.map_or(&[], Vec::as_slice), &ours),
        }
    }

    fn has_other_words(&self, expected: &str) -> bool {
        let op = self.line["op"].as_str().unwrap_or_default();
        OWN_WORDS.iter().any(|(ops, text)| op.starts_with(ops) && expected.starts_with(text))
    }

    fn outputs(&self, expected: &[Value], ours: &[(Tensor, Vec<u8>)]) -> Found {
        if expected.len() != ours.len() {
            return Found::Mismatch(format!("{} outputs, not {}", ours.len(), expected.len()));
        }
        let class = self.line["tolerance"].as_str().unwrap_or("same");
        let mut largest = 0f64;
        for (number, (expected, (ours, found))) in expected.iter().zip(ours).enumerate() {
            let (dims, kind) = (list(&expected[1]), dtype(expected[0].as_str().unwrap_or_default()));
            if (ours.shape(), ours.dtype()) != (&dims[..], kind) {
                let (dtype, shape) = (ours.dtype(), ours.shape());
                return Found::Mismatch(format!("output {number} is {dtype} {shape:?}, not {kind} {dims:?}"));
            }
            let Some(wanted) = self.values.bytes(expected) else {
                return Found::Mismatch(format!("values.bin lacks {expected}"));
            };
            match compare::compare(class, kind, found, wanted) {
                Ok(difference) => largest = largest.max(difference),
                Err(text) => return Found::Mismatch(format!("output {number}: {text}")),
            }
        }
        Found::Same(largest)
    }
}
