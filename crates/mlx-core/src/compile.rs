//! Functions that are traced once and replayed.
//!
//! On a GPU MLX fuses what it traced. On a CPU that would take a C++ compiler at run time, so a trace is only simplified there: what it
//! saves is building the graph, and what does not depend on the inputs is computed once.

use crate::bridge::transforms::ffi;
use crate::call::call;
use crate::closure::{Asked, Borrowed};
use crate::{Array, Dtype, Error, Result};
use cxx::UniquePtr;
use std::cell::RefCell;
use std::rc::Rc;

/// What MLX does with a traced function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CompileMode {
    /// Calls the function every time.
    Disabled,
    /// Fuses, without looking for equal parts first.
    NoSimplify,
    /// Joins equal parts, without fusing.
    NoFuse,
    /// Both.
    Enabled,
}

/// Sets the mode for the whole process; on a CPU the three that trace are one.
#[track_caller]
pub fn set_compile_mode(mode: CompileMode) -> Result<()> {
    call!(ffi::set_compile_mode(mode as u8))
}

/// A function that runs once for each kind of input; see [`compile`].
pub struct Compiled<F> {
    f: RefCell<F>,
    traces: Traces<()>,
}

/// `f`, traced at the first call for inputs of given shapes and dtypes, and replayed at the others.
///
/// The trace holds what `f` did then: whatever it captured or read is constant, so what changes must be an input. `shapeless`
/// traces once for all shapes of the same number of axes; a function whose graph depends on sizes is then wrong or an error.
/// Inside other transforms `f` itself runs. The traces are freed with the returned value.
///
/// ```
/// use mlx_core::{Array, compile::compile, ops};
/// let double = compile(|x: &[Array]| Ok(vec![ops::add(&x[0], &x[0])?]), false);
/// let x = Array::from_slice(&[1f32, 2.0], &[2])?;
/// assert_eq!(double.call(&[x])?[0].to_vec::<f32>()?, [2.0, 4.0]);
/// # Ok::<(), mlx_core::Error>(())
/// ```
pub fn compile<F: FnMut(&[Array]) -> Result<Vec<Array>>>(f: F, shapeless: bool) -> Compiled<F> {
    Compiled { f: RefCell::new(f), traces: Traces::new(shapeless) }
}

impl<F: FnMut(&[Array]) -> Result<Vec<Array>>> Compiled<F> {
    /// The outputs for `inputs`.
    #[track_caller]
    pub fn call(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let run = |inputs: &[Array]| Ok(((self.f.borrow_mut())(inputs)?, ()));
        Ok(self.traces.call(run, inputs, 0)?.0)
    }
}

/// What [`compile`] keeps of a function: a trace for each kind of input, and a `T` that describes its outputs.
pub struct Traces<T> {
    shapeless: bool,
    entries: RefCell<Vec<Rc<Entry<T>>>>,
}

struct Entry<T> {
    key: u64,
    streams: u64,
    inputs: Vec<(Vec<i32>, Dtype)>,
    trace: UniquePtr<ffi::Trace>,
    outputs: Rc<T>,
}

impl<T> Traces<T> {
    /// No traces yet; see [`compile`] for `shapeless`.
    pub fn new(shapeless: bool) -> Self {
        Self { shapeless, entries: RefCell::default() }
    }

    /// The outputs of `f` for `inputs`, replayed where there is a trace. `key` stands for all else that `f` depends on.
    #[track_caller]
    pub fn call(
        &self,
        mut f: impl FnMut(&[Array]) -> Result<(Vec<Array>, T)>,
        inputs: &[Array],
        key: u64,
    ) -> Result<(Vec<Array>, Rc<T>)> {
        if ffi::compile_disabled() || call!(ffi::any_tracer(inputs))? {
            let (arrays, outputs) = f(inputs)?;
            return Ok((arrays, Rc::new(outputs)));
        }
        let streams = call!(ffi::stream_key())?;
        let known = self.entries.borrow().iter().find(|entry| self.fits(entry, inputs, key, streams)).cloned();
        let entry = match known {
            Some(entry) => entry,
            None => self.trace(f, inputs, key, streams)?,
        };
        Ok((call!(entry.trace.replay(inputs))?, entry.outputs.clone()))
    }

    fn fits(&self, entry: &Entry<T>, inputs: &[Array], key: u64, streams: u64) -> bool {
        let same = |(shape, dtype): &(Vec<i32>, Dtype), input: &Array| match self.shapeless {
            true => *dtype == input.dtype() && shape.len() == input.ndim(),
            false => *dtype == input.dtype() && shape == input.shape(),
        };
        entry.key == key
            && entry.streams == streams
            && entry.inputs.len() == inputs.len()
            && entry.inputs.iter().zip(inputs).all(|(known, input)| same(known, input))
    }

    #[track_caller]
    fn trace<F: FnMut(&[Array]) -> Result<(Vec<Array>, T)>>(
        &self,
        mut f: F,
        inputs: &[Array],
        key: u64,
        streams: u64,
    ) -> Result<Rc<Entry<T>>> {
        let mut described = None;
        let mut run = |inputs: &[Array]| {
            let (arrays, outputs) = f(inputs)?;
            described = Some(outputs);
            Ok(arrays)
        };
        let f = Borrowed::new(Asked::by("compile"), &mut run);
        // SAFETY: the closure outlives the call, after which the trace never calls it.
        let trace = call!(unsafe { ffi::trace_function(&f, inputs, self.shapeless) })?;
        let outputs = described.ok_or_else(|| Error::new("[compile] MLX did not call the function."))?;
        let inputs = inputs.iter().map(|input| (input.shape().to_vec(), input.dtype())).collect();
        let entry = Rc::new(Entry { key, streams, inputs, trace, outputs: Rc::new(outputs) });
        self.entries.borrow_mut().push(entry.clone());
        Ok(entry)
    }
}
