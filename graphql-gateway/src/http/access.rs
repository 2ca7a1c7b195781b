//! Access checks over HTTP, for SFTP servers, mailbox and API gateways, and reverse proxies.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::problem::Problem;
use super::state::HttpState;
use crate::access::{AccessDenied, AccessGranted, Service};
use crate::request::RequestContext;

/// The query of the URL.
#[derive(Debug, Deserialize)]
pub(crate) struct Parameters {
    service: Service,
    /// The one status of every denial. Without it each has its own.
    deny: Option<DenyAs>,
}

/// What a proxy takes as "no". nginx's `auth_request` knows 401 and 403 and makes 500 of every other status.
#[derive(Debug, Clone, Copy, Deserialize)]
enum DenyAs {
    #[serde(rename = "401")]
    Unauthorized,
    #[serde(rename = "403")]
    Forbidden,
}

/// `/access/verify?service=…`. Proxies ask with the method of the request that they ask about, so any method is the same
/// question.
pub(crate) async fn verify(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(Query(Parameters { service, deny })) = parameters else {
        let detail = "The parameter `service` is one of sftp, mailbox, gateway, agent and portal; `deny`, where it is given, is 401 or 403.";
        return Problem::new(StatusCode::BAD_REQUEST, detail).into_response();
    };
    let outcome = state.gateway.access.check_access(&headers, &context, service).await;
    // These labels are what dashboards and alerts look for.
    let label = match &outcome {
        Ok(_) => "passed",
        Err(AccessDenied::Unauthenticated) => "unproved",
        Err(AccessDenied::Forbidden) => "forbidden",
        Err(AccessDenied::Throttled { .. }) => "delayed",
        Err(AccessDenied::Unavailable { .. }) => "unknown",
    };
    metrics::counter!("muster_access_checks_total", "service" => service.name(), "outcome" => label)
        .increment(1);
    match outcome {
        Ok(granted) => granted.into_response(),
        Err(denied) => denied.answer(deny),
    }
}

impl IntoResponse for AccessGranted {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("x-muster-user-id", &self.user.to_string());
        set("x-muster-username", &self.username);
        if let Some(group) = &self.group {
            set("x-muster-group", &group.name);
        }
        if let Some(token) = self.token {
            set("x-muster-token-id", &token.to_string());
        }
        (StatusCode::OK, headers).into_response()
    }
}

impl AccessDenied {
    /// The answer, with its own status or the one that stands for every denial. What it says beside stays the same.
    fn answer(self, deny: Option<DenyAs>) -> Response {
        let (status, detail, retry_after_ms) = match self {
            Self::Unauthenticated => {
                (StatusCode::UNAUTHORIZED, "The credentials are unknown or wrong.", None)
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "These credentials do not pass here.", None),
            Self::Throttled { retry_after_ms } => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many failures before.", Some(retry_after_ms))
            }
            Self::Unavailable { retry_after_ms } => {
                (StatusCode::SERVICE_UNAVAILABLE, "This can't be known at the moment.", Some(retry_after_ms))
            }
        };
        let status = match deny {
            None => status,
            Some(DenyAs::Unauthorized) => StatusCode::UNAUTHORIZED,
            Some(DenyAs::Forbidden) => StatusCode::FORBIDDEN,
        };
        let problem = Problem::new(status, detail);
        let problem = match retry_after_ms {
            Some(millis) => problem.retry_after(millis),
            None => problem,
        };
        let mut response = problem.into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"muster\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl IntoResponse for AccessDenied {
    fn into_response(self) -> Response {
        self.answer(None)
    }
}
