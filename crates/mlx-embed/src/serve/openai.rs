//! OpenAI's interface: `/v1/embeddings` and `/v1/models`.

use super::intake::Reading;
use super::items::Items;
use super::refusal::Refusal;
use super::routes::{Body, Shared};
use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The body of a request. `model` and `user` may be there and change nothing.
#[derive(Deserialize)]
pub struct Request {
    input: Value,
    dimensions: Option<usize>,
    encoding_format: Option<String>,
    /// Not OpenAI's: the model's prompt that stands in front of each text.
    prompt_name: Option<String>,
}

#[derive(Serialize)]
pub struct Answer {
    object: &'static str,
    data: Vec<Embedding>,
    model: String,
    usage: Usage,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector {
    Numbers(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
pub struct Usage {
    pub prompt_tokens: usize,
    pub total_tokens: usize,
}

pub async fn embeddings(State(shared): State<Shared>, Body(request): Body<Request>) -> Result<Json<Answer>, Refusal> {
    let base64 = match request.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => {
            let message = format!("`encoding_format` is `{other}`; it should be `float` or `base64`.");
            return Err(Refusal::field("encoding_format", message));
        }
    };
    let reading = Reading { prompt: shared.prompt(request.prompt_name), overlong: shared.options.overlong };
    let items = Items::read("input", request.input)?;
    let (vectors, tokens) = shared.vectors("input", items, reading, request.dimensions, true).await?;
    let embedding = |(index, vector): (usize, Vec<f32>)| {
        let embedding = if base64 { Vector::Base64(bytes_of(&vector)) } else { Vector::Numbers(vector) };
        Embedding { object: "embedding", index, embedding }
    };
    Ok(Json(Answer {
        object: "list",
        data: vectors.into_iter().enumerate().map(embedding).collect(),
        model: shared.name.clone(),
        usage: Usage { prompt_tokens: tokens, total_tokens: tokens },
    }))
}

/// Little-endian f32, as OpenAI's clients read them.
fn bytes_of(vector: &[f32]) -> String {
    STANDARD.encode(vector.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}

pub async fn models(State(shared): State<Shared>) -> Json<Value> {
    let model = json!({ "id": shared.name, "object": "model", "created": 0, "owned_by": "mlx-embed" });
    Json(json!({ "object": "list", "data": [model] }))
}
