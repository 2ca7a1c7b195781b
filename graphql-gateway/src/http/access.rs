//! May this credential pass here? Asked by SFTP servers, mailbox and API gateways, and reverse proxies.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::credential::Scope;
use serde::Deserialize;

use crate::access::decision::{Passed, Stopped};
use crate::http::{Door, Frame, Problem};

/// For what a credential is to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Service {
    /// SFTP servers.
    Sftp,
    /// HTTP mailboxes.
    Mailbox,
    /// API gateways.
    Gateway,
    /// Remote file agents; no password passes for them.
    Agent,
    /// The portals; no token passes for them.
    Portal,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Parameters {
    service: Service,
}

impl Service {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sftp => "sftp",
            Self::Mailbox => "mailbox",
            Self::Gateway => "gateway",
            Self::Agent => "agent",
            Self::Portal => "portal",
        }
    }

    /// The scope that a token needs; none lets it pass at the portal.
    pub(crate) const fn scope(self) -> Option<Scope> {
        match self {
            Self::Sftp => Some(Scope::Sftp),
            Self::Mailbox => Some(Scope::Mailbox),
            Self::Gateway => Some(Scope::Gateway),
            Self::Agent => Some(Scope::Agent),
            Self::Portal => None,
        }
    }
}

/// `GET` or `POST /access/verify?service=…`
pub(crate) async fn verify(
    State(door): State<Arc<Door>>,
    Extension(frame): Extension<Frame>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(Query(Parameters { service })) = parameters else {
        let detail = "The parameter `service` is one of sftp, mailbox, gateway, agent and portal.";
        return Problem::new(StatusCode::BAD_REQUEST, detail).into_response();
    };
    let outcome = door.gateway.decide(&headers, &frame, service).await;
    let label = match &outcome {
        Ok(_) => "passed",
        Err(Stopped::Unproved) => "unproved",
        Err(Stopped::Forbidden) => "forbidden",
        Err(Stopped::TooOften { .. }) => "delayed",
        Err(Stopped::Unknown { .. }) => "unknown",
    };
    metrics::counter!("muster_access_checks_total", "service" => service.name(), "outcome" => label)
        .increment(1);
    match outcome {
        Ok(passed) => passed.into_response(),
        Err(stopped) => stopped.into_response(),
    }
}

impl IntoResponse for Passed {
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

impl IntoResponse for Stopped {
    fn into_response(self) -> Response {
        match self {
            Self::Unproved => {
                let problem = Problem::new(StatusCode::UNAUTHORIZED, "The credentials are unknown or wrong.");
                let challenge = HeaderValue::from_static("Basic realm=\"muster\", charset=\"UTF-8\"");
                ([(header::WWW_AUTHENTICATE, challenge)], problem).into_response()
            }
            Self::Forbidden => {
                Problem::new(StatusCode::FORBIDDEN, "These credentials do not pass here.").into_response()
            }
            Self::TooOften { retry_after_ms } => {
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many failures before.")
                    .retry_after(retry_after_ms)
                    .into_response()
            }
            Self::Unknown { retry_after_ms } => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "This can't be known at the moment.")
                    .retry_after(retry_after_ms)
                    .into_response()
            }
        }
    }
}
