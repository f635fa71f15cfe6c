//! `mlx-embed classify`.

use super::{ModelArgs, ScoreArgs, input};
use clap::Args;
use mlx_embed::{Classifier, Label, Result, ScoreOptions};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Find the labels that fit texts.
#[derive(Args)]
pub struct Classify {
    #[command(flatten)]
    model: ModelArgs,
    /// Files with a text in each line; `-` or none is standard input.
    inputs: Vec<PathBuf>,
    /// Lines are JSON objects with the text under this key.
    #[arg(long)]
    json_key: Option<String>,
    /// Print so many labels for each text.
    #[arg(long, default_value_t = 1)]
    top_k: usize,
    /// Print a JSON object for each text: its labels with their scores, and itself.
    #[arg(long)]
    json: bool,
    /// Print scores as the model gives them, not as probabilities.
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    score: ScoreArgs,
}

impl Classify {
    /// Prints a line for each text: its labels, the best first, and itself.
    pub fn run(&self) -> Result<()> {
        let texts = input::all(&self.inputs, self.json_key.as_deref())?;
        let model = Classifier::load(&self.model.model, self.model.options()?)?;
        let options = ScoreOptions { raw: self.raw, ..self.score.options() };
        let labels = model.classify(&texts, &options)?;
        let line = |(labels, text): (Vec<Label>, &String)| {
            let best = labels.into_iter().take(self.top_k);
            if self.json {
                let labels: Vec<Value> = best.map(|l| json!({ "label": l.name, "score": l.score })).collect();
                return format!("{}\n", json!({ "labels": labels, "text": text }));
            }
            let labels: Vec<String> = best.map(|l| format!("{} {:.6}", l.name, l.score)).collect();
            format!("{}\t{text}\n", labels.join(", "))
        };
        super::print(&labels.into_iter().zip(&texts).map(line).collect::<String>())
    }
}
