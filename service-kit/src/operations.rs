//! Health and metrics on a private address of their own: `/livez`, `/readyz`, `/metrics`.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

/// Settings of the listener for operators.
#[derive(Debug, Clone, clap::Args)]
pub struct OperationsConfig {
    /// Where health and metrics are served. Keep it on a private network. Port 0 picks a free one.
    #[arg(long, env = "MUSTER_OPERATIONS_LISTEN", default_value = "127.0.0.1:9090", value_name = "ADDRESS")]
    pub operations_listen: SocketAddr,
}

/// What a part of the process says of itself: `Ok` when it can do its work, else what it waits for.
pub type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The listener for operators.
pub struct Operations {
    listener: TcpListener,
    metrics: PrometheusHandle,
    checks: BTreeMap<&'static str, Check>,
}

/// The listener could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("health and metrics can't be served on {address}")]
pub struct ListenError {
    address: SocketAddr,
    source: std::io::Error,
}

impl Operations {
    /// Opens the listener.
    pub async fn bind(config: &OperationsConfig, metrics: PrometheusHandle) -> Result<Self, ListenError> {
        let address = config.operations_listen;
        let listener = TcpListener::bind(address).await.map_err(|source| ListenError { address, source })?;
        Ok(Self { listener, metrics, checks: BTreeMap::new() })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Adds a part that has to be ready before the process is.
    #[must_use]
    pub fn check(mut self, part: &'static str, check: Check) -> Self {
        self.checks.insert(part, check);
        self
    }

    /// Serves until `stop` is ready.
    pub async fn run_until_stopped(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let ready = get(readyz).with_state(Arc::new(self.checks));
        let metrics = get(render).with_state(self.metrics);
        let router = Router::new()
            .route("/livez", get(|| async { "alive\n" }))
            .route("/readyz", ready)
            .route("/metrics", metrics);
        axum::serve(self.listener, router).with_graceful_shutdown(stop).await
    }
}

async fn readyz(State(checks): State<Arc<BTreeMap<&'static str, Check>>>) -> Response {
    let waiting: BTreeMap<_, _> =
        checks.iter().filter_map(|(part, check)| check().err().map(|reason| (*part, reason))).collect();
    let (status, body) = if waiting.is_empty() {
        (StatusCode::OK, serde_json::json!({ "ready": true }))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, serde_json::json!({ "ready": false, "waitingFor": waiting }))
    };
    (status, Json(body)).into_response()
}

async fn render(State(metrics): State<PrometheusHandle>) -> Response {
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, metrics.render()).into_response()
}
