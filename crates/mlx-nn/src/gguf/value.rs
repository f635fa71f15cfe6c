//! Metadata values and how they are read.

/// A metadata value. Integers of every width are one kind, and so are floats: a reader cares for the number.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    Int(i128),
    Float(f64),
    Bool(bool),
    Str(String),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Bools(Vec<bool>),
    Strs(Vec<String>),
    Arrays(Vec<Value>),
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Int(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Bool(_) => "a boolean",
            Value::Str(_) => "a string",
            Value::Ints(_) => "an array of integers",
            Value::Floats(_) => "an array of floats",
            Value::Bools(_) => "an array of booleans",
            Value::Strs(_) => "an array of strings",
            Value::Arrays(_) => "an array of arrays",
        }
    }
}

/// A Rust type that a metadata value can be read as.
pub trait FromValue<'a>: Sized {
    /// The end of "... is expected".
    const EXPECTED: &'static str;
    /// The value, or `None` where it is of another kind.
    fn from_value(value: &'a Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($ty:ty, $expected:literal, $pattern:pat => $out:expr;)*) => {$(
        impl<'a> FromValue<'a> for $ty {
            const EXPECTED: &'static str = $expected;
            fn from_value(value: &'a Value) -> Option<Self> {
                match value {
                    $pattern => $out,
                    _ => None,
                }
            }
        }
    )*};
}

from_value! {
    u32, "an unsigned 32-bit integer", Value::Int(v) => u32::try_from(*v).ok();
    u64, "an unsigned 64-bit integer", Value::Int(v) => u64::try_from(*v).ok();
    i64, "a 64-bit integer", Value::Int(v) => i64::try_from(*v).ok();
    f64, "a float", Value::Float(v) => Some(*v);
    f32, "a float", Value::Float(v) => Some(*v as f32);
    bool, "a boolean", Value::Bool(v) => Some(*v);
    &'a str, "a string", Value::Str(v) => Some(v);
    &'a [String], "an array of strings", Value::Strs(v) => Some(v);
    &'a [f64], "an array of floats", Value::Floats(v) => Some(v);
    &'a [i64], "an array of integers", Value::Ints(v) => Some(v);
    &'a [bool], "an array of booleans", Value::Bools(v) => Some(v);
}
