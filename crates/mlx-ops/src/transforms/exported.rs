//! Functions as files.

use super::tree::{arrays, rebuilt};
use super::{Tree, tensors};
use crate::Tensor;
use mlx_core::export::{self, Named};
use mlx_core::{Array, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// Writes traces of a function to a file, one for each kind of input.
pub struct Exporter(export::Exporter);

impl Exporter {
    /// Opens the file. A `shapeless` function takes all shapes of the same number of axes.
    #[track_caller]
    pub fn new(path: impl AsRef<Path>, shapeless: bool) -> Result<Self> {
        export::Exporter::new(path, shapeless, "").map(Self)
    }

    /// Traces `f` for inputs like `x`. An error where such a trace is in the file already, or after a failed one.
    #[track_caller]
    pub fn add<A: Tree, B: Tree>(&mut self, mut f: impl FnMut(&A) -> Result<B>, x: &A) -> Result<()> {
        let run = |inputs: &[Array], _: &Named| Ok(arrays(&f(&rebuilt(x, inputs.to_vec())?)?));
        self.0.add(run, &arrays(x), &Named::new())
    }
}

/// Writes one trace of `f` to a file, with what it captured, for Rust, Python, C++ or Swift to call.
///
/// ```
/// use mlx_ops::Tensor;
/// use mlx_ops::transforms::{export_function, import_function};
/// let path = std::env::temp_dir().join(format!("mlx-ops-{}.mlxfn", std::process::id()));
/// let x = Tensor::from_slice(&[1f32, 2.0], [2])?;
/// export_function(&path, |x: &Tensor| x.square(), &x, false)?;
/// let square = import_function(&path)?;
/// assert_eq!(square.call(&x)?[0].to_vec::<f32>()?, [1.0, 4.0]);
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), mlx_ops::Error>(())
/// ```
#[track_caller]
pub fn export_function<A: Tree, B: Tree>(
    path: impl AsRef<Path>,
    f: impl FnMut(&A) -> Result<B>,
    x: &A,
    shapeless: bool,
) -> Result<()> {
    Exporter::new(path, shapeless)?.add(f, x)
}

/// A function read from a file.
pub struct Imported(export::Imported);

impl Imported {
    /// The outputs for the tensors of `x` by position; an error that lists the traces of the file where none fits.
    #[track_caller]
    pub fn call(&self, x: &impl Tree) -> Result<Vec<Tensor>> {
        self.call_named(x, &BTreeMap::new())
    }

    /// The outputs for tensors by position and by name.
    #[track_caller]
    pub fn call_named(&self, x: &impl Tree, named: &BTreeMap<String, Tensor>) -> Result<Vec<Tensor>> {
        let named = named.iter().map(|(name, tensor)| (name.clone(), tensor.0.clone())).collect();
        self.0.call(&arrays(x), &named).map(tensors)
    }
}

/// Reads a function that [`export_function`], [`Exporter`] or `mlx.core.export_function` wrote. MLX trusts the file.
#[track_caller]
pub fn import_function(path: impl AsRef<Path>) -> Result<Imported> {
    export::import_function(path).map(Imported)
}

/// The graph behind `outputs` in the language of Graphviz; tensors in `named` are labelled so.
#[track_caller]
pub fn export_to_dot(outputs: &impl Tree, named: &BTreeMap<String, Tensor>) -> Result<String> {
    let named = named.iter().map(|(name, tensor)| (name.clone(), tensor.0.clone())).collect();
    export::export_to_dot(&arrays(outputs), &named)
}
