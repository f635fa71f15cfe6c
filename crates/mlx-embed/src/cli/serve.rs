//! `mlx-embed serve`.

use super::ModelArgs;
use clap::Args;
use mlx_embed::serve::{ServeOptions, Server};
use mlx_embed::{Overlong, Reranker, Result, locate};

/// The environment's variable for a key that the list of processes should not show.
const KEY: &str = "MLX_EMBED_API_KEY";

/// Answer requests over HTTP, as OpenAI and text-embeddings-inference do: with vectors, or with scores where the model is a
/// reranker.
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    model: ModelArgs,
    /// The model's name in answers [default: the last part of --model].
    #[arg(long)]
    name: Option<String>,
    /// The name or address to listen at.
    #[arg(long, default_value_t = ServeOptions::default().host)]
    host: String,
    /// The port; 0 for any that is free.
    #[arg(long, default_value_t = ServeOptions::default().port)]
    port: u16,
    /// What clients have to send as `Authorization: Bearer KEY` [default: MLX_EMBED_API_KEY, else nothing].
    #[arg(long)]
    api_key: Option<String>,
    /// The most tokens that go through the model before other requests get their turn.
    #[arg(long, default_value_t = ServeOptions::default().max_batch_tokens)]
    max_batch_tokens: usize,
    /// The most requests at a time; others get the status 429.
    #[arg(long, default_value_t = ServeOptions::default().max_requests)]
    max_requests: usize,
    /// The most texts of a request; others get the status 413.
    #[arg(long, default_value_t = ServeOptions::default().max_texts)]
    max_texts: usize,
    /// The most bytes of a request's body; others get the status 413.
    #[arg(long, default_value_t = ServeOptions::default().max_body_bytes)]
    max_body_bytes: usize,
    /// A text that is too long is an error unless the request says `truncate`; otherwise its end is left out.
    #[arg(long)]
    refuse_overlong: bool,
}

impl Serve {
    /// Loads the model and serves until a signal.
    pub fn run(&self) -> Result<()> {
        let options = ServeOptions {
            host: self.host.clone(),
            port: self.port,
            api_key: self.api_key.clone().or_else(|| std::env::var(KEY).ok()).filter(|key| !key.is_empty()),
            max_batch_tokens: self.max_batch_tokens,
            max_requests: self.max_requests,
            max_texts: self.max_texts,
            max_body_bytes: self.max_body_bytes,
            overlong: if self.refuse_overlong { Overlong::Refuse } else { Overlong::Truncate },
        };
        let name = self.name.clone().unwrap_or_else(|| {
            let last = self.model.model.file_name().unwrap_or(self.model.model.as_os_str());
            last.to_string_lossy().into_owned()
        });
        let model = self.model.clone();
        let server = match Reranker::is_at(&locate(&model.model, &model.options()?)?)? {
            true => {
                Server::reranker(&name, move || Reranker::load(&model.model, model.options()?)?.scorer(), &options)?
            }
            false => Server::embedder(&name, move || model.load(), &options)?,
        };
        eprintln!("{name} answers at http://{}", server.address());
        server.wait()
    }
}
