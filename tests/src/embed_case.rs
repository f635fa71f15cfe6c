//! A tiny sentence-transformers folder with the reference's vectors, as xtask/py/embed_cases.py writes it.

use crate::{heads_case, max_difference};
use mlx_embed::{Embedder, Embeddings, EncodeOptions, LoadOptions, Precision, Prompt, Quantized, Result, Similarity};
use mlx_ops::{Dtype, with_precision};
use serde_json::Value;
use std::path::Path;

/// How far the numbers of a vector may lie from the reference's.
pub const TOLERANCE: f32 = 1e-4;
/// How far they may lie from those of the text encoded alone.
pub const ALONE_TOLERANCE: f32 = 1e-5;

/// The largest differences of a case.
pub struct Report {
    /// From the reference, over all runs.
    pub vectors: f32,
    /// Between a text among others and alone.
    pub alone: f32,
    /// Of similarities from the reference's.
    pub similarity: f32,
    /// Bytes of vectors in fewer bits that are not the reference's.
    pub bytes: usize,
}

impl Report {
    /// Whether all differences are within the tolerances.
    pub fn passed(&self) -> bool {
        self.vectors <= TOLERANCE && self.alone <= ALONE_TOLERANCE && self.similarity <= TOLERANCE && self.bytes == 0
    }
}

/// Loads the folder and compares, all in f32.
pub fn check(dir: &Path) -> Result<Report> {
    with_precision(mlx_ops::Precision::Full, || compare(dir))
}

fn compare(dir: &Path) -> Result<Report> {
    let path = dir.join("expect.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let expected: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if let Some(kind) = expected["kind"].as_str() {
        return heads_case::check(dir, kind, &expected);
    }
    // As on a CPU; a GPU would compute in the checkpoint's own 16 bits.
    let model = Embedder::load(dir, LoadOptions { dtype: Some(Dtype::F32), ..LoadOptions::default() })?;
    let texts: Vec<String> = strings(&expected["texts"]);
    let mut report = Report { vectors: 0.0, alone: 0.0, similarity: 0.0, bytes: 0 };
    for run in list(&expected["runs"]) {
        let options = options(run);
        // Some bins hold several texts, some only one.
        let found = model.encode(&texts, &EncodeOptions { batch_tokens: 60, ..options.clone() })?;
        report.vectors = report.vectors.max(max_difference(found.values(), &numbers(&run["vectors"])));
        report.alone = report.alone.max(alone(&model, &texts, &found, &options)?);
    }
    let first = numbers(&expected["runs"][0]["vectors"]);
    let dims = first.len() / texts.len();
    let vectors = Embeddings::new(first, dims)?;
    report.bytes = bytes(&vectors, &expected["quantized"])?;
    let few = Embeddings::new(vectors.values()[..3 * vectors.dims()].to_vec(), vectors.dims())?;
    for (name, alike) in expected["similarities"].as_object().into_iter().flatten() {
        let similarity = Similarity::named(name).unwrap_or_else(|| panic!("{name}"));
        let found = similarity.between(&few, &vectors)?;
        report.similarity = report.similarity.max(max_difference(&found, &numbers(alike)));
    }
    Ok(report)
}

fn alone(model: &Embedder, texts: &[String], among: &Embeddings, options: &EncodeOptions) -> Result<f32> {
    let mut largest = 0f32;
    for (text, row) in texts.iter().zip(among.rows()) {
        largest = largest.max(max_difference(model.encode(&[text], options)?.values(), row));
    }
    Ok(largest)
}

fn options(run: &Value) -> EncodeOptions {
    let text = |key: &str| run[key].as_str().map(str::to_owned);
    let prompt = match (text("role").as_deref(), text("prompt"), text("prompt_name")) {
        (Some("query"), ..) => Prompt::Query,
        (Some(_), ..) => Prompt::Document,
        (None, Some(text), _) => Prompt::Text(text),
        (None, None, Some(name)) => Prompt::Named(name),
        (None, None, None) => Prompt::Default,
    };
    let truncate_dim = run["truncate_dim"].as_u64().map(|dims| dims as usize);
    EncodeOptions { prompt, truncate_dim, normalize: run["normalize"] == true, ..EncodeOptions::default() }
}

/// How many bytes differ.
fn bytes(vectors: &Embeddings, expected: &Value) -> Result<usize> {
    let mut different = 0;
    for (name, precision) in [
        ("int8", Precision::Int8),
        ("uint8", Precision::Uint8),
        ("binary", Precision::Binary),
        ("ubinary", Precision::Ubinary),
    ] {
        let found: Vec<f32> = match vectors.quantize(precision, None)? {
            Quantized::Signed(values) => values.into_iter().map(f32::from).collect(),
            Quantized::Unsigned(values) => values.into_iter().map(f32::from).collect(),
        };
        let expected = numbers(&expected[name]);
        assert_eq!(found.len(), expected.len(), "{name}");
        different += found.iter().zip(&expected).filter(|(a, b)| a != b).count();
    }
    Ok(different)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The strings of a list.
pub fn strings(value: &Value) -> Vec<String> {
    list(value).iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}

/// The numbers of a list of lists, one after the other.
pub fn numbers(value: &Value) -> Vec<f32> {
    list(value).iter().flat_map(list).map(|x| x.as_f64().unwrap_or(f64::NAN) as f32).collect()
}
