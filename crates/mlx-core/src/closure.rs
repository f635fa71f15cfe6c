//! How a Rust closure crosses into MLX and back: no panic leaves it, and its error arrives as it was.

use crate::bridge::transforms::ffi::Role;
use crate::{Array, Error, Result};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

thread_local! {
    /// The last error of a closure on this thread, while its text passes through MLX as an exception.
    static LEFT: Cell<Option<Error>> = const { Cell::new(None) };
}

/// Lets the text of an error pass through MLX; [`arrived`] gives the error back.
pub(crate) fn leave<T>(result: Result<T>) -> Result<T, String> {
    result.map_err(|error| {
        let text = error.to_string();
        LEFT.set(Some(error));
        text
    })
}

/// The error of a closure that left with this text.
pub(crate) fn arrived(text: &str) -> Option<Error> {
    LEFT.take().filter(|error| error.to_string() == text)
}

/// Runs what a user brought; cxx would end the process on a panic.
pub(crate) fn guarded<T>(f: impl FnOnce() -> Result<T>, panicked: impl FnOnce(&str) -> Error) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| Err(panicked(said(&*panic))))
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let what = panic.downcast_ref::<&str>().copied();
    what.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// What asked for a closure: the transform and the caller's place, for the report of a panic.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    transform: &'static str,
    at: &'static Location<'static>,
}

impl Asked {
    #[track_caller]
    pub(crate) fn by(transform: &'static str) -> Self {
        Self { transform, at: Location::caller() }
    }

    fn guarded<T>(self, f: impl FnOnce() -> Result<T>) -> Result<T, String> {
        let panicked = |what: &str| {
            Error::new(format!("[{}] the closure panicked: {what}", self.transform)).with_location(self.at)
        };
        leave(guarded(f, panicked))
    }
}

type Callback<'a> = &'a mut dyn FnMut(&[Array]) -> Result<Vec<Array>>;
type KeptCallback = dyn Fn(Role, &[Array], &[i32]) -> Result<Vec<Array>>;

/// A closure that MLX calls only during one call of the bridge.
pub(crate) struct Borrowed<'a> {
    f: RefCell<Callback<'a>>,
    asked: Asked,
}

impl<'a> Borrowed<'a> {
    pub(crate) fn new(asked: Asked, f: Callback<'a>) -> Self {
        Self { f: RefCell::new(f), asked }
    }
}

pub(crate) fn call_borrowed(f: &Borrowed<'_>, inputs: &[Array]) -> Result<Vec<Array>, String> {
    f.asked.guarded(|| (f.f.borrow_mut())(inputs))
}

/// A closure that MLX keeps, with its rules.
pub(crate) struct Kept {
    f: Box<KeptCallback>,
    asked: Asked,
}

impl Kept {
    pub(crate) fn new(asked: Asked, f: impl Fn(Role, &[Array], &[i32]) -> Result<Vec<Array>> + 'static) -> Box<Self> {
        Box::new(Self { f: Box::new(f), asked })
    }
}

pub(crate) fn call_kept(f: &Kept, role: Role, arrays: &[Array], numbers: &[i32]) -> Result<Vec<Array>, String> {
    f.asked.guarded(|| (f.f)(role, arrays, numbers))
}
