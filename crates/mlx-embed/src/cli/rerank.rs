//! `mlx-embed rerank`.

use super::{ModelArgs, ScoreArgs, input};
use clap::Args;
use mlx_embed::{Reranker, Result, ScoreOptions};
use serde_json::json;
use std::path::PathBuf;

/// Order documents by how well they fit a query.
#[derive(Args)]
pub struct Rerank {
    #[command(flatten)]
    model: ModelArgs,
    /// What the documents should fit.
    #[arg(long)]
    query: String,
    /// Files with a document in each line; `-` or none is standard input.
    inputs: Vec<PathBuf>,
    /// Lines are JSON objects with the document under this key.
    #[arg(long)]
    json_key: Option<String>,
    /// Print so many documents [default: all].
    #[arg(long)]
    top_k: Option<usize>,
    /// Print a JSON object for each document: its number, from 0 on, its score and its text.
    #[arg(long)]
    json: bool,
    /// Print scores as the model gives them, without the function that its files name.
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    score: ScoreArgs,
}

impl Rerank {
    /// Prints a line for each document, the best first.
    pub fn run(&self) -> Result<()> {
        let documents = input::all(&self.inputs, self.json_key.as_deref())?;
        let model = Reranker::load(&self.model.model, self.model.options()?)?;
        let options = ScoreOptions { raw: self.raw, ..self.score.options() };
        let ranked = model.rank(&self.query, &documents, self.top_k, &options)?;
        let line = |found: mlx_embed::Ranked| {
            let (index, score, text) = (found.index, found.score, &documents[found.index]);
            match self.json {
                true => format!("{}\n", json!({ "index": index, "score": score, "text": text })),
                false => format!("{score:.6}\t{text}\n"),
            }
        };
        super::print(&ranked.into_iter().map(line).collect::<String>())
    }
}
