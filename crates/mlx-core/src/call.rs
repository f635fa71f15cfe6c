//! How a safe function meets its bridge: argument conversion and error location, written once.

use crate::{Array, Dtype};

/// An argument as the bridge takes it.
pub(crate) trait Argument {
    type Ffi;
    fn ffi(self) -> Self::Ffi;
}

macro_rules! as_is {
    ($($t:ty),*) => { $(impl Argument for $t {
        type Ffi = Self;
        fn ffi(self) -> Self { self }
    })* };
}
as_is!(&Array, &[Array], &[i32], &[i64], &str, i32, usize, u64, f32, f64, bool, [i32; 2], [i32; 3]);

impl Argument for Dtype {
    type Ffi = u8;
    fn ffi(self) -> u8 {
        self as u8
    }
}

impl Argument for Option<Dtype> {
    type Ffi = u8;
    fn ffi(self) -> u8 {
        self.map_or(u8::MAX, Argument::ffi)
    }
}

impl<'a> Argument for Option<&'a [i32]> {
    type Ffi = &'a [i32];
    fn ffi(self) -> &'a [i32] {
        self.unwrap_or(&[i32::MIN])
    }
}

impl<'a> Argument for Option<&'a Array> {
    type Ffi = &'a [Array];
    fn ffi(self) -> &'a [Array] {
        self.map_or(&[], std::slice::from_ref)
    }
}

impl Argument for Option<i32> {
    type Ffi = i32;
    fn ffi(self) -> i32 {
        self.unwrap_or(i32::MIN)
    }
}

impl Argument for Option<bool> {
    type Ffi = i8;
    fn ffi(self) -> i8 {
        self.map_or(-1, i8::from)
    }
}

impl Argument for Option<f32> {
    type Ffi = f32;
    fn ffi(self) -> f32 {
        self.unwrap_or(f32::NAN)
    }
}

/// Calls a bridge function; an exception becomes an error at the caller's location.
macro_rules! call {
    ($e:expr) => {
        match $e {
            Ok(value) => Ok(value),
            Err(e) => Err($crate::Error::from_cxx(e)),
        }
    };
}

/// Public functions over a bridge, a line each; what stands behind `where` is checked first, `=>` replaces an
/// argument by what was checked.
macro_rules! functions {
    ($ffi:ident; $($(#[$doc:meta])* fn $name:ident($($arg:ident: $t:ty),* $(,)?) -> $out:ty
        $(where $check:expr)? $(=> $checked:ident = $with:expr)?;)*) => { $(
        $(#[$doc])*
        #[track_caller]
        #[allow(clippy::too_many_arguments)]
        pub fn $name($($arg: $t),*) -> $crate::Result<$out> {
            $($check?;)?
            $(let $checked = $with;)?
            $crate::call::call!($ffi::$name($($crate::call::Argument::ffi($arg)),*))
        }
    )* };
}
pub(crate) use {call, functions};
