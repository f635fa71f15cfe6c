//! `+ - * / % & | ^ << >>`, `-x` and `!x` over tensors, results of tensors, and scalars.

use crate::Tensor;
use mlx_core::{Array, Dtype, Result, ops};
use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Shl, Shr, Sub};

/// The other side of a binary operation: `&Tensor`, `Tensor`, `Result<Tensor>`, or a scalar.
///
/// A scalar takes the tensor's dtype, except that a float beside integers makes f32 and an integer beside booleans i32.
pub trait Operand {
    /// What keeps the array alive during the call.
    type Held: AsRef<Array>;
    /// The operand as an array beside a tensor of `dtype`.
    #[track_caller]
    fn hold(self, dtype: Dtype) -> Result<Self::Held>;
}

impl<'a> Operand for &'a Tensor {
    type Held = &'a Tensor;
    fn hold(self, _: Dtype) -> Result<Self::Held> {
        Ok(self)
    }
}

impl Operand for Tensor {
    type Held = Tensor;
    fn hold(self, _: Dtype) -> Result<Self::Held> {
        Ok(self)
    }
}

impl Operand for Result<Tensor> {
    type Held = Tensor;
    fn hold(self, _: Dtype) -> Result<Self::Held> {
        self
    }
}

/// A scalar's array, held.
#[doc(hidden)]
pub struct Scalar(Array);

impl AsRef<Array> for Scalar {
    fn as_ref(&self) -> &Array {
        &self.0
    }
}

macro_rules! float_operands {
    ($($t:ty),*) => { $(impl Operand for $t {
        type Held = Scalar;
        #[track_caller]
        fn hold(self, dtype: Dtype) -> Result<Scalar> {
            let keeps = dtype.is_float() || dtype == Dtype::Complex64;
            Array::scalar(f64::from(self), if keeps { dtype } else { Dtype::F32 }).map(Scalar)
        }
    })* };
}
float_operands!(f32, f64);

macro_rules! int_operands {
    ($($t:ty),*) => { $(impl Operand for $t {
        type Held = Scalar;
        #[track_caller]
        fn hold(self, dtype: Dtype) -> Result<Scalar> {
            let dtype = if dtype == Dtype::Bool { Dtype::I32 } else { dtype };
            Array::scalar_int(i64::from(self), dtype).map(Scalar)
        }
    })* };
}
int_operands!(i8, u8, i16, u16, i32, u32, i64);

impl Operand for bool {
    type Held = Scalar;
    #[track_caller]
    fn hold(self, dtype: Dtype) -> Result<Scalar> {
        Array::scalar_int(i64::from(self), dtype).map(Scalar)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident),* $(,)?) => { $(
        impl<R: Operand> $trait<R> for &Tensor {
            type Output = Result<Tensor>;
            #[track_caller]
            fn $method(self, rhs: R) -> Result<Tensor> {
                ops::$op(&self.0, rhs.hold(self.dtype())?.as_ref()).map(Tensor)
            }
        }

        impl<R: Operand> $trait<R> for Tensor {
            type Output = Result<Tensor>;
            #[track_caller]
            fn $method(self, rhs: R) -> Result<Tensor> {
                (&self).$method(rhs)
            }
        }

        operators!(@from_result $trait $method; &Tensor, Tensor);
        operators!(@from_scalar $trait $method $op; f32, i32);
    )* };
    (@from_result $trait:ident $method:ident; $borrowed:ty, $owned:ty) => {
        impl $trait<$borrowed> for Result<Tensor> {
            type Output = Result<Tensor>;
            #[track_caller]
            fn $method(self, rhs: $borrowed) -> Result<Tensor> {
                (&self?).$method(rhs)
            }
        }

        impl $trait<$owned> for Result<Tensor> {
            type Output = Result<Tensor>;
            #[track_caller]
            fn $method(self, rhs: $owned) -> Result<Tensor> {
                (&self?).$method(rhs)
            }
        }
    };
    (@from_scalar $trait:ident $method:ident $op:ident; $($t:ty),*) => { $(
        impl $trait<&Tensor> for $t {
            type Output = Result<Tensor>;
            #[track_caller]
            fn $method(self, rhs: &Tensor) -> Result<Tensor> {
                ops::$op(self.hold(rhs.dtype())?.as_ref(), &rhs.0).map(Tensor)
            }
        }
    )* };
}
operators! {
    Add add add, Sub sub subtract, Mul mul multiply, Div div divide, Rem rem remainder,
    BitAnd bitand bitwise_and, BitOr bitor bitwise_or, BitXor bitxor bitwise_xor,
    Shl shl left_shift, Shr shr right_shift,
}

impl Neg for &Tensor {
    type Output = Result<Tensor>;
    #[track_caller]
    fn neg(self) -> Result<Tensor> {
        ops::negative(&self.0).map(Tensor)
    }
}

impl Not for &Tensor {
    type Output = Result<Tensor>;
    #[track_caller]
    fn not(self) -> Result<Tensor> {
        ops::bitwise_invert(&self.0).map(Tensor)
    }
}

impl Not for Tensor {
    type Output = Result<Tensor>;
    #[track_caller]
    fn not(self) -> Result<Tensor> {
        !&self
    }
}

impl Neg for Tensor {
    type Output = Result<Tensor>;
    #[track_caller]
    fn neg(self) -> Result<Tensor> {
        -&self
    }
}
