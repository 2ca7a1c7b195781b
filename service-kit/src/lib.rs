//! What every process needs: telemetry, a clean end, HTTP connections, health and metrics, settings,
//! errors with their causes. Knows nothing of users.

pub mod causes;
pub mod http_server;
pub mod lifecycle;
mod log_lines;
pub mod operations;
pub mod settings;
pub mod telemetry;
