//! Functions as files, and graphs as text.

use crate::bridge::transforms::ffi;
use crate::call::call;
use crate::closure::{Asked, Borrowed};
use crate::io::text;
use crate::{Array, Result};
use cxx::UniquePtr;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

/// Arrays by name, beside those by position.
pub type Named = BTreeMap<String, Array>;

thread_local! {
    static EXPORTING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread writes a graph to a file, which knows MLX's own ops only.
pub(crate) fn exporting() -> bool {
    EXPORTING.get()
}

/// Writes traces of a function to a file, one for each kind of inputs.
///
/// ```
/// use mlx_core::export::{Exporter, Named, import_function};
/// use mlx_core::{Array, Dtype, Result, ops};
/// let path = std::env::temp_dir().join(format!("mlx-core-{}.mlxfn", std::process::id()));
/// let sum = |x: &[Array], named: &Named| Ok(vec![ops::add(&x[0], &named["y"])?]);
/// let x = [Array::scalar(3.0, Dtype::F32)?];
/// let named = Named::from([("y".to_string(), x[0].clone())]);
/// Exporter::new(&path, false, "sum")?.add(sum, &x, &named)?;
/// let sum = import_function(&path)?;
/// assert_eq!(sum.metadata()?, "sum");
/// assert_eq!(sum.call(&x, &named)?[0].item::<f32>()?, 6.0);
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), mlx_core::Error>(())
/// ```
pub struct Exporter(UniquePtr<ffi::Exporter>);

impl Exporter {
    /// Opens the file; `metadata` is kept with it. A `shapeless` function takes all shapes of the same number of axes.
    #[track_caller]
    pub fn new(path: impl AsRef<Path>, shapeless: bool, metadata: &str) -> Result<Self> {
        call!(ffi::exporter(text(path.as_ref())?, shapeless, metadata)).map(Self)
    }

    /// Traces the function for inputs like these. An error where such a trace is in the file already, or after a failed one.
    #[track_caller]
    pub fn add(
        &mut self,
        mut f: impl FnMut(&[Array], &Named) -> Result<Vec<Array>>,
        inputs: &[Array],
        named: &Named,
    ) -> Result<()> {
        struct Restore(bool);
        impl Drop for Restore {
            fn drop(&mut self) {
                EXPORTING.set(self.0);
            }
        }
        let _restore = Restore(EXPORTING.replace(true));
        let (names, values) = apart(named);
        let mut run = |arrays: &[Array]| {
            let (inputs, named) = arrays.split_at(arrays.len() - names.len());
            f(inputs, &names.iter().cloned().zip(named.iter().cloned()).collect())
        };
        let f = Borrowed::new(Asked::by("export_function"), &mut run);
        // SAFETY: the closure outlives the call, and MLX calls it only during one.
        call!(unsafe { self.0.pin_mut().add(&f, inputs, &names, &values) })
    }
}

/// A function read from a file.
pub struct Imported(UniquePtr<ffi::Imported>);

impl Imported {
    /// The outputs for `inputs`; an error that lists the traces of the file where none fits.
    #[track_caller]
    pub fn call(&self, inputs: &[Array], named: &Named) -> Result<Vec<Array>> {
        let (names, values) = apart(named);
        call!(self.0.call_imported(inputs, &names, &values))
    }

    /// What was kept with the function.
    #[track_caller]
    pub fn metadata(&self) -> Result<String> {
        call!(self.0.metadata())
    }
}

/// Reads a function that [`Exporter`] or `mlx.core.export_function` wrote. MLX trusts the file.
#[track_caller]
pub fn import_function(path: impl AsRef<Path>) -> Result<Imported> {
    call!(ffi::import_function(text(path.as_ref())?)).map(Imported)
}

/// The graph that computes `outputs`, in the DOT language; arrays in `named` have these names.
#[track_caller]
pub fn export_to_dot(outputs: &[Array], named: &Named) -> Result<String> {
    let (names, values) = apart(named);
    call!(ffi::export_to_dot(outputs, &names, &values))
}

/// The graph that computes `outputs`, a line per op; arrays in `named` have these names.
#[track_caller]
pub fn print_graph(outputs: &[Array], named: &Named) -> Result<String> {
    let (names, values) = apart(named);
    call!(ffi::print_graph(outputs, &names, &values))
}

fn apart(named: &Named) -> (Vec<String>, Vec<Array>) {
    (named.keys().cloned().collect(), named.values().cloned().collect())
}
