//! A tiny model with a head and what the reference makes of texts with it, as xtask/py/embed_heads.py writes it.

use crate::embed_case::{Report, numbers, strings};
use crate::max_difference;
use mlx_embed::{
    Classifier, FillMask, Label, LoadOptions, Prompt, Reranker, Result, ScoreOptions, SparseEncoder, SparseOptions,
    SparseVector,
};
use serde_json::Value;
use std::path::Path;

/// Loads the folder and compares.
///
/// `vectors` of the report are scores and weights, `similarity` dot products, `bytes` counts labels, words and places that
/// are others than the reference's.
pub fn check(dir: &Path, kind: &str, expected: &Value) -> Result<Report> {
    let mut report = Report { vectors: 0.0, alone: 0.0, similarity: 0.0, bytes: 0 };
    match kind {
        "rerank" => rerank(dir, expected, &mut report)?,
        "classify" => classify(dir, expected, &mut report)?,
        "fill" => fill(dir, expected, &mut report)?,
        "sparse" => sparse(dir, expected, &mut report)?,
        other => panic!("{}: the kind `{other}` is not known", dir.display()),
    }
    Ok(report)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    let pair = |pair: &Value| <[String; 2]>::try_from(strings(pair)).map(|[a, b]| (a, b)).unwrap_or_default();
    list(value).iter().map(pair).collect()
}

fn prompt(run: &Value) -> Prompt {
    let text = |key: &str| run[key].as_str().map(str::to_owned);
    match (text("role").as_deref(), text("prompt"), text("prompt_name")) {
        (Some("query"), ..) => Prompt::Query,
        (Some(_), ..) => Prompt::Document,
        (None, Some(text), _) => Prompt::Text(text),
        (None, None, Some(name)) => Prompt::Named(name),
        (None, None, None) => Prompt::Default,
    }
}

fn rerank(dir: &Path, expected: &Value, report: &mut Report) -> Result<()> {
    let model = Reranker::load(dir, LoadOptions::default())?;
    let pairs = pairs(&expected["pairs"]);
    for run in list(&expected["runs"]) {
        // Some bins hold several pairs, some only one.
        let options = ScoreOptions { prompt: prompt(run), batch_tokens: 60, ..ScoreOptions::default() };
        let found = model.predict(&pairs, &options)?;
        report.vectors = report.vectors.max(max_difference(&found, &numbers(&run["scores"])));
        for (pair, row) in pairs.iter().zip(found.chunks_exact(model.labels())) {
            let alone = model.predict(std::slice::from_ref(pair), &options)?;
            report.alone = report.alone.max(max_difference(&alone, row));
        }
    }
    let ranked: Vec<u64> = list(&expected["ranked"]).iter().filter_map(Value::as_u64).collect();
    if !ranked.is_empty() {
        let query = expected["query"].as_str().unwrap_or_default();
        let documents: Vec<&String> = pairs.iter().map(|(_, document)| document).collect();
        let found = model.rank(query, &documents, Some(ranked.len()), &ScoreOptions::default())?;
        let found: Vec<u64> = found.iter().map(|found| found.index as u64).collect();
        report.bytes += usize::from(found != ranked);
    }
    Ok(())
}

fn classify(dir: &Path, expected: &Value, report: &mut Report) -> Result<()> {
    let model = Classifier::load(dir, LoadOptions::default())?;
    let options = ScoreOptions { batch_tokens: 60, ..ScoreOptions::default() };
    let (texts, pairs) = (strings(&expected["texts"]), pairs(&expected["pairs"]));
    let found = model.classify(&texts, &options)?;
    for (text, labels) in texts.iter().zip(&found) {
        let alone: Vec<f32> = model.classify(&[text], &options)?.remove(0).iter().map(|label| label.score).collect();
        let among: Vec<f32> = labels.iter().map(|label| label.score).collect();
        report.alone = report.alone.max(max_difference(&alone, &among));
    }
    compare_labels(&found, &expected["labels"], report);
    compare_labels(&model.classify_pairs(&pairs, &options)?, &expected["of_pairs"], report);
    Ok(())
}

fn compare_labels(found: &[Vec<Label>], expected: &Value, report: &mut Report) {
    assert_eq!(found.len(), list(expected).len());
    for (labels, expected) in found.iter().zip(list(expected)) {
        assert_eq!(labels.len(), list(expected).len());
        for (label, expected) in labels.iter().zip(list(expected)) {
            report.bytes += usize::from(expected[0] != label.name.as_str());
            report.vectors = report.vectors.max(difference(label.score, &expected[1]));
        }
    }
}

fn difference(found: f32, expected: &Value) -> f32 {
    max_difference(&[found], &[expected.as_f64().unwrap_or(f64::NAN) as f32])
}

fn fill(dir: &Path, expected: &Value, report: &mut Report) -> Result<()> {
    let model = FillMask::load(dir, LoadOptions::default())?;
    for (text, expected) in strings(&expected["texts"]).iter().zip(list(&expected["guesses"])) {
        let found = model.fill(text, 4)?;
        assert_eq!(found.len(), list(expected).len(), "{text}");
        for (guesses, expected) in found.iter().zip(list(expected)) {
            assert_eq!(guesses.len(), list(expected).len(), "{text}");
            for (guess, expected) in guesses.iter().zip(list(expected)) {
                report.bytes += usize::from(expected[0] != guess.id || expected[1] != guess.text.as_str());
                report.vectors = report.vectors.max(difference(guess.score, &expected[2]));
            }
        }
    }
    Ok(())
}

fn sparse(dir: &Path, expected: &Value, report: &mut Report) -> Result<()> {
    let model = SparseEncoder::load(dir, LoadOptions::default())?;
    let texts = strings(&expected["texts"]);
    let mut first = Vec::new();
    for run in list(&expected["runs"]) {
        let max_active_dims = run["max_active_dims"].as_u64().map(|most| most as usize);
        let options =
            SparseOptions { prompt: prompt(run), max_active_dims, batch_tokens: 60, ..SparseOptions::default() };
        let found = model.encode(&texts, &options)?;
        for ((text, vector), expected) in texts.iter().zip(&found).zip(list(&run["vectors"])) {
            let expected = vector_of(expected);
            report.vectors = report.vectors.max(apart(vector, &expected, model.dims()));
            report.alone = report.alone.max(apart(&model.encode(&[text], &options)?[0], vector, model.dims()));
        }
        if first.is_empty() {
            first = found;
        }
    }
    let words = model.decode(&first[0], Some(3));
    assert_eq!(words.len(), list(&expected["decoded"]).len());
    for ((word, weight), expected) in words.iter().zip(list(&expected["decoded"])) {
        // An id beyond the vocabulary has no word.
        report.bytes += usize::from(expected[0].as_str().unwrap_or_default() != word);
        report.vectors = report.vectors.max(difference(*weight, &expected[1]));
    }
    let dots: Vec<f32> = first[..2].iter().flat_map(|a| first[..3].iter().map(|b| a.dot(b))).collect();
    report.similarity = relative(&dots, &numbers(&expected["dot"]));
    Ok(())
}

fn vector_of(entries: &Value) -> SparseVector {
    let indices = list(entries).iter().map(|entry| entry[0].as_u64().unwrap_or(u64::MAX) as u32).collect();
    let weights = list(entries).iter().map(|entry| entry[1].as_f64().unwrap_or(f64::NAN) as f32).collect();
    SparseVector { indices, weights }
}

/// The largest difference of the dense forms: a weight near 0 may be there on one side only.
fn apart(a: &SparseVector, b: &SparseVector, dims: usize) -> f32 {
    let dense = |vector: &SparseVector| {
        let mut dense = vec![0.0; dims];
        vector.indices.iter().zip(&vector.weights).for_each(|(&i, &weight)| dense[i as usize] = weight);
        dense
    };
    relative(&dense(a), &dense(b))
}

/// The largest difference in parts of the number where that is above 1: sums over a whole text are large.
fn relative(a: &[f32], b: &[f32]) -> f32 {
    let scale = |x: &[f32]| x.iter().zip(b).map(|(x, b)| x / b.abs().max(1.0)).collect::<Vec<f32>>();
    max_difference(&scale(a), &scale(b))
}
