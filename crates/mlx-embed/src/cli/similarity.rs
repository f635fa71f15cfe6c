//! `mlx-embed similarity`.

use super::{EncodeArgs, ModelArgs};
use clap::Args;
use mlx_embed::{Result, Similarity};

/// Compare texts.
#[derive(Args)]
pub struct Compare {
    #[command(flatten)]
    model: ModelArgs,
    /// The text that the others are compared with.
    text: String,
    /// Other texts.
    #[arg(required = true)]
    others: Vec<String>,
    /// cosine, dot, euclidean or manhattan [default: as the model's files say].
    #[arg(long, value_parser = named)]
    by: Option<Similarity>,
    #[command(flatten)]
    encode: EncodeArgs,
}

fn named(name: &str) -> Result<Similarity, String> {
    Similarity::named(name).ok_or_else(|| format!("`{name}` is not cosine, dot, euclidean or manhattan"))
}

impl Compare {
    /// Prints a line for each other text: its similarity and itself, the most alike first.
    pub fn run(&self) -> Result<()> {
        let model = self.model.load()?;
        let options = self.encode.options();
        let (one, others) = (model.encode(&[&self.text], &options)?, model.encode(&self.others, &options)?);
        let scores = self.by.unwrap_or(model.similarity()).between(&one, &others)?;
        let mut lines: Vec<(f32, &String)> = scores.into_iter().zip(&self.others).collect();
        lines.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut out = String::new();
        lines.iter().for_each(|(score, text)| out.push_str(&format!("{score:.6}\t{text}\n")));
        super::print(&out)
    }
}
