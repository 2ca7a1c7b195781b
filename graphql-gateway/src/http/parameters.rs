//! Reads the parameters of a GraphQL request: from the body or, where that is enabled, from the URL.

use axum::body::{Body, to_bytes};
use axum::extract::Query;
use axum::http::{Method, Request, StatusCode};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::negotiation::{is_json, is_uncoded};
use super::response::Rejection;
use crate::config::Config;

/// The parameters of a request, as JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameters {
    pub(super) query: String,
    #[serde(default)]
    pub(super) operation_name: Option<String>,
    #[serde(default)]
    pub(super) variables: Option<serde_json::Map<String, serde_json::Value>>,
    /// Ignored, but it must be a map.
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

impl Parameters {
    /// Reads a request. The whole body must arrive by `deadline`.
    pub(super) async fn read(
        request: Request<Body>,
        config: &Config,
        deadline: Instant,
    ) -> Result<Self, Rejection> {
        let malformed = |message| Rejection::malformed(StatusCode::BAD_REQUEST, message);
        if request.method() == Method::GET && config.graphql_get {
            return Self::from_url(&request).map_err(malformed);
        }
        if request.method() != Method::POST {
            return Err(Rejection::malformed(StatusCode::METHOD_NOT_ALLOWED, "GraphQL is sent by POST."));
        }
        if !is_uncoded(request.headers()) {
            return Err(Rejection::unread_coding());
        }
        if !is_json(request.headers()) {
            let message = "The body is sent as application/json in UTF-8.";
            return Err(Rejection::malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let late = "The body did not arrive in time.";
        let body = timeout_at(deadline, to_bytes(request.into_body(), config.body_limit.get()))
            .await
            .map_err(|_| Rejection::malformed(StatusCode::REQUEST_TIMEOUT, late))?
            .map_err(|_| Rejection::malformed(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."))?;
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(malformed("One request at a time: arrays are not taken."));
        }
        serde_json::from_slice(&body).map_err(|_| {
            malformed("The body is not a JSON object with `query` and, if wanted, `operationName`, `variables` and `extensions`.")
        })
    }

    /// Reads a request of which the method says nothing: what may come by which is for the caller to judge.
    pub(super) async fn read_by_any_method(
        request: Request<Body>,
        config: &Config,
        deadline: Instant,
    ) -> Result<Self, Rejection> {
        if request.method() == Method::GET {
            let malformed = |message| Rejection::malformed(StatusCode::BAD_REQUEST, message);
            return Self::from_url(&request).map_err(malformed);
        }
        Self::read(request, config, deadline).await
    }

    /// The parameters in the URL, or what is wrong with them.
    fn from_url(request: &Request<Body>) -> Result<Self, &'static str> {
        let Query(url) =
            Query::<UrlParameters>::try_from_uri(request.uri()).map_err(|_| "The URL can't be read.")?;
        // An empty parameter counts as absent.
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let map = |map| text(map).map_or(Ok(None), |map| serde_json::from_str(&map));
        Ok(Self {
            query: text(url.query).ok_or("The URL has no parameter `query`.")?,
            operation_name: url.operation_name,
            variables: map(url.variables).map_err(|_| "`variables` is not a JSON object.")?,
            _extensions: map(url.extensions).map_err(|_| "`extensions` is not a JSON object.")?,
        })
    }
}
