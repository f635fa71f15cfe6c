//! The error of this layer: a sentence that says what, where, and what was expected.

use std::fmt;
use std::path::Path;

/// Why a model could not be loaded or run.
pub struct Error(Box<str>);

/// A result of this layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error that says `message`.
    #[cold]
    pub fn msg(message: impl Into<String>) -> Self {
        Self(message.into().into_boxed_str())
    }

    /// The same error with the file it concerns in front.
    #[cold]
    pub fn in_file(self, path: impl AsRef<Path>) -> Self {
        Self::msg(format!("{}: {}", path.as_ref().display(), self.0))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<mlx_ops::Error> for Error {
    fn from(e: mlx_ops::Error) -> Self {
        Self::msg(e.to_string())
    }
}
