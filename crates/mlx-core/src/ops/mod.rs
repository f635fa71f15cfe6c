//! MLX's array operations, one function each, named as `mlx.core` names them.
//!
//! Every function builds a lazy node on the scoped stream (see [`with_stream`](crate::with_stream)) and returns at once.

mod binary;
mod compare;
mod conv;
mod create;
mod index;
mod matrix;
mod reduce;
mod shape;
mod unary;

pub use binary::*;
pub use compare::*;
pub use conv::*;
pub use create::*;
pub use index::*;
pub use matrix::*;
pub(crate) use reduce::over_nothing;
pub use reduce::*;
pub use shape::*;
pub use unary::*;
