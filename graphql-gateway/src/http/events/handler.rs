//! The way of a request to a feed: who reads, in which form, from where, and the answer.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::access::CommandDenied;
use event_feed::{FeedError, FeedKind, FeedReader, MemberFilter, Selection};

use super::asked::Asked;
use super::media::FeedMedia;
use super::parameters::FeedParameters;
use super::{batch, lines, sse};
use crate::access::{AccessDenied, EventReader};
use crate::access_records::AccessRecord;
use crate::clock::now;
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::request::RequestContext;

/// `GET /events/users`
pub(in crate::http) async fn users(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Response {
    answer(&state.gateway, FeedKind::Users, &context, &request.into_parts().0).await
}

/// `GET /events/groups`
pub(in crate::http) async fn groups(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Response {
    answer(&state.gateway, FeedKind::Groups, &context, &request.into_parts().0).await
}

async fn answer(
    gateway: &Arc<Gateway>,
    kind: FeedKind,
    context: &RequestContext,
    request: &Parts,
) -> Response {
    let reader = match may_read(gateway, kind.name(), context, &request.headers).await {
        Ok(reader) => reader,
        Err(denied) => return denied.into_response(),
    };
    let Some(media) = FeedMedia::accepted(&request.headers) else {
        let detail =
            "Accept names text/event-stream, application/cloudevents-batch+json or application/x-ndjson.";
        return Problem::new(StatusCode::NOT_ACCEPTABLE, detail).into_response();
    };
    let parameters = match FeedParameters::read(kind, media, request) {
        Ok(parameters) => parameters,
        Err(invalid) => return Problem::new(StatusCode::BAD_REQUEST, invalid).into_response(),
    };
    let Some(place) = gateway.readers.admit(kind, media.name()) else {
        let detail = "As many streams are open as may be.";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(5_000).into_response();
    };
    let asked = Asked { reader, kind, parameters };
    let opened = open(gateway, &asked).await;
    let answered = match (opened, media) {
        (Ok(reader), FeedMedia::EventStream) => Ok(sse::answer(gateway, &asked, reader, place)),
        (Ok(reader), FeedMedia::Batch) => batch::answer(gateway, &asked, reader, place).await,
        (Ok(reader), FeedMedia::Lines) => lines::answer(gateway, &asked, reader, place).await,
        (Err(error), _) => Err(error),
    };
    answered.unwrap_or_else(|error| refused(&error, asked.parameters.start_name))
}

/// Who reads, if they may. `what` is the path under `/events/`.
pub(super) async fn may_read(
    gateway: &Gateway,
    what: &str,
    context: &RequestContext,
    headers: &HeaderMap,
) -> Result<EventReader, AccessDenied> {
    let reader = gateway.access.check_reader(headers, context).await?;
    if reader.roles.may_audit() {
        return Ok(reader);
    }
    let event = CommandDenied { command: format!("events/{what}"), target: None, count: 1 };
    gateway.recorder.record(AccessRecord {
        at: now(),
        subject: reader.user.to_string(),
        actor: reader.actor(),
        client: context.client.clone(),
        correlation_id: context.correlation_id.clone(),
        event: event.into(),
    });
    Err(AccessDenied::Forbidden)
}

async fn open(gateway: &Gateway, asked: &Asked) -> Result<FeedReader, FeedError> {
    let FeedParameters { events, group, start, .. } = &asked.parameters;
    let group = group.map(|group| MemberFilter::new(gateway.views.clone(), group));
    let selection = Selection { events: events.clone(), group };
    gateway.readers.feeds.open(asked.kind, start.clone(), selection).await
}

/// The answer to a reader who can't begin. `start_name` is what said where.
fn refused(error: &FeedError, start_name: &'static str) -> Response {
    match error {
        FeedError::Gone => {
            let detail = "The position is of another log, or lies beyond the end of this one. Begin anew, with `after=start` or without a position.";
            Problem::new(StatusCode::GONE, detail).into_response()
        }
        FeedError::OtherFeed => {
            let detail = format!("`{start_name}` is a position of another feed.");
            Problem::new(StatusCode::BAD_REQUEST, detail).into_response()
        }
        FeedError::Unavailable(reason) => {
            tracing::warn!(reason, "A feed can't be read.");
            let detail = "The log can't be read at the moment.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(1_000).into_response()
        }
        FeedError::NotShown(damaged) => {
            tracing::error!(error = %damaged, "A feed meets a record that can't be shown.");
            let detail = "The feed meets a record that can't be shown. An operator has to look at the log.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(60_000).into_response()
        }
    }
}
