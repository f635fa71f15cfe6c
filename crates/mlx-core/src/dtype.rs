//! Element types, and the Rust types that are elements.

use crate::bridge::runtime::ffi;
use half::{bf16, f16};
use std::fmt;

/// The type of an array's elements, in MLX's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Dtype {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    F32,
    F64,
    Bf16,
    Complex64,
}

impl Dtype {
    const ALL: [(Dtype, &'static str, usize); 14] = [
        (Dtype::Bool, "bool", 1),
        (Dtype::U8, "uint8", 1),
        (Dtype::U16, "uint16", 2),
        (Dtype::U32, "uint32", 4),
        (Dtype::U64, "uint64", 8),
        (Dtype::I8, "int8", 1),
        (Dtype::I16, "int16", 2),
        (Dtype::I32, "int32", 4),
        (Dtype::I64, "int64", 8),
        (Dtype::F16, "float16", 2),
        (Dtype::F32, "float32", 4),
        (Dtype::F64, "float64", 8),
        (Dtype::Bf16, "bfloat16", 2),
        (Dtype::Complex64, "complex64", 8),
    ];

    pub(crate) fn from_code(code: u8) -> Self {
        Self::ALL[usize::from(code)].0
    }

    /// MLX's name, such as `float32`.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Bytes per element.
    pub fn size(self) -> usize {
        Self::ALL[self as usize].2
    }

    /// The dtype of a result of both, by MLX's rules of promotion.
    ///
    /// ```
    /// use mlx_core::Dtype;
    /// assert_eq!(Dtype::I32.promote(Dtype::F16), Dtype::F16);
    /// assert_eq!(Dtype::F16.promote(Dtype::Bf16), Dtype::F32);
    /// ```
    pub fn promote(self, other: Self) -> Self {
        Self::from_code(ffi::promote_types(self as u8, other as u8))
    }

    /// The type of this name that models compute in: `f32`, `f16`, `bf16`, or as MLX writes them.
    ///
    /// ```
    /// use mlx_core::Dtype;
    /// assert_eq!(Dtype::of_models("bf16"), Ok(Dtype::Bf16));
    /// assert_eq!(Dtype::of_models("int8"), Err("`int8` is not f32, f16 or bf16".to_string()));
    /// ```
    pub fn of_models(name: &str) -> Result<Self, String> {
        match name {
            "f32" | "float32" => Ok(Self::F32),
            "f16" | "float16" => Ok(Self::F16),
            "bf16" | "bfloat16" => Ok(Self::Bf16),
            other => Err(format!("`{other}` is not f32, f16 or bf16")),
        }
    }

    /// Whether this is f16, bf16, f32 or f64.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type whose values are an array's elements, byte for byte; a complex one is `[real, imaginary]`.
pub trait Element: sealed::Sealed + Copy + 'static {
    /// The dtype of this type.
    const DTYPE: Dtype;
}

macro_rules! elements {
    ($($t:ty => $dtype:ident),* $(,)?) => { $(
        impl sealed::Sealed for $t {}
        impl Element for $t {
            const DTYPE: Dtype = Dtype::$dtype;
        }
    )* };
}
elements! {
    bool => Bool, u8 => U8, u16 => U16, u32 => U32, u64 => U64, i8 => I8, i16 => I16, i32 => I32, i64 => I64,
    f16 => F16, f32 => F32, f64 => F64, bf16 => Bf16, [f32; 2] => Complex64,
}
