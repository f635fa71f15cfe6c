//! `mlx-embed bench`: how fast texts become vectors.

use super::{EncodeArgs, ModelArgs, input};
use clap::Args;
use mlx_embed::{Embedder, EncodeOptions, Error, Result};
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// Measure texts a second, and the time that one text takes alone.
#[derive(Args)]
pub struct Bench {
    #[command(flatten)]
    model: ModelArgs,
    /// A file with a text in each line; `-` is standard input.
    texts: PathBuf,
    /// How many times all texts are encoded; medians are reported.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// How many texts are encoded alone, one after the other.
    #[arg(long, default_value_t = 50)]
    alone: usize,
    /// Print a JSON object in place of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    encode: EncodeArgs,
}

impl Bench {
    /// Loads the model and measures.
    pub fn run(&self) -> Result<()> {
        let start = Instant::now();
        let model = self.model.load()?;
        let load = start.elapsed().as_secs_f64();
        let texts = input::texts(&self.texts, None)?.collect::<Result<Vec<String>>>()?;
        if texts.is_empty() {
            return Err(Error::msg(format!("{} has no text.", self.texts.display())));
        }
        let options = self.encode.options();
        let alone = texts.iter().cycle().take(self.alone);
        let latency = median(alone.map(|text| seconds(&model, &[text], &options)).collect::<Result<_>>()?);
        let all = median((0..self.repeats.max(1)).map(|_| seconds(&model, &texts, &options)).collect::<Result<_>>()?);
        let rate = texts.len() as f64 / all;
        let resident = mlx_ops::memory::peak_resident();
        match self.json {
            true => println!(
                "{}",
                json!({ "texts": texts.len(), "texts_per_second": rate, "latency_ms": latency * 1e3,
                    "load_seconds": load, "peak_resident": resident })
            ),
            false => {
                println!("texts a second     {rate:.1}");
                println!("one text, ms       {:.2}", latency * 1e3);
                println!("loading, s         {load:.2}");
                if let Some(bytes) = resident {
                    println!("peak memory, MiB   {}", bytes >> 20);
                }
            }
        }
        Ok(())
    }
}

fn seconds<S: AsRef<str> + Sync>(model: &Embedder, texts: &[S], options: &EncodeOptions) -> Result<f64> {
    let start = Instant::now();
    model.encode(texts, options)?;
    Ok(start.elapsed().as_secs_f64())
}

/// The middle of some times; 0 of none.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(0.0)
}
