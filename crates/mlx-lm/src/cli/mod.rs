//! `mlx-lm generate`, `chat` and `bench`.

mod bench;
mod chat;
mod generate;
mod terminal;

use clap::{Args, Parser, Subcommand};
use mlx_lm::ops::{Device, Dtype};
use mlx_lm::{LoadOptions, Model, Options, Result, Sampling};
use std::process::ExitCode;

/// Language models on Apple's MLX.
#[derive(Parser)]
#[command(name = "mlx-lm", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer one prompt.
    Generate(generate::Generate),
    /// Talk with a model.
    Chat(chat::Chat),
    /// Measure prompt and generation speed on fixed random tokens.
    Bench(bench::Bench),
}

/// Which model, and where it runs.
#[derive(Args)]
struct ModelArgs {
    /// A folder, a .gguf file or a hub id.
    #[arg(long)]
    model: String,
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

/// How to answer.
#[derive(Args)]
struct AnswerArgs {
    /// The most tokens of an answer.
    #[arg(short, long, default_value_t = 256)]
    max_tokens: usize,
    /// 0 takes the most likely token; higher draws more freely.
    #[arg(long, visible_alias = "temperature", default_value_t = 0.0)]
    temp: f32,
    /// Draw from the likeliest tokens that reach this probability together; 0: from all.
    #[arg(long, default_value_t = 0.0)]
    top_p: f32,
    /// Draw from tokens at least this fraction as likely as the likeliest.
    #[arg(long, default_value_t = 0.0)]
    min_p: f32,
    /// Draw from this many of the likeliest tokens; 0: from all.
    #[arg(long, default_value_t = 0)]
    top_k: usize,
    /// Make recent tokens less likely by this factor; 1: leave them.
    #[arg(long, default_value_t = 1.0)]
    repetition_penalty: f32,
    /// How many recent tokens the penalty looks at.
    #[arg(long, default_value_t = 20)]
    repetition_context_size: usize,
    /// Make the draws repeatable.
    #[arg(long)]
    seed: Option<u64>,
    /// End the answer before this text; may be given several times.
    #[arg(long)]
    stop: Vec<String>,
    /// How many prompt tokens one pass takes [default: 256 on a CPU, 2048 on a GPU]
    #[arg(long)]
    prefill_step_size: Option<usize>,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

impl ModelArgs {
    fn load(&self, quiet: bool) -> Result<Model> {
        if let Some(device) = self.device {
            device.set_default()?;
        }
        let options = LoadOptions {
            dtype: self.dtype,
            revision: self.revision.clone(),
            offline: self.offline,
            progress: terminal::loading(quiet),
        };
        Model::load(&self.model, options)
    }
}

impl AnswerArgs {
    fn options(&self) -> Options {
        Options {
            max_tokens: self.max_tokens,
            prefill_step: self.prefill_step_size.unwrap_or_else(mlx_nn::generate::prefill_step),
            sampling: Sampling {
                temperature: self.temp,
                top_p: self.top_p,
                min_p: self.min_p,
                top_k: self.top_k,
                repetition_penalty: self.repetition_penalty,
                repetition_context: self.repetition_context_size,
                seed: self.seed,
            },
            stop: self.stop.clone(),
            processors: Vec::new(),
            progress: Some(terminal::prefilling(self.json)),
        }
    }
}

/// Runs the command of the process's arguments; status 2 means that the input was wrong.
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Generate(command) => command.run(),
        Command::Chat(command) => command.run(),
        Command::Bench(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::from(2)
        }
    }
}
