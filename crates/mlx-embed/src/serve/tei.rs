//! The interface of text-embeddings-inference: `/embed`, `/similarity`, `/tokenize`, `/info`.

use super::intake::{Reading, check_count};
use super::items::Items;
use super::refusal::{Kind, Refusal};
use super::routes::{Body, Shared};
use super::server::Model;
use crate::{Overlong, Similarity};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Which end of a long text is left out.
#[derive(Clone, Copy, Default, Deserialize)]
pub enum Direction {
    #[serde(alias = "left")]
    Left,
    #[default]
    #[serde(alias = "right")]
    Right,
}

/// What several requests say of texts.
#[derive(Default, Deserialize)]
pub struct Parameters {
    truncate: Option<bool>,
    #[serde(default)]
    truncation_direction: Direction,
    prompt_name: Option<String>,
}

impl Parameters {
    fn reading(self, shared: &Shared) -> Reading {
        let overlong = overlong(shared, self.truncate, self.truncation_direction);
        Reading { prompt: shared.prompt(self.prompt_name), overlong }
    }
}

/// What becomes of long texts: as the request says, else as the server does.
pub fn overlong(shared: &Shared, truncate: Option<bool>, direction: Direction) -> Overlong {
    match (truncate.unwrap_or(shared.options.overlong != Overlong::Refuse), direction) {
        (false, _) => Overlong::Refuse,
        (true, Direction::Left) => Overlong::TruncateStart,
        (true, Direction::Right) => Overlong::Truncate,
    }
}

#[derive(Deserialize)]
pub struct Embed {
    inputs: Value,
    normalize: Option<bool>,
    dimensions: Option<usize>,
    #[serde(flatten)]
    parameters: Parameters,
}

pub async fn embed(State(shared): State<Shared>, Body(request): Body<Embed>) -> Result<Json<Vec<Vec<f32>>>, Refusal> {
    let items = Items::read("inputs", request.inputs)?;
    let reading = request.parameters.reading(&shared);
    let normalize = request.normalize.unwrap_or(true);
    Ok(Json(shared.vectors("inputs", items, reading, request.dimensions, normalize).await?.0))
}

#[derive(Deserialize)]
pub struct Compare {
    inputs: Sentences,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Sentences {
    source_sentence: String,
    sentences: Vec<String>,
}

pub async fn similarity(State(shared): State<Shared>, Body(request): Body<Compare>) -> Result<Json<Vec<f32>>, Refusal> {
    let Sentences { source_sentence, sentences } = request.inputs;
    if sentences.is_empty() {
        return Err(Refusal::new(Kind::Empty, "`inputs.sentences` is empty."));
    }
    let texts = std::iter::once(source_sentence).chain(sentences).collect();
    let reading = request.parameters.reading(&shared);
    let (vectors, _) = shared.vectors("inputs", Items::Texts(texts), reading, None, false).await?;
    let [source, others @ ..] = &vectors[..] else { return Ok(Json(Vec::new())) };
    Ok(Json(others.iter().map(|other| Similarity::Cosine.of(source, other)).collect()))
}

#[derive(Deserialize)]
pub struct Tokenize {
    inputs: Value,
    add_special_tokens: Option<bool>,
    prompt_name: Option<String>,
}

/// A token of a text. What was added around the text has no place in it.
#[derive(Serialize)]
pub struct Token {
    id: u32,
    text: String,
    special: bool,
    start: Option<usize>,
    stop: Option<usize>,
}

pub async fn tokenize(
    State(shared): State<Shared>,
    Body(request): Body<Tokenize>,
) -> Result<Json<Vec<Vec<Token>>>, Refusal> {
    let intake = Arc::clone(shared.embedder()?.1);
    let Items::Texts(texts) = Items::read("inputs", request.inputs)? else {
        return Err(Refusal::field("inputs", "`inputs` is a list of ids, which are tokens already."));
    };
    check_count("inputs", texts.len(), shared.options.max_texts)?;
    let (prompt, special) = (shared.prompt(request.prompt_name), request.add_special_tokens.unwrap_or(true));
    let work = move || {
        let prompt = intake.prompt(&prompt)?.to_owned();
        let tokens = |text: &String| {
            let text = [&prompt, text.as_str()].concat();
            let spans = intake.tokenizer().encode_spans(&text, special)?;
            let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let token = |(id, span): (u32, Option<std::ops::Range<usize>>)| Token {
                id,
                text: match &span {
                    Some(span) => text[bytes[span.start]..bytes[span.end]].to_owned(),
                    None => intake.tokenizer().token(id).unwrap_or_default(),
                },
                special: intake.tokenizer().is_special(id),
                start: span.as_ref().map(|span| span.start),
                stop: span.map(|span| span.end),
            };
            Ok(spans.into_iter().map(token).collect())
        };
        let all = texts.iter().map(tokens).collect::<mlx_nn::Result<Vec<_>>>();
        all.map_err(|e| Refusal::field("inputs", e.to_string()))
    };
    Ok(Json(super::routes::off_thread(work).await?))
}

pub async fn info(State(shared): State<Shared>) -> Json<Value> {
    let options = &shared.options;
    let mut info = json!({
        "model_id": shared.name,
        "model_sha": null,
        "max_concurrent_requests": options.max_requests,
        "max_batch_tokens": options.max_batch_tokens,
        "max_batch_requests": null,
        "max_client_batch_size": options.max_texts,
        "auto_truncate": options.overlong != Overlong::Refuse,
        "version": env!("CARGO_PKG_VERSION"),
    });
    match &shared.model {
        Model::Embedder(_, intake) => {
            info["model_type"] = json!({ "embedding": { "dimensions": intake.dims } });
            info["max_input_length"] = json!(intake.max_tokens);
        }
        Model::Reranker(_) => info["model_type"] = json!({ "reranker": {} }),
    }
    Json(info)
}

/// An empty answer while the model's thread is there.
pub async fn health(State(shared): State<Shared>) -> Result<(), Refusal> {
    let alive = match &shared.model {
        Model::Embedder(engine, _) => engine.is_alive(),
        Model::Reranker(engine) => engine.is_alive(),
    };
    if alive { Ok(()) } else { Err(Refusal::new(Kind::Unavailable, "The model's thread has ended.")) }
}

pub async fn metrics(State(shared): State<Shared>) -> String {
    shared.metrics.page(shared.counts())
}
