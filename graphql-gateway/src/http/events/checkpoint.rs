//! `GET /events/checkpoint`: a signed checkpoint of the log, for those who keep it elsewhere.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use log_archive::{HeadsError, Signer, read_heads};

use super::handler::may_read;
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::request::RequestContext;

/// `GET /events/checkpoint`
pub(in crate::http) async fn checkpoint(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    if let Err(denied) = may_read(&state.gateway, "checkpoint", &context, &headers).await {
        return denied.into_response();
    }
    match signed(&state.gateway).await {
        Ok(note) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn signed(gateway: &Gateway) -> Result<String, Problem> {
    let unavailable = |detail: &'static str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    let signer = signer(gateway).await?;
    let log = gateway.readers.feeds.log().map_err(|_| unavailable("The log is closed."))?;
    let heads = read_heads(&*log).await.map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "No checkpoint can be made.");
        match error {
            HeadsError::Unavailable(_) => {
                unavailable("The log can't be read at the moment.").retry_after(1_000)
            }
            HeadsError::Nameless => unavailable("Nobody has written to the log yet.").retry_after(1_000),
            HeadsError::Stray(_) => unavailable(
                "The log ends with a record that is none of Muster's. An operator has to look at it.",
            )
            .retry_after(60_000),
        }
    })?;
    Ok(signer.sign(&heads.to_string()))
}

async fn signer(gateway: &Gateway) -> Result<Signer, Problem> {
    let missing =
        || Problem::new(StatusCode::NOT_FOUND, "This deployment has no key that signs checkpoints.");
    let keys = Arc::clone(gateway.webhooks.keys.get().ok_or_else(missing)?);
    // It reads a file.
    let secret = tokio::task::spawn_blocking(move || keys.signing_keys()).await;
    match secret {
        Ok(Ok(secrets)) => secrets.first().map(|secret| Signer::new(secret)).ok_or_else(missing),
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "The key that signs can't be read.");
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The key that signs can't be read."))
        }
        Err(_) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The key that signs can't be read.")),
    }
}
