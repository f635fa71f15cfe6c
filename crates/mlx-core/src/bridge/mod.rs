//! The private cxx bridges. One file per shim header; nothing outside this crate names C++.

pub(crate) mod array;
pub(crate) mod distributed;
pub(crate) mod fast;
pub(crate) mod gpu_kernel;
pub(crate) mod io;
pub(crate) mod kernel;
pub(crate) mod numeric;
pub(crate) mod ops;
pub(crate) mod random;
pub(crate) mod runtime;
pub(crate) mod transforms;
