//! A tiny late-interaction folder with the reference's matrices, as xtask/py/embed_modules.py writes it.

use crate::embed_case::{numbers, strings};
use crate::max_difference;
use mlx_embed::{Embeddings, EncodeOptions, LoadOptions, MultiVector, Prompt, Result};
use serde_json::Value;
use std::path::Path;

/// The largest differences of a case.
pub struct Report {
    /// From the reference's matrices, over all runs.
    pub vectors: f32,
    /// Between a text among others and alone.
    pub alone: f32,
    /// Of scores from the reference's.
    pub scores: f32,
}

impl Report {
    /// Whether all differences are within the tolerances; a score sums some thirty products.
    pub fn passed(&self) -> bool {
        use crate::embed_case::{ALONE_TOLERANCE, TOLERANCE};
        self.vectors <= TOLERANCE && self.alone <= ALONE_TOLERANCE && self.scores <= TOLERANCE
    }
}

/// Loads the folder and compares. A matrix of another shape differs infinitely.
pub fn check(dir: &Path) -> Result<Report> {
    let path = dir.join("late.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let expected: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let model = MultiVector::load(dir, LoadOptions::default())?;
    let texts = strings(&expected["texts"]);
    let mut report = Report { vectors: 0.0, alone: 0.0, scores: 0.0 };
    let runs = expected["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut by_role = Vec::new();
    for run in runs {
        let prompt = match run["role"].as_str() {
            Some("query") => Prompt::Query,
            Some(_) => Prompt::Document,
            None => Prompt::Default,
        };
        let options = EncodeOptions { prompt, batch_tokens: 40, ..EncodeOptions::default() };
        let found = model.encode(&texts, &options)?;
        for (i, matrix) in found.iter().enumerate() {
            let theirs = numbers(&run["vectors"][i]);
            report.vectors = report.vectors.max(difference(matrix.values(), &theirs));
            let alone = model.encode(&texts[i..=i], &options)?;
            report.alone = report.alone.max(difference(matrix.values(), alone[0].values()));
        }
        by_role.push(found);
    }
    let [queries, documents, _] = &by_role[..] else { panic!("{}: three runs are expected", path.display()) };
    let scores: Vec<f32> = model.similarity(queries, documents)?;
    report.scores = difference(&scores, &numbers(&expected["scores"]));
    Ok(report)
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    if a.len() == b.len() { max_difference(a, b) } else { f32::INFINITY }
}

/// How many rows matrices have.
pub fn rows(matrices: &[Embeddings]) -> Vec<usize> {
    matrices.iter().map(Embeddings::len).collect()
}
