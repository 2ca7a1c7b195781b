//! GraphQL over HTTP (draft of September 2025 and later): one request in, one response with the right status out.
//!
//! A request passes these checks in order, and nothing is executed unless all of them hold: media type, parameters,
//! nesting of the text, syntax, size of the document ([`super::prepared`]), method; then, inside the library,
//! variables, arguments and cost ([`super::guard`]), and validation.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request as GraphqlRequest, ServerError};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};

use super::guard::ExecutionProgress;
use super::negotiation::Media;
use super::parameters::Parameters;
use super::prepared::PreparedOperation;
use super::response::{GraphqlBody, Rejection, for_callers};
use super::state::HttpState;
use super::subscriptions;
use super::telemetry::GraphqlTelemetry;
use crate::caller::Caller;
use crate::error::{ApiError, BAD_REQUEST, server_error};
use crate::request::RequestContext;

pub(super) async fn handle(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    request: Request<Body>,
) -> Response {
    if subscriptions::is_upgrade(request.headers()) && request.method() == Method::GET {
        return subscriptions::upgrade(&state, context, request).await;
    }
    let started = Instant::now();
    let media = Media::accepted(request.headers());
    let mut telemetry = GraphqlTelemetry::default();
    let (status, mut body) = match media {
        None => {
            let message = "The answer is application/graphql-response+json or application/json.";
            Rejection::malformed(StatusCode::NOT_ACCEPTABLE, message).into_parts(Media::GraphqlResponse)
        }
        Some(media) => match answer(&state, context.clone(), request, &mut telemetry).await {
            Ok(body) => (StatusCode::OK, body),
            Err(rejection) => rejection.into_parts(media),
        },
    };
    body.add_correlation_id(&context.correlation_id);
    telemetry.finish(body.outcome(), &context.correlation_id, started.elapsed());
    body.into_response(status, media.unwrap_or(Media::GraphqlResponse))
}

async fn answer(
    state: &HttpState,
    context: RequestContext,
    request: Request<Body>,
    telemetry: &mut GraphqlTelemetry,
) -> Result<GraphqlBody, Rejection> {
    let config = &state.gateway.config;
    // One deadline for every step, so that the request never runs into the time limit of the router.
    let deadline = Instant::now() + config.request_timeout;
    let method = request.method().clone();
    let headers = request.headers().clone();
    let parameters = Parameters::read(request, config, deadline).await?;
    let prepared = PreparedOperation::read(config, parameters).map_err(Rejection::invalid)?;
    let PreparedOperation { request: graphql, operation, progress } = prepared;
    if method == Method::GET && operation.kind != OperationType::Query {
        return Err(Rejection::malformed(StatusCode::METHOD_NOT_ALLOWED, "Only queries can be sent by GET."));
    }
    if operation.kind == OperationType::Subscription {
        let message = "A subscription is sent to /graphql/stream, or over a WebSocket.";
        return Err(Rejection::invalid(server_error(BAD_REQUEST, message)));
    }
    let caller = timeout_at(deadline, Caller::identify(&state.gateway.sessions, &headers, context))
        .await
        .map_err(|_| Rejection::failed(&ApiError::UNAVAILABLE))?;
    caller.require_own_page().map_err(|error| Rejection::forbidden(&error))?;
    let graphql = graphql.data(caller);
    let executed = execute(state, graphql, &progress, operation.kind, deadline).await;
    // Field names that validation did not check are not recorded: callers could make up any number of them.
    if progress.has_begun() {
        telemetry.record_operation(&operation);
    }
    executed
}

/// Runs the request. A panic, or a request that takes too long, is an error like any other.
async fn execute(
    state: &HttpState,
    request: GraphqlRequest,
    progress: &ExecutionProgress,
    kind: OperationType,
    deadline: Instant,
) -> Result<GraphqlBody, Rejection> {
    let run = AssertUnwindSafe(state.schema.execute(request)).catch_unwind();
    let response = match timeout_at(deadline, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("A resolver panicked.");
            return Ok(GraphqlBody::aborted(&ApiError::Internal));
        }
        Err(_) if progress.has_begun() => return Ok(GraphqlBody::aborted(&out_of_time(kind, true))),
        Err(_) => return Err(Rejection::failed(&out_of_time(kind, false))),
    };
    let executed = progress.has_begun();
    let mut errors: Vec<ServerError> =
        response.errors.into_iter().map(|error| for_callers(error, executed)).collect();
    if executed || errors.is_empty() {
        return Ok(GraphqlBody::executed(response.data, errors).with_headers(response.http_headers));
    }
    Err(Rejection::invalid(errors.swap_remove(0)))
}

/// The error of a request that ran out of time. A mutation that had begun may still reach its owner.
fn out_of_time(kind: OperationType, has_begun: bool) -> ApiError {
    match kind {
        OperationType::Mutation if has_begun => ApiError::UnknownOutcome,
        OperationType::Mutation | OperationType::Query | OperationType::Subscription => ApiError::UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_is_unknown_only_of_a_mutation_that_had_begun() {
        assert_eq!(out_of_time(OperationType::Mutation, true), ApiError::UnknownOutcome);
        let later = ApiError::Unavailable { retry_after_ms: 1_000 };
        for (kind, has_begun) in [
            (OperationType::Mutation, false),
            (OperationType::Query, true),
            (OperationType::Subscription, true),
        ] {
            assert_eq!(out_of_time(kind, has_begun), later, "{kind}");
        }
        assert!(later.to_server_error().extensions.is_some_and(|more| more.get("retryAfterMs").is_some()));
    }
}
