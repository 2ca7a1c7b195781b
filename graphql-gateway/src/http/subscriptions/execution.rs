//! Runs an operation as a stream of answers, whatever the transport.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, once};
use tokio::time::{Instant, timeout};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::http::prepared::PreparedOperation;
use crate::http::response::{GraphqlBody, for_callers};
use crate::http::state::HttpState;
use crate::http::telemetry::GraphqlTelemetry;

/// One answer of an operation.
pub(super) struct OperationAnswer {
    pub(super) body: GraphqlBody,
    /// Whether it tells that nothing was executed, or that the subscription could not begin.
    pub(super) is_refusal: bool,
}

impl OperationAnswer {
    /// The answer to an operation that is not executed.
    pub(super) fn refused(error: ServerError) -> Self {
        Self { body: GraphqlBody::refused(error), is_refusal: true }
    }
}

/// The answers of an operation: one of a query or mutation, any number of a subscription.
pub(super) fn answers(
    state: &HttpState,
    prepared: PreparedOperation,
    caller: Caller,
) -> BoxStream<'static, OperationAnswer> {
    let PreparedOperation { request, operation, progress } = prepared;
    let limit = state.gateway.config.request_timeout;
    let correlation_id = caller.correlation_id.clone();
    let running = state.schema.execute_stream(request.data(caller));
    let running = AssertUnwindSafe(running).catch_unwind();
    let kind = operation.kind;
    // The first answer counts as the answer to the request. Later ones of a subscription have metrics of their own.
    let (mut uncounted, asked) = (Some(GraphqlTelemetry::default()), Instant::now());
    let answer = move |response: Result<Response, _>| {
        let Ok(response) = response else {
            tracing::error!("A resolver panicked.");
            return OperationAnswer { body: GraphqlBody::aborted(&ApiError::Internal), is_refusal: false };
        };
        let has_begun = progress.has_begun();
        let errors: Vec<ServerError> =
            response.errors.into_iter().map(|error| for_callers(error, has_begun)).collect();
        let is_refusal = !has_begun && !errors.is_empty();
        let mut body = GraphqlBody::executed(response.data, errors);
        body.add_correlation_id(&correlation_id);
        if let Some(mut telemetry) = uncounted.take() {
            if has_begun {
                telemetry.record_operation(&operation);
            }
            telemetry.finish(body.outcome(), &correlation_id, asked.elapsed());
        }
        OperationAnswer { body, is_refusal }
    };
    match kind {
        OperationType::Subscription => running.map(answer).boxed(),
        kind => once(only(running, kind, limit)).map(answer).boxed(),
    }
}

/// The one answer of a query or mutation, or that it did not come in time.
async fn only<E>(
    running: impl futures_util::Stream<Item = Result<Response, E>>,
    kind: OperationType,
    limit: Duration,
) -> Result<Response, E> {
    let mut running = std::pin::pin!(running);
    if let Ok(Some(response)) = timeout(limit, running.next()).await {
        return response;
    }
    let error = match kind {
        OperationType::Mutation => ApiError::UnknownOutcome,
        OperationType::Query | OperationType::Subscription => ApiError::UNAVAILABLE,
    };
    Ok(Response::from_errors(vec![error.to_server_error()]))
}
