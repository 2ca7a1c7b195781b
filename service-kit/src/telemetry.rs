//! Structured logs on standard error, and metrics for Prometheus.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::log_lines::LogLines;

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One line of text per event.
    Text,
    /// One JSON object per event.
    Json,
}

/// Settings of logs.
#[derive(Debug, Clone, clap::Args)]
pub struct TelemetryConfig {
    /// How logs look: `auto` is text on a terminal and JSON elsewhere.
    #[arg(long, env = "MUSTER_LOG_FORMAT", default_value = "auto", value_name = "FORMAT", global = true)]
    pub log_format: LogFormat,

    /// What is logged, as `level` or `target=level,…`.
    #[arg(
        long,
        env = "MUSTER_LOG_FILTER",
        default_value = "info,sqlx=warn",
        value_name = "FILTER",
        global = true
    )]
    pub log_filter: String,
}

/// Logs or metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter has not the form that is asked for.
    #[error("the log filter `{filter}` can't be read")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The thread that writes log lines can't be started.
    #[error("the thread that writes the logs can't be started")]
    Thread(#[source] std::io::Error),
    /// There is a second subscriber or recorder in the process.
    #[error("telemetry is set up already")]
    Twice,
}

/// Latencies from half a millisecond to ten seconds.
const SECONDS: [f64; 14] =
    [0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 4.0, 10.0];
/// Sizes of batches.
const SIZES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 512.0, 2_048.0];

/// The lines of this process, once logs are set up.
static LINES: OnceLock<LogLines> = OnceLock::new();

/// How long the end of the process waits for its last log lines.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Sets up logs. Every line is one record; control characters in fields are escaped. A line that can't be written is
/// lost and nothing else: a caller neither fails nor waits.
pub fn start_logs(config: &TelemetryConfig) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&config.log_filter)
        .map_err(|source| TelemetryError::Filter { filter: config.log_filter.clone(), source })?;
    let terminal = std::io::stderr().is_terminal();
    let lines = LogLines::start(std::io::stderr()).map_err(TelemetryError::Thread)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_ansi(terminal)
        .with_writer(lines.clone())
        // It would report its own errors to standard error, and panic where that is closed.
        .log_internal_errors(false);
    let json = match config.log_format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !terminal,
    };
    let started = if json { builder.json().flatten_event(true).try_init() } else { builder.try_init() };
    started.map_err(|_| TelemetryError::Twice)?;
    LINES.set(lines).map_err(|_| TelemetryError::Twice)
}

/// Waits for the log lines so far, but not for a reader that doesn't read them. Call it before the process ends.
pub fn flush_logs() {
    if let Some(lines) = LINES.get() {
        lines.flush(LAST_LINES);
    }
}

/// Sets up metrics; the handle renders them.
pub fn start_metrics() -> Result<PrometheusHandle, TelemetryError> {
    let handle = with_buckets().install_recorder().map_err(|_| TelemetryError::Twice)?;
    metrics::describe_counter!("muster_log_lines_lost_total", "Log lines that could not be written");
    Ok(handle)
}

/// Buckets by the unit at the end of a name. The exporter would look at a prefix first, whatever the unit.
fn with_buckets() -> PrometheusBuilder {
    let units = [("_seconds", &SECONDS[..]), ("_commands", &SIZES), ("_records", &SIZES)];
    units.into_iter().fold(PrometheusBuilder::new(), |builder, (unit, buckets)| {
        builder
            .set_buckets_for_metric(Matcher::Suffix(unit.to_owned()), buckets)
            .expect("the lists of buckets are not empty")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_has_buckets_of_its_own() {
        let recorder = with_buckets().build_recorder();
        let metrics = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("muster_batch_duration_seconds").record(0.003);
            metrics::histogram!("muster_batch_commands").record(3.0);
            metrics::histogram!("muster_projection_batch_records").record(3.0);
        });
        let text = metrics.render();
        for line in [
            r#"muster_batch_duration_seconds_bucket{le="0.004"} 1"#,
            r#"muster_batch_commands_bucket{le="4"} 1"#,
            r#"muster_projection_batch_records_bucket{le="4"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
    }
}
