//! The error of this layer: what MLX said, and where it was asked.

use crate::closure;
use std::fmt;
use std::panic::Location;

/// What went wrong, in MLX's own words, with the place in the caller's source that asked for it.
///
/// ```
/// use mlx_core::{Array, ops};
/// let a = Array::from_slice(&[1f32, 2.0, 3.0], &[3])?;
/// let b = Array::from_slice(&[1f32, 2.0], &[2])?;
/// let error = ops::add(&a, &b).unwrap_err();
/// assert!(error.to_string().contains("[broadcast_shapes] Shapes (3) and (2) cannot be broadcast."));
/// assert_eq!(error.location().file(), file!());
/// # Ok::<(), mlx_core::Error>(())
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    what: String,
    at: &'static Location<'static>,
}

/// A result of this layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with the caller's location.
    #[track_caller]
    #[cold]
    pub fn new(what: impl Into<String>) -> Self {
        Self(Box::new(Inner { what: what.into(), at: Location::caller() }))
    }

    #[track_caller]
    #[cold]
    pub(crate) fn from_cxx(e: cxx::Exception) -> Self {
        match closure::arrived(e.what()) {
            Some(error) => error,
            None => Self::new(e.what()),
        }
    }

    /// The same error at another place, for libraries that name their own caller.
    pub fn with_location(mut self, at: &'static Location<'static>) -> Self {
        self.0.at = at;
        self
    }

    /// The message alone, without the location.
    pub fn message(&self) -> &str {
        &self.0.what
    }

    /// Where the failing call stands in the caller's source.
    pub fn location(&self) -> &'static Location<'static> {
        self.0.at
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at {})", self.0.what, self.0.at)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
