//! The log line and the metrics of each request: names and numbers, never the data.

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::http::{Method, StatusCode};

use super::document::Operation;

/// A GraphQL request, for logs and metrics.
#[derive(Debug)]
pub(super) struct GraphqlTelemetry {
    kind: &'static str,
    fields: String,
    label: String,
}

impl Default for GraphqlTelemetry {
    fn default() -> Self {
        Self { kind: "none", fields: String::new(), label: "invalid".to_owned() }
    }
}

impl GraphqlTelemetry {
    /// Records a valid operation: its names are the schema's, so they are good as labels.
    pub(super) fn record_operation(&mut self, operation: &Operation) {
        self.kind = match operation.kind {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        self.fields = operation.fields.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(",");
        self.label = match operation.fields.as_slice() {
            [only] => only.clone(),
            _ => "several".to_owned(),
        };
    }

    /// Writes the log line and the metrics.
    pub(super) fn finish(&self, outcome: String, correlation_id: &str, took: Duration) {
        tracing::info!(
            graphql.kind = self.kind,
            graphql.fields = self.fields,
            outcome,
            correlation_id,
            duration_ms = millis(took),
            "GraphQL request answered."
        );
        let operation = self.label.clone();
        metrics::histogram!("muster_graphql_request_duration_seconds", "operation" => operation.clone())
            .record(took.as_secs_f64());
        metrics::counter!("muster_graphql_requests_total", "operation" => operation, "outcome" => outcome)
            .increment(1);
    }
}

/// Counts an HTTP request, and logs it unless it is GraphQL, which has its own line.
pub(super) fn record_request(
    method: &Method,
    route: &'static str,
    status: StatusCode,
    correlation_id: &str,
    took: Duration,
) {
    if route != "/graphql" {
        tracing::info!(
            http.method = method.as_str(),
            http.route = route,
            http.status = status.as_u16(),
            correlation_id,
            duration_ms = millis(took),
            "Request answered."
        );
    }
    let status = status.as_str().to_owned();
    metrics::histogram!("muster_http_request_duration_seconds", "route" => route).record(took.as_secs_f64());
    metrics::counter!("muster_http_requests_total", "route" => route, "status" => status).increment(1);
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
