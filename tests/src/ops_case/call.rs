//! The inputs and arguments of a case by name, and what the closures of the tables return.

use mlx_ops::{Axes, Axis, Dtype, Operand, Result, Tensor};
use serde_json::Value;
use std::collections::BTreeMap;

/// An op of a table.
pub type Op = fn(&Call<'_>) -> Result<Vec<Tensor>>;

/// What an op is called with. An argument that is not there is a mistake of the table: a panic.
pub struct Call<'a> {
    pub inputs: BTreeMap<String, Tensor>,
    pub args: &'a Value,
}

/// Some axes, or all where the case has `null`.
pub struct Named(Option<Vec<i32>>);

impl Axes for Named {
    fn are_all(&self) -> bool {
        self.0.is_none()
    }

    #[track_caller]
    fn with<T>(self, ndim: usize, f: impl FnOnce(&[i32]) -> T) -> T {
        match self.0 {
            Some(axes) => axes.as_slice().with(ndim, f),
            None => (..).with(ndim, f),
        }
    }
}

/// One axis, or none where the case has `null`.
pub struct One(Option<i32>);

impl Axis for One {
    fn one(self) -> Option<i32> {
        self.0
    }
}

/// A Python number: an int or a float.
#[derive(Clone, Copy)]
pub enum Number {
    Int(i64),
    Float(f64),
}

impl Operand for Number {
    type Held = Tensor;

    #[track_caller]
    fn hold(self, dtype: Dtype) -> Result<Tensor> {
        let array = match self {
            Self::Int(value) => value.hold(dtype)?.as_ref().clone(),
            Self::Float(value) => value.hold(dtype)?.as_ref().clone(),
        };
        Ok(array.into())
    }
}

impl Call<'_> {
    /// An input.
    #[track_caller]
    pub fn x(&self, name: &str) -> &Tensor {
        self.maybe(name).unwrap_or_else(|| panic!("the case has no input `{name}`"))
    }

    /// An input that not every case has.
    pub fn maybe(&self, name: &str) -> Option<&Tensor> {
        self.inputs.get(name)
    }

    /// The inputs of these names that the case has.
    pub fn some(&self, names: &[&str]) -> Vec<Tensor> {
        names.iter().filter_map(|name| self.maybe(name)).cloned().collect()
    }

    /// An integer or `null`.
    #[track_caller]
    pub fn maybe_int(&self, name: &str) -> Option<i32> {
        let wide = |value: i64| i32::try_from(value).unwrap_or_else(|e| panic!("`{name}`: {e}"));
        self.args[name].as_i64().map(wide)
    }

    #[track_caller]
    pub fn int(&self, name: &str) -> i32 {
        self.maybe_int(name).unwrap_or_else(|| panic!("the case has no integer `{name}`"))
    }

    #[track_caller]
    pub fn seed(&self, name: &str) -> u64 {
        self.args[name].as_u64().unwrap_or_else(|| panic!("the case has no seed `{name}`"))
    }

    #[track_caller]
    pub fn float(&self, name: &str) -> f64 {
        self.args[name].as_f64().unwrap_or_else(|| panic!("the case has no number `{name}`"))
    }

    #[track_caller]
    pub fn number(&self, name: &str) -> Number {
        match self.args[name].as_i64() {
            Some(value) => Number::Int(value),
            None => Number::Float(self.float(name)),
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        self.args[name].as_bool().unwrap_or(false)
    }

    pub fn text(&self, name: &str) -> &str {
        self.args[name].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub fn dtype(&self, name: &str) -> Dtype {
        dtype(self.text(name))
    }

    /// A list of integers or `null`.
    pub fn maybe_list(&self, name: &str) -> Option<Vec<i32>> {
        self.args[name].as_array().map(|list| integers(list))
    }

    #[track_caller]
    pub fn list(&self, name: &str) -> Vec<i32> {
        self.maybe_list(name).unwrap_or_else(|| panic!("the case has no list `{name}`"))
    }

    pub fn lists(&self, name: &str) -> Vec<Vec<i32>> {
        let lists = self.args[name].as_array().into_iter().flatten();
        lists.filter_map(Value::as_array).map(|list| integers(list)).collect()
    }

    pub fn axes(&self) -> Named {
        Named(self.maybe_list("axes"))
    }

    #[track_caller]
    pub fn axis(&self) -> One {
        One(self.maybe_int("axis"))
    }
}

fn integers(list: &[Value]) -> Vec<i32> {
    list.iter().filter_map(Value::as_i64).map(|value| value as i32).collect()
}

/// The dtype of MLX's name.
#[track_caller]
pub fn dtype(name: &str) -> Dtype {
    use Dtype::*;
    let all = [Bool, U8, U16, U32, U64, I8, I16, I32, I64, F16, F32, F64, Bf16, Complex64];
    let found = all.into_iter().find(|dtype| dtype.name() == name);
    found.unwrap_or_else(|| panic!("`{name}` is no dtype"))
}

/// What ops return, as a list.
pub trait Outputs {
    fn listed(self) -> Result<Vec<Tensor>>;
}

impl Outputs for Result<Tensor> {
    fn listed(self) -> Result<Vec<Tensor>> {
        Ok(vec![self?])
    }
}

impl Outputs for Result<(Tensor, Tensor)> {
    fn listed(self) -> Result<Vec<Tensor>> {
        self.map(|(a, b)| vec![a, b])
    }
}

impl Outputs for Result<(Tensor, Tensor, Tensor)> {
    fn listed(self) -> Result<Vec<Tensor>> {
        self.map(|(a, b, c)| vec![a, b, c])
    }
}

impl Outputs for Result<Vec<Tensor>> {
    fn listed(self) -> Result<Vec<Tensor>> {
        self
    }
}

impl Outputs for Result<bool> {
    fn listed(self) -> Result<Vec<Tensor>> {
        Ok(vec![Tensor::from_slice(&[self?], [])?])
    }
}

/// The function `find` of a table: `"name" => |a| what it returns;`.
macro_rules! ops {
    ($($name:literal => |$a:ident| $e:expr;)*) => {
        /// The op of this name.
        pub fn find(name: &str) -> Option<$crate::ops_case::call::Op> {
            let op: $crate::ops_case::call::Op = match name {
                $($name => |$a| $crate::ops_case::call::Outputs::listed($e),)*
                _ => return None,
            };
            Some(op)
        }
    };
}
pub(super) use ops;
