//! Scores of texts for a query: `/rerank` as text-embeddings-inference has it, `/v1/rerank` as Cohere and Jina do.

use super::intake::check_count;
use super::refusal::{Kind, Refusal};
use super::routes::{Body, Shared};
use super::server::{Model, Score};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub struct Request {
    query: String,
    texts: Vec<String>,
    #[serde(default)]
    raw_scores: bool,
    #[serde(default)]
    return_text: bool,
    truncate: Option<bool>,
}

#[derive(Serialize)]
pub struct Rank {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    score: f32,
}

pub async fn tei(State(shared): State<Shared>, Body(request): Body<Request>) -> Result<Json<Vec<Rank>>, Refusal> {
    let Request { query, texts, raw_scores, return_text, truncate } = request;
    if truncate == Some(false) {
        return Err(Refusal::field(
            "truncate",
            "`truncate` is false; a reranker here shortens the pairs that are too long.",
        ));
    }
    let scores = ranked(&shared, "texts", &query, &texts, raw_scores).await?;
    let rank = |(index, score): (usize, f32)| Rank { index, text: return_text.then(|| texts[index].clone()), score };
    Ok(Json(scores.into_iter().map(rank).collect()))
}

#[derive(Deserialize)]
pub struct CohereRequest {
    query: String,
    documents: Vec<Document>,
    top_n: Option<usize>,
    #[serde(default)]
    return_documents: bool,
}

/// A text, or an object that holds it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "each of `documents` should be a string or an object with a string `text`")]
enum Document {
    Text(String),
    Object { text: String },
}

#[derive(Serialize)]
pub struct CohereAnswer {
    model: String,
    results: Vec<Relevance>,
}

#[derive(Serialize)]
struct Relevance {
    index: usize,
    relevance_score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Returned>,
}

#[derive(Serialize)]
struct Returned {
    text: String,
}

pub async fn cohere(
    State(shared): State<Shared>,
    Body(request): Body<CohereRequest>,
) -> Result<Json<CohereAnswer>, Refusal> {
    let text = |document| match document {
        Document::Text(text) | Document::Object { text } => text,
    };
    let texts: Vec<String> = request.documents.into_iter().map(text).collect();
    let mut scores = ranked(&shared, "documents", &request.query, &texts, false).await?;
    scores.truncate(request.top_n.unwrap_or(usize::MAX));
    let relevance = |(index, relevance_score): (usize, f32)| {
        let document = request.return_documents.then(|| Returned { text: texts[index].clone() });
        Relevance { index, relevance_score, document }
    };
    Ok(Json(CohereAnswer { model: shared.name.clone(), results: scores.into_iter().map(relevance).collect() }))
}

/// The texts' numbers and scores, the best first.
async fn ranked(
    shared: &Shared,
    field: &'static str,
    query: &str,
    texts: &[String],
    raw: bool,
) -> Result<Vec<(usize, f32)>, Refusal> {
    let Model::Reranker(engine) = &shared.model else {
        return Err(Refusal::new(Kind::OtherModel, "The model is no reranker: it turns texts into vectors."));
    };
    if texts.is_empty() {
        return Err(Refusal { kind: Kind::Empty, ..Refusal::field(field, format!("`{field}` is empty.")) });
    }
    check_count(field, texts.len(), shared.options.max_texts)?;
    // A token has four bytes or so; the exact number is the model's to find out.
    let pair = |text: &String| ((query.len() + text.len()) / 4 + 3, (query.to_owned(), text.clone()));
    let scores = engine.run(texts.iter().map(pair).collect()).await?;
    let score = |Score { raw: before, activated }: Score| if raw { before } else { activated };
    let mut ranked: Vec<(usize, f32)> = scores.into_iter().map(score).enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(ranked)
}
