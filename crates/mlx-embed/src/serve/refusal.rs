//! Why a request gets no answer, in the words of either interface.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is not as it should be.
    Invalid,
    /// It asks for nothing.
    Empty,
    /// It is larger than the server takes.
    TooLarge,
    /// Too many others wait.
    Busy,
    /// It lacks the key.
    Unauthorized,
    /// There is nothing at its path.
    NotFound,
    /// The path knows other methods.
    Method,
    /// The model failed on it.
    Failed,
    /// The loaded model cannot do this.
    OtherModel,
    /// The model's thread is gone.
    Unavailable,
}

/// A request that gets no answer. As a response it waits for [`Refusal::answer`], which knows the interface.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub kind: Kind,
    pub message: String,
    /// The request's field at fault.
    pub field: Option<&'static str>,
}

impl Refusal {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), field: None }
    }

    /// A field that is not as it should be.
    pub fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self { kind: Kind::Invalid, message: message.into(), field: Some(field) }
    }

    /// The response: as OpenAI's where `openai`, else as text-embeddings-inference's.
    pub fn answer(&self, openai: bool) -> Response {
        let (status, openai_type, tei_type) = match self.kind {
            // The two interfaces have different codes for this one.
            Kind::Invalid if openai => (StatusCode::BAD_REQUEST, "invalid_request_error", ""),
            Kind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "", "Validation"),
            Kind::Empty => (StatusCode::BAD_REQUEST, "invalid_request_error", "Empty"),
            Kind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", "Validation"),
            Kind::Busy => (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "Overloaded"),
            Kind::Unauthorized => (StatusCode::UNAUTHORIZED, "authentication_error", "Unauthorized"),
            Kind::NotFound => (StatusCode::NOT_FOUND, "invalid_request_error", "NotFound"),
            Kind::Method => (StatusCode::METHOD_NOT_ALLOWED, "invalid_request_error", "NotFound"),
            Kind::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "Backend"),
            Kind::OtherModel => (StatusCode::FAILED_DEPENDENCY, "invalid_request_error", "Backend"),
            Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "server_error", "Unhealthy"),
        };
        let body = match openai {
            true => json!({ "error": {
                "message": self.message, "type": openai_type, "param": self.field, "code": status.as_u16().to_string(),
            }}),
            false => json!({ "error": self.message, "error_type": tei_type }),
        };
        (status, Json(body)).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.extensions_mut().insert(self);
        response
    }
}
