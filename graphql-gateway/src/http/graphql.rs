//! GraphQL over HTTP (draft of September 2025 and later): one request in, one response with the right status out.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request as GraphqlRequest, ServerError, Value, Variables};
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::guard::Progress;
use super::negotiation::{Media, is_json};
use super::{Door, Frame, document, telemetry};
use crate::caller::Caller;
use crate::error::api::{BAD_REQUEST, Fault, PARSE_FAILED, TOO_COMPLEX, VALIDATION_FAILED, coded, finish};

/// What a request says, in the body or, where that is switched on, in the URL.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    /// Nothing of Muster looks at them, but they have to be a map.
    #[serde(default, rename = "extensions")]
    _extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The same in a URL, where maps are JSON texts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UrlParameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

/// A GraphQL response on its way out. Without execution there is no data, not even null.
#[derive(Debug, Serialize)]
struct GraphqlBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ServerError>,
}

impl GraphqlBody {
    /// Gives internal errors the id by which an operator finds what happened; they say nothing else.
    fn name_request(&mut self, correlation_id: &str) {
        for error in &mut self.errors {
            if code(error) == Some(Fault::Internal.code())
                && let Some(extensions) = &mut error.extensions
            {
                extensions.set("correlationId", correlation_id);
            }
        }
    }
}

/// A request that is not executed.
struct Refused {
    status: StatusCode,
    error: ServerError,
    /// Whether the request was well-formed: then `application/json` answers 200.
    well_formed: bool,
}

impl Refused {
    fn malformed(status: StatusCode, message: &'static str) -> Self {
        Self { status, error: coded(BAD_REQUEST, message), well_formed: false }
    }

    /// The request would have been executed, at another time.
    fn failed(fault: &Fault) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, error: fault.error(), well_formed: true }
    }

    fn unfit(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: coded(code, message), well_formed: true }
    }
}

pub(super) async fn handle(
    State(door): State<Arc<Door>>,
    Extension(frame): Extension<Frame>,
    request: Request<Body>,
) -> Response {
    let started = Instant::now();
    let media = Media::accepted(request.headers());
    let mut seen = telemetry::Graphql::default();
    let (status, mut body) = match media {
        None => {
            let message = "The answer is application/graphql-response+json or application/json.";
            refuse(Refused::malformed(StatusCode::NOT_ACCEPTABLE, message), Media::GraphqlResponse)
        }
        Some(media) => match answer(&door, frame.clone(), request, &mut seen).await {
            Ok(body) => (StatusCode::OK, body),
            Err(refused) => refuse(refused, media),
        },
    };
    body.name_request(&frame.correlation_id);
    seen.finish(outcome(&body), &frame.correlation_id, started.elapsed());
    respond(status, media.unwrap_or(Media::GraphqlResponse), &body)
}

async fn answer(
    door: &Door,
    frame: Frame,
    request: Request<Body>,
    seen: &mut telemetry::Graphql,
) -> Result<GraphqlBody, Refused> {
    // One deadline for all of it, so that nobody outside has to end what GraphQL has not answered.
    let deadline = Instant::now() + door.gateway.config.request_timeout;
    let method = request.method().clone();
    let headers = request.headers().clone();
    let parameters = parameters(door, request, deadline).await?;
    let operation_name = parameters.operation_name.filter(|name| !name.is_empty());
    document::check_text(&parameters.query)
        .map_err(|unfit| Refused::unfit(TOO_COMPLEX, unfit.to_string()))?;
    let variables = parameters.variables.map(serde_json::Value::Object).unwrap_or_default();
    let mut graphql = GraphqlRequest::new(parameters.query).variables(Variables::from_json(variables));
    graphql.operation_name.clone_from(&operation_name);
    let parsed = graphql.parsed_query().map_err(|mut error| {
        error.extensions = coded(PARSE_FAILED, "").extensions;
        Refused { status: StatusCode::BAD_REQUEST, error, well_formed: true }
    })?;
    let operation = document::check(parsed, operation_name.as_deref()).map_err(|unfit| {
        let code = match unfit {
            document::Unfit::TooComplex(_) => TOO_COMPLEX,
            document::Unfit::NoOperation(_) => BAD_REQUEST,
            document::Unfit::Invalid(_) => VALIDATION_FAILED,
        };
        Refused::unfit(code, unfit.to_string())
    })?;
    if !door.gateway.config.is_dev() && operation.introspects() {
        return Err(Refused::unfit(VALIDATION_FAILED, "The schema is not shown here."));
    }
    if method == Method::GET && operation.kind != OperationType::Query {
        return Err(Refused::malformed(StatusCode::METHOD_NOT_ALLOWED, "Only queries can be sent by GET."));
    }
    let caller = timeout_at(deadline, Caller::of(&door.gateway, &headers, frame))
        .await
        .map_err(|_| Refused::failed(&Fault::Unavailable { retry_after_ms: 1_000 }))?;
    let progress = Arc::new(Progress::new(operation_name.as_deref()));
    let graphql = graphql.data(caller).data(Arc::clone(&progress));
    let executed = execute(door, graphql, &progress, operation.kind, deadline).await;
    // Names that validation has not seen could be anything, and any number of it.
    if progress.executed() {
        seen.asks(&operation);
    }
    executed
}

/// What a request failed with that ran out of time. A mutation may be on its way to its owner.
fn out_of_time(kind: OperationType, executed: bool) -> Fault {
    match kind {
        OperationType::Mutation if executed => Fault::UnknownOutcome,
        OperationType::Mutation | OperationType::Query | OperationType::Subscription => {
            Fault::Unavailable { retry_after_ms: 1_000 }
        }
    }
}

/// The answer to a request that nothing else has answered.
pub(super) fn broken(status: StatusCode, media: Media, fault: &Fault, correlation_id: &str) -> Response {
    let mut body = GraphqlBody { data: None, errors: vec![fault.error()] };
    body.name_request(correlation_id);
    respond(status, media, &body)
}

/// Runs the request; a panic or a request that takes too long is an error like any other.
async fn execute(
    door: &Door,
    request: GraphqlRequest,
    progress: &Progress,
    kind: OperationType,
    deadline: Instant,
) -> Result<GraphqlBody, Refused> {
    let run = AssertUnwindSafe(door.schema.execute(request)).catch_unwind();
    let response = match timeout_at(deadline, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("A resolver panicked.");
            return Ok(GraphqlBody { data: Some(Value::Null), errors: vec![Fault::Internal.error()] });
        }
        Err(_) if progress.executed() => {
            let errors = vec![out_of_time(kind, true).error()];
            return Ok(GraphqlBody { data: Some(Value::Null), errors });
        }
        Err(_) => return Err(Refused::failed(&out_of_time(kind, false))),
    };
    let executed = progress.executed();
    let mut errors: Vec<ServerError> =
        response.errors.into_iter().map(|error| finish(error, executed)).collect();
    if executed || errors.is_empty() {
        return Ok(GraphqlBody { data: Some(response.data), errors });
    }
    let error = errors.swap_remove(0);
    Err(Refused { status: StatusCode::BAD_REQUEST, error, well_formed: true })
}

async fn parameters(door: &Door, request: Request<Body>, deadline: Instant) -> Result<Parameters, Refused> {
    let config = &door.gateway.config;
    let malformed = |message| Refused::malformed(StatusCode::BAD_REQUEST, message);
    if request.method() == Method::GET && config.graphql_get {
        let Query(url) = Query::<UrlParameters>::try_from_uri(request.uri())
            .map_err(|_| malformed("The URL can't be read."))?;
        // An empty parameter is one that is absent.
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let map = |map| text(map).map_or(Ok(None), |map| serde_json::from_str(&map));
        return Ok(Parameters {
            query: text(url.query).ok_or_else(|| malformed("The URL has no parameter `query`."))?,
            operation_name: url.operation_name,
            variables: map(url.variables).map_err(|_| malformed("`variables` is not a JSON object."))?,
            _extensions: map(url.extensions).map_err(|_| malformed("`extensions` is not a JSON object."))?,
        });
    }
    if request.method() != Method::POST {
        return Err(Refused::malformed(StatusCode::METHOD_NOT_ALLOWED, "GraphQL is sent by POST."));
    }
    if !is_json(request.headers()) {
        let message = "The body is sent as application/json in UTF-8.";
        return Err(Refused::malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = timeout_at(deadline, to_bytes(request.into_body(), config.body_limit.get()))
        .await
        .map_err(|_| Refused::malformed(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time."))?
        .map_err(|_| Refused::malformed(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."))?;
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(malformed("One request at a time: arrays are not taken."));
    }
    serde_json::from_slice(&body).map_err(|_| {
        malformed("The body is not a JSON object with `query` and, if wanted, `operationName`, `variables` and `extensions`.")
    })
}

fn refuse(refused: Refused, media: Media) -> (StatusCode, GraphqlBody) {
    let status = match media {
        Media::Json if refused.well_formed => StatusCode::OK,
        _ => refused.status,
    };
    (status, GraphqlBody { data: None, errors: vec![refused.error] })
}

fn respond(status: StatusCode, media: Media, body: &GraphqlBody) -> Response {
    let text = serde_json::to_string(body).expect("a response has text keys alone");
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    (status, headers, text).into_response()
}

/// `ok`, or the code of the first error.
fn outcome(body: &GraphqlBody) -> String {
    body.errors.first().and_then(code).unwrap_or("ok").to_owned()
}

fn code(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code") {
        Some(Value::String(code)) => Some(code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_error_says_the_id_of_its_request_and_no_more() {
        let leak = ServerError { source: Some(Arc::new("a secret")), ..ServerError::new("a secret", None) };
        let mut body = GraphqlBody { data: None, errors: vec![finish(leak, true), Fault::Forbidden.error()] };
        body.name_request("r-1");
        let expected = serde_json::json!({ "errors": [
            { "message": "Something went wrong.", "extensions": { "code": "INTERNAL", "correlationId": "r-1" } },
            { "message": "You may not do this.", "extensions": { "code": "FORBIDDEN" } },
        ] });
        assert_eq!(serde_json::to_value(body).unwrap(), expected);
    }

    #[test]
    fn the_outcome_is_unknown_only_of_a_mutation_that_had_begun() {
        assert_eq!(out_of_time(OperationType::Mutation, true), Fault::UnknownOutcome);
        let later = Fault::Unavailable { retry_after_ms: 1_000 };
        for (kind, executed) in [
            (OperationType::Mutation, false),
            (OperationType::Query, true),
            (OperationType::Subscription, true),
        ] {
            assert_eq!(out_of_time(kind, executed), later, "{kind}");
        }
        assert!(later.error().extensions.is_some_and(|more| more.get("retryAfterMs").is_some()));
    }

    #[tokio::test]
    async fn what_breaks_behind_the_door_still_looks_like_graphql() {
        let answer =
            broken(StatusCode::INTERNAL_SERVER_ERROR, Media::GraphqlResponse, &Fault::Internal, "r-1");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], Media::GraphqlResponse.content_type());
        let body = to_bytes(answer.into_body(), 1_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["errors"][0]["extensions"]["correlationId"], "r-1");
        assert!(body.get("data").is_none());
    }
}
