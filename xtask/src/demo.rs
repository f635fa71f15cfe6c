//! `cargo xtask demo`: from nothing to a real model's text.

use crate::{Result, fetch, flags, project};
use xshell::cmd;

/// A beginning that the small model goes on from well; asked in a chat, its 4-bit weights talk nonsense.
const PROMPT: &str = "Photosynthesis is the process by which";
const MAX_TOKENS: usize = 64;

/// Fetches the default model and lets the `mlx-lm` binary go on from the prompt.
pub fn run(flags: &flags::Demo) -> Result {
    let model = fetch::inputs()?.join(fetch::DEFAULT_MODEL);
    let prompt = flags.prompt.as_deref().unwrap_or(PROMPT);
    let max_tokens = flags.max_tokens.unwrap_or(MAX_TOKENS).to_string();
    let sh = project::shell()?;
    let generate = cmd!(sh, "cargo run --quiet -p mlx-lm -- generate --model {model} --prompt {prompt}");
    let generate = generate.arg("--ignore-chat-template");
    project::pass_through(generate.args(["--max-tokens", max_tokens.as_str()]))
}
