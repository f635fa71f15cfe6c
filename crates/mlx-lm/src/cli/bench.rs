//! `mlx-lm bench`: speed on fixed random tokens, end tokens ignored.

use super::ModelArgs;
use clap::Args;
use mlx_lm::ops::memory;
use mlx_lm::{Model, Options, Result};
use mlx_nn::generate::Generation;
use serde_json::json;
use std::time::Instant;

/// Measure prompt and generation speed on fixed random tokens.
#[derive(Args)]
pub struct Bench {
    #[command(flatten)]
    model: ModelArgs,
    /// The length of the prompt.
    #[arg(short, long, default_value_t = 512)]
    prompt_tokens: usize,
    /// The number of tokens to generate.
    #[arg(short, long, default_value_t = 128)]
    gen_tokens: usize,
    /// How often to measure; the medians are printed.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

impl Bench {
    /// Loads the model, warms up, measures, prints.
    pub fn run(&self) -> Result<()> {
        let start = Instant::now();
        let model = self.model.load(true)?;
        let load = start.elapsed().as_secs_f64();
        let ids = tokens(self.prompt_tokens.max(1), model.language().vocab_size());
        measure(&model, &ids[..ids.len().min(8)], 2)?;
        let mut runs = Vec::new();
        for _ in 0..self.repeats.max(1) {
            runs.push(measure(&model, &ids, self.gen_tokens.max(2))?);
        }
        let prompt_tps = median(runs.iter().map(|run| run.0).collect());
        let generation_tps = median(runs.iter().map(|run| run.1).collect());
        let peak_memory = memory::peak_memory()?;
        match self.json {
            true => println!(
                "{}",
                json!({
                    "prompt_tps": prompt_tps,
                    "generation_tps": generation_tps,
                    "peak_memory": peak_memory,
                    "load_seconds": load,
                })
            ),
            false => println!(
                "Prompt: {prompt_tps:.1} tokens/s. Generation: {generation_tps:.1} tokens/s. Peak memory: {:.3} GB. \
                 Load: {load:.2} s.",
                peak_memory as f64 / 1e9
            ),
        }
        Ok(())
    }
}

/// The ids that xtask/py/bench_lm.py uses: a linear congruential generator.
fn tokens(count: usize, vocab: usize) -> Vec<u32> {
    let mut state = 1u64;
    let next = |_| {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        ((state >> 16) as usize % vocab) as u32
    };
    (0..count).map(next).collect()
}

/// Prompt and generation tokens per second of one run.
fn measure(model: &Model, prompt: &[u32], count: usize) -> Result<(f64, f64)> {
    let start = Instant::now();
    let options = Options { max_tokens: count, ..Options::default() };
    let language = model.language();
    let mut generation = Generation::new(language, language.caches(), prompt, options)?;
    let first = Instant::now();
    for token in &mut generation {
        token?;
    }
    let prompt_tps = prompt.len() as f64 / (first - start).as_secs_f64();
    Ok((prompt_tps, (count - 1) as f64 / first.elapsed().as_secs_f64()))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
