//! What deployments find around them: servers, names that nobody else has, log files.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// Address of a server; where it is missing, a failure in CI and a loud line elsewhere.
pub(crate) fn server(variable: &str) -> Option<String> {
    let address = std::env::var(variable).ok().filter(|address| !address.is_empty());
    if address.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{variable} is not set, and CI=true skips nothing"
        );
        eprintln!("SKIPPED: {variable} is not set; ./test brings the servers");
    }
    address
}

pub(crate) fn unique(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
    format!("{prefix}{now}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn read_text(path: &PathBuf) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
