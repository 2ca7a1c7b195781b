//! The paths of the HTTP API, and what every request and every answer goes through.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures_util::{FutureExt, stream};
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use super::negotiation::Media;
use super::problem::Problem;
use super::response::{Rejection, error_response};
use super::state::HttpState;
use super::{access, agent, events, graphiql, graphql, portals, subscriptions, telemetry};
use crate::error::ApiError;
use crate::portal;
use crate::request::RequestContext;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// No answer is a page, except GraphiQL, which brings a policy of its own.
const CSP: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");

/// Every path of the HTTP API.
pub(crate) fn router(state: Arc<HttpState>) -> Router {
    let mut router = Router::new()
        .route("/graphql", any(graphql::handle))
        .route("/graphql/stream", any(subscriptions::stream))
        .route("/access/verify", any(access::verify))
        .route("/agent/v1/config", get(agent::config))
        .route("/events/users", get(events::users))
        .route("/events/groups", get(events::groups))
        .route("/events/checkpoint", get(events::checkpoint));
    if state.gateway.config.is_dev() {
        let sdl = portal::sdl();
        router = router.merge(graphiql::routes()).route("/schema.graphql", get(async move || sdl.clone()));
    }
    router
        .fallback(portals::page)
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "This method is not taken here.")
        })
        .layer(from_fn_with_state(Arc::clone(&state), with_context))
        .with_state(state)
}

/// Gives a request its context and a time limit, catches panics, and sets the headers that every answer has.
async fn with_context(State(state): State<Arc<HttpState>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let config = &state.gateway.config;
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let context = RequestContext::read(request.headers(), peer, &config.trusted_proxies);
    let correlation_id = context.correlation_id.clone();
    request.extensions_mut().insert(context);
    let media = Media::accepted(request.headers()).unwrap_or(Media::GraphqlResponse);
    let (method, route) = (request.method().clone(), route(request.uri().path()));
    // A second more than the GraphQL handler takes, so that it answers first, in its own format.
    let limit = config.request_timeout + Duration::from_secs(1) + events::longest_wait(route);
    let span = tracing::info_span!("gateway.request", correlation_id);
    let is_ambiguous = request.headers().get_all(header::AUTHORIZATION).iter().nth(1).is_some();
    let handling =
        async { if is_ambiguous { two_credentials(route, media) } else { next.run(request).await } };
    let handled = timeout(limit, AssertUnwindSafe(handling).catch_unwind()).instrument(span).await;
    let failed = |status, detail, error: ApiError| match route {
        "/graphql" | "/graphql/stream" => error_response(status, media, &error, &correlation_id),
        _ => Problem::new(status, detail).into_response(),
    };
    let mut response = match handled {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(correlation_id, "A handler panicked.");
            failed(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong.", ApiError::Internal)
        }
        Err(_) => {
            tracing::warn!(correlation_id, "A handler took too long.");
            failed(StatusCode::SERVICE_UNAVAILABLE, "This took too long.", ApiError::UnknownOutcome)
        }
    };
    leave_length_out(&mut response);
    set_common_headers(&mut response, &correlation_id);
    telemetry::record_request(&method, route, response.status(), &correlation_id, started.elapsed());
    response
}

/// The answer to a request with two Authorization headers: a proxy may have judged one and this would judge the other.
fn two_credentials(route: &'static str, media: Media) -> Response {
    let (status, detail) = (StatusCode::BAD_REQUEST, "A request has one Authorization header.");
    match route {
        "/graphql" | "/graphql/stream" => Rejection::malformed(status, detail).into_response(media),
        _ => Problem::new(status, detail).into_response(),
    }
}

/// A status without a body states no length (RFC 9110, section 8.6): 0 would be that of the answer with a body. The
/// library derives the header from an empty body, so here the body's length is not known beforehand.
fn leave_length_out(response: &mut Response) {
    if matches!(response.status(), StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT) {
        let nothing = stream::empty::<Result<Bytes, Infallible>>();
        *response.body_mut() = Body::from_stream(nothing);
    }
}

fn set_common_headers(response: &mut Response, correlation_id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(correlation_id) {
        headers.insert(REQUEST_ID, id);
    }
    // Pages have a policy of their own, and assets may be kept.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(CSP);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// The path for logs and metrics. Unknown paths are one, so that callers can't make up labels; so are the files of
/// GraphiQL's page.
fn route(path: &str) -> &'static str {
    const ROUTES: [&str; 9] = [
        "/graphql",
        "/graphql/stream",
        "/access/verify",
        "/agent/v1/config",
        "/events/users",
        "/events/groups",
        "/events/checkpoint",
        "/graphiql",
        "/schema.graphql",
    ];
    let path = if path.starts_with("/graphiql/") { "/graphiql" } else { path };
    ROUTES.into_iter().find(|route| *route == path).unwrap_or("other")
}
