//! The public door: which path leads where, and what every answer carries.

pub(crate) mod access;
mod agent;
mod cost;
mod document;
mod graphql;
mod guard;
mod negotiation;
mod problem;
mod telemetry;
mod usages;
mod variables;

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::http::GraphiQLSource;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use domain::actor::Client;
use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use crate::error::api::Fault;
use crate::gateway::Gateway;
use crate::headers;
use crate::schema::PortalSchema;

pub(crate) use guard::Guard;
use negotiation::Media;
pub(crate) use problem::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Nothing of Muster is shown in a page of its own but GraphiQL.
const CSP: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
/// GraphiQL loads its parts from a content delivery network: fit for development alone, and it exists nowhere else.
const GRAPHIQL_CSP: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self' https://esm.sh; font-src 'self' data: https://esm.sh; img-src 'self' data:; style-src 'unsafe-inline' https://esm.sh; script-src 'unsafe-inline' https://esm.sh blob: data:; worker-src blob: https://esm.sh";

/// What handlers share.
pub(crate) struct Door {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) schema: PortalSchema,
}

/// What is known of a request before anybody looks into it.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Id of the request, the same in the logs of every service.
    pub(crate) correlation_id: String,
    /// W3C trace context, as it came.
    pub(crate) traceparent: Option<String>,
    /// From where.
    pub(crate) client: Client,
}

/// Every path of the public door.
pub(crate) fn router(door: Arc<Door>) -> Router {
    let mut router = Router::new()
        .route("/graphql", any(graphql::handle))
        .route("/access/verify", get(access::verify).post(access::verify))
        .route("/agent/v1/config", get(agent::config));
    if door.gateway.config.is_dev() {
        let page = GraphiQLSource::build().endpoint("/graphql").title("Muster").finish();
        let sdl = door.schema.sdl();
        router = router
            .route("/graphiql", get(async move || Html(page.clone())))
            .route("/schema.graphql", get(async move || sdl.clone()));
    }
    router
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "There is nothing here."))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "This method is not taken here.")
        })
        .layer(from_fn_with_state(Arc::clone(&door), frame))
        .with_state(door)
}

/// Names the request, bounds it in time, catches what panics, and puts on every answer what all of them carry.
async fn frame(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let config = &door.gateway.config;
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let correlation_id = headers::correlation_id(request.headers());
    let frame = Frame {
        correlation_id: correlation_id.clone(),
        traceparent: headers::traceparent(request.headers()),
        client: headers::client(peer, request.headers(), &config.trusted_proxies),
    };
    request.extensions_mut().insert(frame);
    let media = Media::accepted(request.headers()).unwrap_or(Media::GraphqlResponse);
    let (method, route) = (request.method().clone(), route(request.uri().path()));
    // A little longer than what GraphQL allows itself, whose answers have a form of their own.
    let limit = config.request_timeout + std::time::Duration::from_secs(1);
    let span = tracing::info_span!("gateway.request", correlation_id);
    let handled = timeout(limit, AssertUnwindSafe(next.run(request)).catch_unwind()).instrument(span).await;
    let broken = |status, detail, fault: Fault| match route {
        "/graphql" => graphql::broken(status, media, &fault, &correlation_id),
        _ => Problem::new(status, detail).into_response(),
    };
    let mut response = match handled {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(correlation_id, "A handler panicked.");
            broken(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong.", Fault::Internal)
        }
        Err(_) => {
            tracing::warn!(correlation_id, "A handler took too long.");
            broken(StatusCode::SERVICE_UNAVAILABLE, "This took too long.", Fault::UnknownOutcome)
        }
    };
    dress(&mut response, &correlation_id, route);
    telemetry::http(&method, route, response.status(), &correlation_id, started.elapsed());
    response
}

fn dress(response: &mut Response, correlation_id: &str, route: &'static str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(correlation_id) {
        headers.insert(REQUEST_ID, id);
    }
    let csp = if route == "/graphiql" { GRAPHIQL_CSP } else { CSP };
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(csp));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// The path as logs and metrics show it.
fn route(path: &str) -> &'static str {
    const ROUTES: [&str; 5] =
        ["/graphql", "/access/verify", "/agent/v1/config", "/graphiql", "/schema.graphql"];
    ROUTES.into_iter().find(|route| *route == path).unwrap_or("other")
}
