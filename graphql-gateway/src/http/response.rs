//! GraphQL responses: their body, their status, and what callers may see of an error.

use async_graphql::{ServerError, Value};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::negotiation::Media;
use crate::error::{ApiError, BAD_REQUEST, VALIDATION_FAILED, server_error};

/// A GraphQL response. Without execution it has no `data`, not even null.
#[derive(Debug, Serialize)]
pub(super) struct GraphqlBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ServerError>,
    /// Whether the answer says in which codings bodies are read.
    #[serde(skip)]
    names_codings: bool,
    /// What resolvers add to the answer: cookies.
    #[serde(skip)]
    headers: HeaderMap,
}

impl GraphqlBody {
    /// The response of an execution.
    pub(super) fn executed(data: Value, errors: Vec<ServerError>) -> Self {
        Self { data: Some(data), ..Self::unexecuted(errors) }
    }

    /// The response to a request that was not executed.
    fn unexecuted(errors: Vec<ServerError>) -> Self {
        Self { data: None, errors, names_codings: false, headers: HeaderMap::new() }
    }

    /// Adds headers to the answer.
    pub(super) fn with_headers(self, headers: HeaderMap) -> Self {
        Self { headers, ..self }
    }

    /// The response of a request that is not executed.
    pub(super) fn refused(error: ServerError) -> Self {
        Self::unexecuted(vec![error])
    }

    /// The response of an execution that gave no data.
    pub(super) fn aborted(error: &ApiError) -> Self {
        Self::executed(Value::Null, vec![error.to_server_error()])
    }

    /// Adds the request id to internal errors: an operator finds the cause by it. They tell nothing else.
    pub(super) fn add_correlation_id(&mut self, correlation_id: &str) {
        for error in &mut self.errors {
            if code(error) == Some(ApiError::Internal.code())
                && let Some(extensions) = &mut error.extensions
            {
                extensions.set("correlationId", correlation_id);
            }
        }
    }

    /// `ok`, or the code of the first error.
    pub(super) fn outcome(&self) -> String {
        self.errors.first().and_then(code).unwrap_or("ok").to_owned()
    }

    /// The body as JSON on one line.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a response has text keys alone")
    }

    /// What went wrong.
    pub(super) fn errors(&self) -> &[ServerError] {
        &self.errors
    }

    pub(super) fn into_response(mut self, status: StatusCode, media: Media) -> Response {
        let text = self.to_text();
        let mut headers = std::mem::take(&mut self.headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        if self.names_codings {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        (status, headers, text).into_response()
    }
}

/// A request that is not executed.
pub(super) struct Rejection {
    status: StatusCode,
    error: ServerError,
    /// Whether the request was well-formed. If so, `application/json` answers 200.
    well_formed: bool,
    names_codings: bool,
}

impl Rejection {
    /// The request is not well-formed.
    pub(super) fn malformed(status: StatusCode, message: &'static str) -> Self {
        Self { status, error: server_error(BAD_REQUEST, message), well_formed: false, names_codings: false }
    }

    /// The body has a coding that is not read. The answer names those that are (RFC 9110, section 12.5.3).
    pub(super) fn unread_coding() -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self { names_codings: true, ..Self::malformed(status, "The body is sent without a content coding.") }
    }

    /// The document or its variables are not valid.
    pub(super) fn invalid(error: ServerError) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, well_formed: true, names_codings: false }
    }

    /// The request is valid, and may not be sent from where it was sent.
    pub(super) fn forbidden(error: &ApiError) -> Self {
        let status = StatusCode::FORBIDDEN;
        Self { status, error: error.to_server_error(), well_formed: false, names_codings: false }
    }

    /// The request is valid and can't be executed now.
    pub(super) fn failed(error: &ApiError) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, error: error.to_server_error(), well_formed: true, names_codings: false }
    }

    /// The status and the body of the answer. The status depends on the media type.
    pub(super) fn into_parts(self, media: Media) -> (StatusCode, GraphqlBody) {
        let status = match media {
            Media::Json if self.well_formed => StatusCode::OK,
            _ => self.status,
        };
        let body = GraphqlBody::unexecuted(vec![self.error]);
        (status, GraphqlBody { names_codings: self.names_codings, ..body })
    }

    /// The answer where no handler is asked.
    pub(super) fn into_response(self, media: Media) -> Response {
        let (status, body) = self.into_parts(media);
        body.into_response(status, media)
    }
}

/// The answer when no handler gave one: after a panic, or when time ran out.
pub(super) fn error_response(
    status: StatusCode,
    media: Media,
    error: &ApiError,
    correlation_id: &str,
) -> Response {
    let mut body = GraphqlBody::unexecuted(vec![error.to_server_error()]);
    body.add_correlation_id(correlation_id);
    body.into_response(status, media)
}

/// Gives an error of the library its code, and removes what callers must not see.
pub(super) fn for_callers(error: ServerError, executed: bool) -> ServerError {
    if error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some()) {
        return error;
    }
    let mut visible = match error.source::<ApiError>() {
        Some(api_error) => api_error.to_server_error(),
        // Resolvers return `ApiError` alone, so another source was never meant for callers.
        None if error.source.is_some() => ApiError::Internal.to_server_error(),
        None if executed => server_error(BAD_REQUEST, error.message),
        None => server_error(VALIDATION_FAILED, error.message),
    };
    visible.locations = error.locations;
    visible.path = error.path;
    visible
}

fn code(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code") {
        Some(Value::String(code)) => Some(code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::to_bytes;

    use super::*;

    #[test]
    fn an_internal_error_says_the_id_of_its_request_and_no_more() {
        let leak = ServerError { source: Some(Arc::new("a secret")), ..ServerError::new("a secret", None) };
        let errors = vec![for_callers(leak, true), ApiError::Forbidden.to_server_error()];
        let mut body = GraphqlBody::unexecuted(errors);
        body.add_correlation_id("r-1");
        let expected = serde_json::json!({ "errors": [
            { "message": "Something went wrong.", "extensions": { "code": "INTERNAL", "correlationId": "r-1" } },
            { "message": "You may not do this.", "extensions": { "code": "FORBIDDEN" } },
        ] });
        assert_eq!(serde_json::to_value(body).unwrap(), expected);
    }

    #[tokio::test]
    async fn an_error_without_a_handler_still_looks_like_graphql() {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let answer = error_response(status, Media::GraphqlResponse, &ApiError::Internal, "r-1");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], Media::GraphqlResponse.content_type());
        let body = to_bytes(answer.into_body(), 1_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["errors"][0]["extensions"]["correlationId"], "r-1");
        assert!(body.get("data").is_none());
    }
}
