//! `mlx-embed encode`.

use super::progress::Progress;
use super::{EncodeArgs, Loaded, ModelArgs, input};
use clap::Args;
use mlx_embed::{Embeddings, Error, Precision, Quantized, Result};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Turn texts into vectors.
#[derive(Args)]
pub struct Encode {
    #[command(flatten)]
    model: ModelArgs,
    /// Files with a text in each line; `-` or none is standard input.
    inputs: Vec<PathBuf>,
    /// Lines are JSON objects with the text under this key.
    #[arg(long)]
    json_key: Option<String>,
    /// Where to write: a .npy file holds one matrix; anything else, and standard output, a JSON list in each line. A model with
    /// a vector for each token gives rows of all texts, and their numbers in a second file that ends in .lengths.npy.
    #[arg(short, long)]
    pub(super) output: Option<PathBuf>,
    /// int8, uint8, binary or ubinary in place of f32.
    #[arg(long, value_parser = precision)]
    pub(super) precision: Option<Precision>,
    #[command(flatten)]
    encode: EncodeArgs,
}

fn precision(name: &str) -> Result<Precision, String> {
    match name {
        "int8" => Ok(Precision::Int8),
        "uint8" => Ok(Precision::Uint8),
        "binary" => Ok(Precision::Binary),
        "ubinary" => Ok(Precision::Ubinary),
        other => Err(format!("`{other}` is not int8, uint8, binary or ubinary")),
    }
}

impl Encode {
    /// Loads the model and writes a vector for each line.
    pub fn run(&self) -> Result<()> {
        let inputs = if self.inputs.is_empty() { vec![PathBuf::from("-")] } else { self.inputs.clone() };
        let model = self.model.load_any()?;
        let options = self.encode.options();
        // Reading ends at the first line that is wrong; the vectors before it are written.
        let wrong = std::cell::RefCell::new(None);
        let files =
            inputs.iter().map(|path| input::texts(path, self.json_key.as_deref())).collect::<Result<Vec<_>>>()?;
        let texts = files.into_iter().flatten().map_while(|line| line.map_err(|e| wrong.replace(Some(e))).ok());
        let progress = Progress::new("texts", None);
        match &model {
            Loaded::Late(model) => self.write_late(model.encode_iter(texts, &options).inspect(|_| progress.step()))?,
            Loaded::Single(model) => {
                let kept = options.truncate_dim.unwrap_or(model.dims());
                self.write_single(model.encode_iter(texts, &options)?.inspect(|_| progress.step()), kept)?;
            }
        }
        progress.finish();
        wrong.take().map_or(Ok(()), Err)
    }

    fn write_single(&self, vectors: impl Iterator<Item = Result<Vec<f32>>>, kept: usize) -> Result<()> {
        if self.precision.is_some() || self.npy().is_some() {
            let all = vectors.collect::<Result<Vec<_>>>()?.concat();
            return self.write_all(&Embeddings::new(all, kept)?, self.npy().is_some());
        }
        let mut out = self.open(self.output.as_deref())?;
        for vector in vectors {
            write(&mut out, format_args!("{}\n", serde_json::json!(vector?)))?;
        }
        out.flush().map_err(unwritable)
    }

    /// The file for NumPy, where one is asked for.
    pub(super) fn npy(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.extension().is_some_and(|end| end == "npy"))
    }

    /// The file at `path`, or standard output.
    pub(super) fn open(&self, path: Option<&Path>) -> Result<Box<dyn Write>> {
        Ok(match path {
            None => Box::new(BufWriter::new(std::io::stdout())),
            Some(path) => {
                let failed = |e| Error::msg(format!("{} cannot be written: {e}.", path.display()));
                Box::new(BufWriter::new(std::fs::File::create(path).map_err(failed)?))
            }
        })
    }

    /// Writes what needs all vectors: ranges of 8 bits, or the shape in a .npy file's header.
    fn write_all(&self, vectors: &Embeddings, npy: bool) -> Result<()> {
        let quantized = self.precision.map(|precision| vectors.quantize(precision, None)).transpose()?;
        let (kind, bytes, lines): (_, Vec<u8>, Vec<serde_json::Value>) = match &quantized {
            None => ("<f4", vectors.values().iter().flat_map(|x| x.to_le_bytes()).collect(), Vec::new()),
            Some(Quantized::Signed(x)) => ("|i1", x.iter().map(|x| *x as u8).collect(), rows(x, vectors.len())),
            Some(Quantized::Unsigned(x)) => ("|u1", x.clone(), rows(x, vectors.len())),
        };
        let mut out = self.open(self.output.as_deref())?;
        if npy {
            let item = if kind == "<f4" { 4 } else { 1 };
            let width = bytes.len() / item / vectors.len().max(1);
            out.write_all(&npy_header(kind, &[vectors.len(), width]))
                .and_then(|()| out.write_all(&bytes))
                .map_err(unwritable)?;
        }
        for line in lines.iter().filter(|_| !npy) {
            write(&mut out, format_args!("{line}\n"))?;
        }
        out.flush().map_err(unwritable)
    }
}

fn rows<T: Copy + Into<serde_json::Value>>(values: &[T], count: usize) -> Vec<serde_json::Value> {
    values.chunks((values.len() / count.max(1)).max(1)).map(|row| row.to_vec().into()).collect()
}

pub(super) fn write(out: &mut impl Write, text: std::fmt::Arguments<'_>) -> Result<()> {
    out.write_fmt(text).map_err(unwritable)
}

pub(super) fn unwritable(e: std::io::Error) -> Error {
    Error::msg(format!("The output cannot be written: {e}."))
}

/// Version 1.0 of NumPy's format; the data behind it begins at a multiple of 64.
pub(super) fn npy_header(kind: &str, shape: &[usize]) -> Vec<u8> {
    // A tuple of one has a comma behind it.
    let shape: String = shape.iter().map(|dim| format!("{dim}, ")).collect();
    let shape = if shape.matches(',').count() > 1 { shape.trim_end_matches(", ") } else { shape.trim_end() };
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    while !(10 + text.len() + 1).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat()
}
