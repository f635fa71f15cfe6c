//! `mlx-lm bench`: speed on fixed random tokens, end tokens ignored.

mod machine;
mod measure;

use super::ModelArgs;
use clap::Args;
use mlx_lm::ops::memory;
use mlx_lm::{Language, Result};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Measure prompt and generation speed on fixed random tokens.
#[derive(Args)]
pub struct Bench {
    #[command(flatten)]
    model: ModelArgs,
    /// The lengths of the prompts, each measured alone.
    #[arg(short, long, value_delimiter = ',', default_value = "512")]
    prompt_tokens: Vec<usize>,
    /// The number of tokens to generate.
    #[arg(short, long, default_value_t = 128)]
    gen_tokens: usize,
    /// Generate after prompts of these lengths in place of those of --prompt-tokens.
    #[arg(long, value_delimiter = ',', value_name = "TOKENS")]
    context: Vec<usize>,
    /// Generate so many sequences together, each after a prompt of the first context.
    #[arg(long, value_delimiter = ',', value_name = "COUNT")]
    sequences: Vec<usize>,
    /// Measure how fast all cores together read memory.
    #[arg(long)]
    bandwidth: bool,
    /// How often to measure; the medians are printed.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

/// One figure: tokens a second of a prompt length, a context or a number of sequences.
type Rate = (usize, f64);

/// Everything that one run of the command found.
struct Report {
    prefill: Vec<Rate>,
    decode: Vec<Rate>,
    sequences: Vec<Rate>,
    /// Bytes of the keys and values that a token's step reads, by context.
    cache: Vec<(usize, usize)>,
    /// The most bytes that the caches of one measurement took.
    largest_cache: usize,
    load: f64,
    peak_memory: usize,
    peak_resident: Option<usize>,
    bandwidth: Option<f64>,
}

impl Bench {
    /// Loads the model, warms up, measures, prints.
    pub fn run(&self) -> Result<()> {
        let start = Instant::now();
        let model = self.model.load(true)?;
        let load = start.elapsed().as_secs_f64();
        let report = self.measure(model.language(), load)?;
        match self.json {
            true => println!("{}", report.as_json()),
            false => print!("{}", report.as_text()),
        }
        Ok(())
    }

    fn measure(&self, language: &dyn Language, load: f64) -> Result<Report> {
        let mut report = Report {
            prefill: Vec::new(),
            decode: Vec::new(),
            sequences: Vec::new(),
            cache: Vec::new(),
            largest_cache: 0,
            load,
            peak_memory: 0,
            peak_resident: None,
            bandwidth: None,
        };
        let vocab = language.vocab_size();
        measure::generation(language, &measure::tokens(8, vocab), 2)?;
        // Where no context is named, the tokens of a prompt's run are timed as well as the prompt.
        let both = self.context.is_empty();
        for &length in &self.prompt_tokens {
            let runs = self.repeat(language, length, if both { self.gen_tokens } else { 0 })?;
            report.add_caches(&runs);
            report.prefill.push((length, median(runs.iter().map(|run| run.prefill))));
            if both {
                report.add_decode(length, &runs);
            }
        }
        for &length in &self.context {
            let runs = self.repeat(language, length, self.gen_tokens)?;
            report.add_decode(length, &runs);
        }
        let context = *self.context.first().or(self.prompt_tokens.first()).unwrap_or(&1);
        for &count in &self.sequences {
            let mut rates = Vec::new();
            for _ in 0..self.repeats.max(1) {
                forget()?;
                let run = measure::sequences(language, count.max(1), context.max(1), self.gen_tokens.max(1))?;
                rates.push(run.decode);
                report.add_caches(&[run]);
            }
            report.sequences.push((count, median(rates)));
        }
        report.peak_memory = memory::peak_memory()?;
        // Before the bandwidth, whose buffer is no part of the model.
        report.peak_resident = memory::peak_resident();
        report.bandwidth = self.bandwidth.then(machine::read_bandwidth);
        Ok(report)
    }

    fn repeat(&self, language: &dyn Language, prompt: usize, count: usize) -> Result<Vec<measure::Run>> {
        let ids = measure::tokens(prompt.max(1), language.vocab_size());
        let run = |_| {
            forget()?;
            measure::generation(language, &ids, count)
        };
        (0..self.repeats.max(1)).map(run).collect()
    }
}

impl Report {
    fn add_decode(&mut self, context: usize, runs: &[measure::Run]) {
        self.decode.push((context, median(runs.iter().map(|run| run.decode))));
        self.add_caches(runs);
        self.cache.push((context, runs.first().map_or(0, |run| run.cache_read)));
    }

    fn add_caches(&mut self, runs: &[measure::Run]) {
        let largest = runs.iter().map(|run| run.cache_capacity).max();
        self.largest_cache = self.largest_cache.max(largest.unwrap_or(0));
    }

    /// The first prompt's figures stand alone too, under the names that mlx-lm gives them.
    fn as_json(&self) -> Value {
        let first = |rates: &[Rate]| rates.first().map(|&(_, rate)| rate);
        let cache: Map<_, _> = self.cache.iter().map(|(at, bytes)| (at.to_string(), json!(bytes))).collect();
        json!({
            "prompt_tps": first(&self.prefill),
            "generation_tps": first(&self.decode),
            "peak_memory": self.peak_memory,
            "load_seconds": self.load,
            "prefill": by_size(&self.prefill),
            "decode": by_size(&self.decode),
            "sequences": by_size(&self.sequences),
            "cache_bytes": cache,
            "largest_cache": self.largest_cache,
            "peak_resident": self.peak_resident,
            "read_bandwidth": self.bandwidth,
        })
    }

    fn as_text(&self) -> String {
        let memory = self.peak_memory as f64 / 1e9;
        let mut text = match (&self.prefill[..], &self.decode[..], &self.sequences[..]) {
            ([(_, prompt)], [(_, generation)], []) => {
                format!("Prompt: {prompt:.1} tokens/s. Generation: {generation:.1} tokens/s. ")
            }
            (prefill, decode, sequences) => {
                let rows = [("Prompt of", prefill), ("Generation after", decode), ("Sequences:", sequences)];
                let lines = rows.iter().flat_map(|(name, rates)| {
                    rates.iter().map(move |(size, rate)| format!("{name} {size}: {rate:.1} tokens/s.\n"))
                });
                lines.collect()
            }
        };
        text += &format!("Peak memory: {memory:.3} GB. Load: {:.2} s.\n", self.load);
        if let Some(bytes) = self.bandwidth {
            text += &format!("Memory reads: {:.1} GB/s.\n", bytes / 1e9);
        }
        text
    }
}

/// Gives freed memory back, so that one measurement's does not count for the next.
fn forget() -> Result<()> {
    memory::clear_cache()?;
    Ok(memory::trim()?)
}

fn by_size(rates: &[Rate]) -> Map<String, Value> {
    rates.iter().map(|(size, rate)| (size.to_string(), json!(rate))).collect()
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(prefill: &[Rate], decode: &[Rate], sequences: &[Rate]) -> Report {
        Report {
            prefill: prefill.to_vec(),
            decode: decode.to_vec(),
            sequences: sequences.to_vec(),
            cache: vec![(128, 4096)],
            largest_cache: 8192,
            load: 0.25,
            peak_memory: 1_500_000_000,
            peak_resident: Some(7),
            bandwidth: None,
        }
    }

    #[track_caller]
    fn check_text(report: &Report, expected: &str) {
        assert_eq!(report.as_text(), expected);
    }

    #[test]
    fn one_prompt_is_one_line() {
        let line = "Prompt: 600.0 tokens/s. Generation: 80.0 tokens/s. Peak memory: 1.500 GB. Load: 0.25 s.\n";
        check_text(&report(&[(512, 600.0)], &[(512, 80.0)], &[]), line);
        let lines = "Prompt of 32: 500.0 tokens/s.\nPrompt of 128: 600.0 tokens/s.\nGeneration after 128: 80.0 tokens/s.\n\
                     Sequences: 4: 160.0 tokens/s.\nPeak memory: 1.500 GB. Load: 0.25 s.\n";
        check_text(&report(&[(32, 500.0), (128, 600.0)], &[(128, 80.0)], &[(4, 160.0)]), lines);
    }

    #[test]
    fn json_has_the_first_figures_and_all_by_size() {
        let json = report(&[(32, 500.0), (128, 600.0)], &[(128, 80.0)], &[(4, 160.0)]).as_json();
        for (pointer, expected) in [
            ("/prompt_tps", json!(500.0)),
            ("/generation_tps", json!(80.0)),
            ("/prefill/128", json!(600.0)),
            ("/decode/128", json!(80.0)),
            ("/sequences/4", json!(160.0)),
            ("/cache_bytes/128", json!(4096)),
            ("/peak_resident", json!(7)),
            ("/read_bandwidth", Value::Null),
        ] {
            assert_eq!(json.pointer(pointer), Some(&expected), "{pointer}");
        }
    }
}
