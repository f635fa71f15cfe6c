//! The subcommands of `mlx-embed`.

mod bench;
mod classify;
mod encode;
mod input;
mod late;
mod progress;
mod rerank;
mod search;
#[cfg(feature = "serve")]
mod serve;
mod similarity;
mod sparse;

use clap::{Args, Parser, Subcommand};
use mlx_embed::{
    Embedder, EncodeOptions, Error, LoadOptions, MultiVector, Overlong, Prompt, Result, ScoreOptions, locate,
};
use mlx_ops::{Device, Dtype};
use std::path::PathBuf;
use std::process::ExitCode;

/// Text embeddings on Apple's MLX.
#[derive(Parser)]
#[command(name = "mlx-embed", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Turn texts into vectors.
    Encode(encode::Encode),
    /// Compare texts.
    Similarity(similarity::Compare),
    /// Order documents by how well they fit a query.
    Rerank(rerank::Rerank),
    /// Find the labels that fit texts.
    Classify(classify::Classify),
    /// Turn texts into weights of words.
    Sparse(sparse::Sparse),
    /// Measure speed.
    Bench(bench::Bench),
    /// Search a folder.
    Search(search::Search),
    /// Answer requests over HTTP.
    #[cfg(feature = "serve")]
    Serve(serve::Serve),
}

/// Which model, and where it runs.
#[derive(Args, Clone)]
struct ModelArgs {
    /// A sentence-transformers folder or a hub id.
    #[arg(long)]
    model: PathBuf,
    /// A branch, tag or commit of the hub repository.
    #[arg(long)]
    revision: Option<String>,
    /// Use only what is already downloaded.
    #[arg(long)]
    offline: bool,
    /// The dtype of weights and activations: f32, f16 or bf16 [default: f32 on a CPU, the checkpoint's on a GPU].
    #[arg(long, value_parser = Dtype::of_models)]
    dtype: Option<Dtype>,
    /// Where to compute: cpu or gpu [default: gpu where there is one].
    #[arg(long)]
    device: Option<Device>,
}

/// How to encode.
#[derive(Args)]
struct EncodeArgs {
    /// The model's prompt for queries or documents: query or document.
    #[arg(long, value_parser = ["query", "document"], conflicts_with_all = ["prompt", "prompt_name"])]
    role: Option<String>,
    /// This text stands in front of each text.
    #[arg(long, conflicts_with = "prompt_name")]
    prompt: Option<String>,
    /// The model's prompt of this name stands in front of each text.
    #[arg(long)]
    prompt_name: Option<String>,
    /// Keep so many leading numbers of each vector.
    #[arg(long)]
    truncate_dim: Option<usize>,
    /// Scale vectors to length 1.
    #[arg(long)]
    normalize: bool,
    /// The most tokens of a text [default: as the model's files say].
    #[arg(long)]
    max_tokens: Option<usize>,
    /// A longer text is an error; otherwise its end is left out.
    #[arg(long)]
    refuse_overlong: bool,
    /// The most tokens that go through the model together.
    #[arg(long, default_value_t = EncodeOptions::default().batch_tokens)]
    batch_tokens: usize,
}

/// How to score texts.
#[derive(Args)]
struct ScoreArgs {
    /// This text stands in front of each text, or of the query; of decoders it is what is asked.
    #[arg(long, conflicts_with = "prompt_name")]
    prompt: Option<String>,
    /// The model's prompt of this name stands there.
    #[arg(long)]
    prompt_name: Option<String>,
    /// The most tokens of a text, or of query and document [default: as the model's files say].
    #[arg(long)]
    max_tokens: Option<usize>,
    /// A longer one is an error; otherwise its end is left out.
    #[arg(long)]
    refuse_overlong: bool,
    /// The most tokens that go through the model together.
    #[arg(long, default_value_t = ScoreOptions::default().batch_tokens)]
    batch_tokens: usize,
}

/// A model with one vector for a text, or one for each of its tokens.
enum Loaded {
    Single(Box<Embedder>),
    Late(Box<MultiVector>),
}

impl ModelArgs {
    fn load(&self) -> Result<Embedder> {
        Embedder::load(&self.model, self.options()?)
    }

    /// The model, whatever it gives.
    fn load_any(&self) -> Result<Loaded> {
        let dir = locate(&self.model, &self.options()?)?;
        Ok(match MultiVector::is_at(&dir)? {
            true => Loaded::Late(Box::new(MultiVector::load(&dir, self.options()?)?)),
            false => Loaded::Single(Box::new(Embedder::load(&dir, self.options()?)?)),
        })
    }

    /// How to load, on the device that was asked for.
    fn options(&self) -> Result<LoadOptions> {
        if let Some(device) = self.device {
            device.set_default().map_err(Error::from)?;
        }
        let revision = self.revision.clone();
        Ok(LoadOptions { dtype: self.dtype, revision, offline: self.offline, ..LoadOptions::default() })
    }
}

impl ScoreArgs {
    fn options(&self) -> ScoreOptions {
        let prompt = match (&self.prompt, &self.prompt_name) {
            (Some(text), _) => Prompt::Text(text.clone()),
            (None, Some(name)) => Prompt::Named(name.clone()),
            (None, None) => Prompt::Default,
        };
        let overlong = if self.refuse_overlong { Overlong::Refuse } else { Overlong::Truncate };
        let (max_tokens, batch_tokens) = (self.max_tokens, self.batch_tokens);
        ScoreOptions { prompt, max_tokens, overlong, raw: false, batch_tokens }
    }
}

fn print(text: &str) -> Result<()> {
    let written = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
    written.map_err(|e| Error::msg(format!("Standard output cannot be written: {e}.")))
}

impl EncodeArgs {
    fn options(&self) -> EncodeOptions {
        let prompt = match (self.role.as_deref(), &self.prompt, &self.prompt_name) {
            (Some("query"), ..) => Prompt::Query,
            (Some(_), ..) => Prompt::Document,
            (None, Some(text), _) => Prompt::Text(text.clone()),
            (None, None, Some(name)) => Prompt::Named(name.clone()),
            (None, None, None) => Prompt::Default,
        };
        EncodeOptions {
            prompt,
            truncate_dim: self.truncate_dim,
            normalize: self.normalize,
            max_tokens: self.max_tokens,
            overlong: if self.refuse_overlong { Overlong::Refuse } else { Overlong::Truncate },
            batch_tokens: self.batch_tokens,
        }
    }
}

/// Runs the command of the process's arguments; status 2 means that the input was wrong.
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Encode(command) => command.run(),
        Command::Similarity(command) => command.run(),
        Command::Rerank(command) => command.run(),
        Command::Classify(command) => command.run(),
        Command::Sparse(command) => command.run(),
        Command::Bench(command) => command.run(),
        Command::Search(command) => command.run(),
        #[cfg(feature = "serve")]
        Command::Serve(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::from(2)
        }
    }
}
