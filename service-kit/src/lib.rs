//! What every process needs: telemetry, a clean end, health and metrics, settings. Knows nothing of users.

pub mod lifecycle;
mod log_lines;
pub mod operations;
pub mod settings;
pub mod telemetry;
