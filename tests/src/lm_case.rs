//! A tiny checkpoint with the reference's logits, as xtask/py/lm_cases.py writes it.

use crate::{max_difference, tensors};
use mlx_lm::{Language, LoadOptions, Result, load_language};
use mlx_nn::cache::KvCache;
use mlx_nn::decoder::{Input, Logits, Step};
use mlx_ops::{Dtype, Precision, Tensor, with_precision};
use std::collections::BTreeMap;
use std::path::Path;

/// How far the logits of a case may lie from the reference's.
pub const TOLERANCE: f32 = 1e-4;
/// The same where products may take 16-bit activations.
pub const FAST_TOLERANCE: f32 = 2e-2;
const CHUNKS: [usize; 3] = [1, 7, usize::MAX];

/// The largest differences of a case.
pub struct Report {
    /// From the reference, over all prompt positions and prefill chunks.
    pub prompt: f32,
    /// Between prefill in chunks of 1, 7 and all.
    pub chunks: f32,
    /// From the reference, over the decode steps.
    pub decode: f32,
    /// From the reference, over all, where products may take 16-bit activations.
    pub fast: f32,
}

impl Report {
    /// Whether all differences are within the tolerance.
    pub fn passed(&self) -> bool {
        let exact = [self.prompt, self.chunks, self.decode].iter().all(|&difference| difference <= TOLERANCE);
        exact && self.fast <= FAST_TOLERANCE
    }
}

/// Loads the checkpoint in `dir` and compares, all in f32 and as users run it.
pub fn check(dir: &Path) -> Result<Report> {
    let model = load_language(dir, LoadOptions { dtype: Some(Dtype::F32), ..LoadOptions::default() })?;
    let expected = tensors(&dir.join("expect.safetensors"));
    let mut report = with_precision(Precision::Full, || compare(&*model, &expected))?;
    let fast = with_precision(Precision::Fast, || compare(&*model, &expected))?;
    report.fast = fast.prompt.max(fast.decode);
    Ok(report)
}

fn compare(model: &dyn Language, expected: &BTreeMap<String, Tensor>) -> Result<Report> {
    let (prompt, decode) = (expected["prompt"].to_vec::<i32>()?, expected["decode"].to_vec::<i32>()?);
    let (prompt_logits, decode_logits) =
        (expected["prompt_logits"].to_vec::<f32>()?, expected["decode_logits"].to_vec()?);
    let mut report = Report { prompt: 0.0, chunks: 0.0, decode: 0.0, fast: 0.0 };
    let mut first: Option<Vec<f32>> = None;
    for chunk in CHUNKS {
        let mut caches = model.caches();
        let mut logits = Vec::new();
        for ids in prompt.chunks(chunk.min(prompt.len())) {
            logits.extend(step(model, ids, &mut caches)?);
        }
        let mut decoded = Vec::new();
        for id in &decode {
            decoded.extend(step(model, &[*id], &mut caches)?);
        }
        report.prompt = report.prompt.max(max_difference(&logits, &prompt_logits));
        report.decode = report.decode.max(max_difference(&decoded, &decode_logits));
        report.chunks = report.chunks.max(first.as_ref().map_or(0.0, |first| max_difference(&logits, first)));
        first.get_or_insert(logits);
    }
    Ok(report)
}

fn step(model: &dyn Language, ids: &[i32], caches: &mut [KvCache]) -> Result<Vec<f32>> {
    let ids = Tensor::from_slice(ids, [1, ids.len() as i32])?;
    let logits = model.forward(&Step { input: Input::Tokens(&ids), logits: Logits::All }, caches)?;
    Ok(logits.map(|logits| logits.to_vec()).transpose()?.unwrap_or_default())
}
