//! Paths, and what every request passes: the limits, the key, the counters.

use super::engine::Counts;
use super::intake::{Intake, Reading, Vectors, check_count};
use super::items::Items;
use super::metrics::Metrics;
use super::refusal::{Kind, Refusal};
use super::server::{Model, ServeOptions};
use super::{openai, rerank, tei};
use crate::Prompt;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// The paths, which the counters tell apart, and whether they are open to those without a key.
const PATHS: [(&str, bool); 11] = [
    ("/v1/embeddings", false),
    ("/v1/models", false),
    ("/v1/rerank", false),
    ("/embed", false),
    ("/similarity", false),
    ("/rerank", false),
    ("/tokenize", false),
    ("/info", false),
    ("/health", true),
    ("/metrics", true),
    ("other", false),
];

/// What all requests share.
pub type Shared = Arc<Served>;

/// A model that is served.
pub struct Served {
    pub name: String,
    pub model: Model,
    pub options: ServeOptions,
    pub metrics: Metrics,
}

impl Served {
    /// The model's thread and what is known of the model, where it makes vectors.
    pub fn embedder(&self) -> Result<(&Vectors, &Arc<Intake>), Refusal> {
        match &self.model {
            Model::Embedder(engine, intake) => Ok((engine, intake)),
            Model::Reranker(_) => Err(Refusal::new(Kind::OtherModel, "The model is a reranker: it makes no vectors.")),
        }
    }

    pub fn counts(&self) -> &Counts {
        match &self.model {
            Model::Embedder(engine, _) => engine.counts(),
            Model::Reranker(engine) => engine.counts(),
        }
    }

    pub fn prompt(&self, name: Option<String>) -> Prompt {
        name.map_or(Prompt::Default, Prompt::Named)
    }

    /// The vectors of a request's texts, and how many tokens those have.
    pub async fn vectors(
        &self,
        field: &'static str,
        items: Items,
        reading: Reading,
        dims: Option<usize>,
        normalize: bool,
    ) -> Result<(Vec<Vec<f32>>, usize), Refusal> {
        let (engine, intake) = self.embedder()?;
        check_count(field, items.len(), self.options.max_texts)?;
        intake.check_dims(dims)?;
        let theirs = Arc::clone(intake);
        let tokens = off_thread(move || theirs.tokens(items, field, &reading)).await?;
        let count = tokens.iter().map(|(count, _)| count).sum();
        let mut vectors = engine.run(tokens).await?;
        vectors.iter_mut().for_each(|vector| intake.finish(vector, dims, normalize));
        Ok((vectors, count))
    }
}

/// Runs what takes a while beside the threads that serve connections.
pub async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |_| Refusal::new(Kind::Failed, "The server panicked on this request.");
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

/// A JSON body, whatever the request says that it is.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await.map_err(|e| {
            let too_large = e.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE;
            let kind = if too_large { Kind::TooLarge } else { Kind::Invalid };
            Refusal::new(kind, format!("The body cannot be read: {}.", e.body_text()))
        })?;
        let body = serde_json::from_slice(&bytes);
        body.map(Self)
            .map_err(|e| Refusal::new(Kind::Invalid, format!("The body is not the JSON that is expected: {e}.")))
    }
}

/// All paths.
pub fn router(shared: Shared) -> Router {
    let limit = DefaultBodyLimit::max(shared.options.max_body_bytes);
    Router::new()
        .route("/v1/embeddings", post(openai::embeddings))
        .route("/v1/models", get(openai::models))
        .route("/v1/rerank", post(rerank::cohere))
        .route("/embed", post(tei::embed))
        .route("/similarity", post(tei::similarity))
        .route("/rerank", post(rerank::tei))
        .route("/tokenize", post(tei::tokenize))
        .route("/info", get(tei::info))
        .route("/health", get(tei::health))
        .route("/metrics", get(tei::metrics))
        .method_not_allowed_fallback(async || Refusal::new(Kind::Method, "The path does not know this method."))
        .fallback(async || Refusal::new(Kind::NotFound, "There is nothing at this path."))
        .layer(limit)
        .layer(from_fn_with_state(Arc::clone(&shared), gate))
        .with_state(shared)
}

/// Lets requests in, puts refusals into the words of their interface, and counts answers.
async fn gate(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let (path, open) = PATHS.into_iter().find(|(path, _)| *path == request.uri().path()).unwrap_or(PATHS[10]);
    let openai = request.uri().path().starts_with("/v1/");
    // Who watches the server is let in when it is full.
    let inside = (!open).then(|| Inside::enter(&shared.metrics.open, shared.options.max_requests));
    let response = if !open && !has_key(&shared.options, request.headers()) {
        Refusal::new(Kind::Unauthorized, "The header `Authorization: Bearer <key>` lacks the server's key.")
            .into_response()
    } else if let Some(None) = inside {
        let message = format!("{} requests are being answered already; try again.", shared.options.max_requests);
        Refusal::new(Kind::Busy, message).into_response()
    } else {
        next.run(request).await
    };
    let refusal = response.extensions().get::<Refusal>().map(|refusal| refusal.answer(openai));
    let response = refusal.unwrap_or(response);
    shared.metrics.answered(path, response.status().as_u16(), start.elapsed());
    response
}

/// Whether the request has the key, if the server has one. Takes as long for a key that is almost right.
fn has_key(options: &ServeOptions, headers: &HeaderMap) -> bool {
    let Some(key) = &options.api_key else { return true };
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let same = |sent: &[u8]| key.bytes().zip(sent).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0;
    sent.is_some_and(|sent| sent.len() == key.len() && same(sent))
}

/// One of the requests that are being answered, also if its client goes away.
struct Inside<'a>(&'a AtomicUsize);

impl<'a> Inside<'a> {
    fn enter(open: &'a AtomicUsize, most: usize) -> Option<Self> {
        let more = |count| (count < most).then_some(count + 1);
        open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Self(open))
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
