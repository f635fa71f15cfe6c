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
    // Not `--quiet`: the first build takes minutes, and shows that it moves.
    let command = cmd!(sh, "cargo run -p mlx-lm -- generate --ignore-chat-template --model {model}");
    project::pass_through(command.args(["--prompt", prompt, "--max-tokens", max_tokens.as_str()]))
}
