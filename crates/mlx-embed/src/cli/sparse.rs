//! `mlx-embed sparse`.

use super::{ModelArgs, ScoreArgs, input};
use clap::Args;
use mlx_embed::{Prompt, Result, SparseEncoder, SparseOptions, SparseVector};
use serde_json::json;
use std::path::PathBuf;

/// Turn texts into weights of words.
#[derive(Args)]
pub struct Sparse {
    #[command(flatten)]
    model: ModelArgs,
    /// Files with a text in each line; `-` or none is standard input.
    inputs: Vec<PathBuf>,
    /// Lines are JSON objects with the text under this key.
    #[arg(long)]
    json_key: Option<String>,
    /// The model's prompt for queries or documents: query or document.
    #[arg(long, value_parser = ["query", "document"], conflicts_with_all = ["prompt", "prompt_name"])]
    role: Option<String>,
    /// Keep so many words of each text [default: as the model's files say, or all].
    #[arg(long)]
    max_active_dims: Option<usize>,
    /// Print words in place of token ids, the weightiest first.
    #[arg(long)]
    words: bool,
    #[command(flatten)]
    score: ScoreArgs,
}

impl Sparse {
    /// Prints a JSON object for each text: `indices` and `values`, or words with their weights.
    pub fn run(&self) -> Result<()> {
        let texts = input::all(&self.inputs, self.json_key.as_deref())?;
        let model = SparseEncoder::load(&self.model.model, self.model.options()?)?;
        let score = self.score.options();
        let prompt = match self.role.as_deref() {
            None => score.prompt,
            Some("query") => Prompt::Query,
            Some(_) => Prompt::Document,
        };
        let (max_tokens, overlong, batch_tokens) = (score.max_tokens, score.overlong, score.batch_tokens);
        let options =
            SparseOptions { prompt, max_active_dims: self.max_active_dims, max_tokens, overlong, batch_tokens };
        let line = |vector: SparseVector| match self.words {
            true => format!("{}\n", json!(model.decode(&vector, None))),
            false => format!("{}\n", json!({ "indices": vector.indices, "values": vector.weights })),
        };
        super::print(&model.encode(&texts, &options)?.into_iter().map(line).collect::<String>())
    }
}
