//! Health and metrics on a private address of their own: `/livez`, `/readyz`, `/metrics`.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::http_server;

/// How often what was measured is sorted into its buckets.
const SUM_UP: Duration = Duration::from_secs(5);

/// Settings of the listener for operators.
#[derive(Debug, Clone, clap::Args)]
pub struct OperationsConfig {
    /// Where health and metrics are served. Keep it on a private network. Port 0 picks a free one.
    #[arg(long, env = "MUSTER_OPERATIONS_LISTEN", default_value = "127.0.0.1:9090", value_name = "ADDRESS")]
    pub operations_listen: SocketAddr,
}

/// What a part of the process says of itself when asked: `Ok` when it can do its work, else what it waits for.
pub type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// A check that knows its answer without waiting.
pub fn at_once(check: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Check {
    Arc::new(move || Box::pin(std::future::ready(check())))
}

/// What has to be ready before the process is, by the part's name; `None` while the process still opens things.
type Checks = Arc<RwLock<Option<BTreeMap<&'static str, Check>>>>;

/// The listener for operators. It answers from the first moment on: a process that waits for others is alive.
pub struct Operations {
    address: SocketAddr,
    checks: Checks,
    serving: JoinHandle<std::io::Result<()>>,
}

/// The listener could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("health and metrics can't be served on {address} (--operations-listen)")]
pub struct ListenError {
    address: SocketAddr,
    source: std::io::Error,
}

impl Operations {
    /// Opens the listener and serves until `stop` is ready.
    pub async fn start(
        config: &OperationsConfig,
        metrics: PrometheusHandle,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Self, ListenError> {
        let address = config.operations_listen;
        let failed = |source| ListenError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let checks = Checks::default();
        tokio::spawn(sum_up(metrics.clone()));
        let router = Router::new()
            .route("/livez", get(|| async { "alive\n" }))
            .route("/readyz", get(readyz).with_state(checks.clone()))
            .route("/metrics", get(render).with_state(metrics));
        let serving = tokio::spawn(http_server::serve(listener, router, stop));
        Ok(Self { address, checks, serving })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// From now on the process is ready when all of these are.
    pub fn ready_when(&self, checks: impl IntoIterator<Item = (&'static str, Check)>) {
        *self.checks.write().expect("nobody panics while holding it") = Some(checks.into_iter().collect());
    }

    /// Waits for the end.
    pub async fn ended(self) -> std::io::Result<()> {
        self.serving.await.map_err(std::io::Error::other)?
    }
}

async fn readyz(State(checks): State<Checks>) -> Response {
    let asked: Option<Vec<_>> = {
        let checks = checks.read().expect("nobody panics while holding it");
        checks.as_ref().map(|checks| checks.iter().map(|(part, check)| (*part, check())).collect())
    };
    let mut waiting = BTreeMap::new();
    match asked {
        None => drop(waiting.insert("start", "the log and the views to open".to_owned())),
        Some(asked) => {
            for (part, answer) in asked {
                waiting.extend(answer.await.err().map(|reason| (part, reason)));
            }
        }
    }
    let (status, body) = if waiting.is_empty() {
        (StatusCode::OK, serde_json::json!({ "ready": true }))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, serde_json::json!({ "ready": false, "waitingFor": waiting }))
    };
    (status, Json(body)).into_response()
}

/// Sorts what was measured into its buckets, for as long as the process lives. Until then every single sample is kept,
/// and where nobody asks for the metrics nothing else would do it.
async fn sum_up(metrics: PrometheusHandle) {
    let mut due = tokio::time::interval(SUM_UP);
    loop {
        due.tick().await;
        metrics.run_upkeep();
    }
}

async fn render(State(metrics): State<PrometheusHandle>) -> Response {
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, metrics.render()).into_response()
}
