//! How values are printed: as NumPy does, 8 digits, lines of 75 characters, the middle left out above 1,000 elements.

mod number;

use crate::{Array, Dtype, Element, Result, bf16, f16};
use number::{Floats, Kind, scalar};
use std::fmt;

/// Above so many elements only the ends of each axis are printed.
const THRESHOLD: usize = 1000;
/// How many elements an end has.
const EDGE: usize = 3;
/// Where lines break.
const LINE: usize = 75;
const GAP: &str = "...";

/// The values as NumPy prints them; computes the array.
impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match text(self) {
            Ok(text) => f.write_str(&text),
            Err(e) => write!(f, "array that cannot be computed: {e}"),
        }
    }
}

fn text(a: &Array) -> Result<String> {
    let layout = Layout::new(a.shape(), a.size());
    Ok(match a.dtype() {
        Dtype::Bool => layout.print(booleans(layout.shown::<bool>(a)?, &layout)),
        Dtype::U8 => layout.print(integers::<u8>(a, &layout)?),
        Dtype::U16 => layout.print(integers::<u16>(a, &layout)?),
        Dtype::U32 => layout.print(integers::<u32>(a, &layout)?),
        Dtype::U64 => layout.print(integers::<u64>(a, &layout)?),
        Dtype::I8 => layout.print(integers::<i8>(a, &layout)?),
        Dtype::I16 => layout.print(integers::<i16>(a, &layout)?),
        Dtype::I32 => layout.print(integers::<i32>(a, &layout)?),
        Dtype::I64 => layout.print(integers::<i64>(a, &layout)?),
        Dtype::F16 => layout.print(floats(widen(layout.shown::<f16>(a)?, f64::from), Kind::F16, &layout)),
        Dtype::Bf16 => layout.print(floats(widen(layout.shown::<bf16>(a)?, f64::from), Kind::Bf16, &layout)),
        Dtype::F32 => layout.print(floats(widen(layout.shown::<f32>(a)?, f64::from), Kind::F32, &layout)),
        Dtype::F64 => layout.print(floats(layout.shown::<f64>(a)?, Kind::F64, &layout)),
        Dtype::Complex64 => layout.print(complex(layout.shown::<[f32; 2]>(a)?, &layout)),
    })
}

fn widen<T: Copy>(values: Vec<T>, f: impl Fn(T) -> f64) -> Vec<f64> {
    values.into_iter().map(f).collect()
}

/// All words in the width of the longest.
fn words<T>(values: Vec<T>, word: impl Fn(T) -> String) -> Vec<String> {
    let words: Vec<String> = values.into_iter().map(word).collect();
    let width = words.iter().map(String::len).max().unwrap_or(0);
    words.into_iter().map(|word| format!("{word:>width$}")).collect()
}

fn booleans(values: Vec<bool>, layout: &Layout) -> Vec<String> {
    // As wide as "False" also where all are true.
    let width = if layout.dims.is_empty() { 0 } else { 5 };
    words(values, |v| format!("{:>width$}", if v { "True" } else { "False" }))
}

fn integers<T: Element + ToString>(a: &Array, layout: &Layout) -> Result<Vec<String>> {
    Ok(words(layout.shown::<T>(a)?, |v| v.to_string()))
}

fn floats(values: Vec<f64>, kind: Kind, layout: &Layout) -> Vec<String> {
    if layout.dims.is_empty() {
        return values.into_iter().map(|v| scalar(v, kind)).collect();
    }
    let format = Floats::of(&values, kind, false);
    values.into_iter().map(|v| format.print(v)).collect()
}

fn complex(values: Vec<[f32; 2]>, layout: &Layout) -> Vec<String> {
    let parts = |at: usize| -> Vec<f64> { values.iter().map(|v| f64::from(v[at])).collect() };
    let (real, imaginary) = (parts(0), parts(1));
    if layout.dims.is_empty() {
        return real.iter().zip(&imaginary).map(|(&re, &im)| number::complex_scalar(re, im)).collect();
    }
    let (re, im) = (Floats::of(&real, Kind::F32, false), Floats::of(&imaginary, Kind::F32, true));
    let print = |(&a, &b): (&f64, &f64)| {
        let imaginary = im.print(b);
        let digits = imaginary.trim_end();
        format!("{}{digits}j{}", re.print(a), &imaginary[digits.len()..])
    };
    real.iter().zip(&imaginary).map(print).collect()
}

/// What of an array is printed, and where.
struct Layout {
    dims: Vec<usize>,
    /// Whether the middle of long axes is left out.
    short: bool,
}

impl Layout {
    fn new(shape: &[i32], size: usize) -> Self {
        Self { dims: shape.iter().map(|&size| size as usize).collect(), short: size > THRESHOLD }
    }

    fn cut(&self, size: usize) -> bool {
        self.short && size > 2 * EDGE
    }

    /// The elements that are printed, in row-major order.
    fn shown<T: Element>(&self, a: &Array) -> Result<Vec<T>> {
        let all = a.to_vec::<T>()?;
        if !self.short {
            return Ok(all);
        }
        let mut at = vec![0];
        for &size in &self.dims {
            let ends = |i: &usize| !self.cut(size) || *i < EDGE || *i >= size - EDGE;
            at = at.iter().flat_map(|&before| (0..size).filter(ends).map(move |i| before * size + i)).collect();
        }
        Ok(at.into_iter().map(|at| all[at]).collect())
    }

    fn print(&self, words: Vec<String>) -> String {
        match (&self.dims[..], words.is_empty()) {
            ([], _) => words.concat(),
            (_, true) => "[]".to_owned(),
            (dims, _) => self.block(dims, &mut words.iter(), 1, LINE),
        }
    }

    /// One axis and those inside it, `indent` characters from the left. `width` is what is left of a line before the brackets
    /// that close.
    fn block<'a>(
        &self,
        dims: &[usize],
        words: &mut impl Iterator<Item = &'a String>,
        indent: usize,
        width: usize,
    ) -> String {
        let (size, inner) = (dims[0], &dims[1..]);
        let count = if self.cut(size) { 2 * EDGE } else { size };
        let spaces = " ".repeat(indent);
        let mut parts: Vec<String> = Vec::new();
        for _ in 0..count {
            if self.cut(size) && parts.len() == EDGE {
                parts.push(GAP.to_owned());
            }
            parts.push(match inner {
                [] => words.next().cloned().unwrap_or_default(),
                _ => self.block(inner, words, indent + 1, width - 1),
            });
        }
        let body = match inner {
            [] => wrapped(&parts, &spaces, width - 1),
            _ => parts.join(&format!("{}{spaces}", "\n".repeat(inner.len()))),
        };
        format!("[{body}]")
    }
}

/// Words in lines of `width`, all but the first indented; a line that is empty takes a word of any length.
fn wrapped(words: &[String], spaces: &str, width: usize) -> String {
    let (mut done, mut line) = (String::new(), spaces.to_owned());
    for (at, word) in words.iter().enumerate() {
        if line.len() + word.len() > width && line.len() > spaces.len() {
            done.push_str(line.trim_end());
            done.push('\n');
            line = spaces.to_owned();
        }
        line.push_str(word);
        if at + 1 < words.len() {
            line.push(' ');
        }
    }
    (done + &line)[spaces.len()..].to_owned()
}
