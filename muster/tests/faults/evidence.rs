//! Where a run keeps its servers' data and logs; it stays when something went wrong.

use std::fmt::Write;
use std::path::Path;

use event_log::Recorded;
use serde_json::json;
use tempfile::TempDir;

use crate::checker::Violation;
use crate::history::Attempt;

/// The directory of a run.
pub(crate) struct Evidence(Option<TempDir>);

impl Evidence {
    pub(crate) fn new() -> Self {
        Self(Some(tempfile::Builder::new().prefix("faults-").tempdir().unwrap()))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.as_ref().unwrap().path()
    }

    /// Writes down everything that a violation can be understood from.
    pub(crate) fn write(
        &self,
        name: &str,
        history: &[Attempt],
        records: &[Recorded],
        violations: &[Violation],
    ) {
        let directory = self.path().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let mut text = String::new();
        for violation in violations {
            writeln!(text, "{violation}").unwrap();
        }
        std::fs::write(directory.join("violations.txt"), text).unwrap();
        let attempts = history.iter().map(|attempt| attempt.line().to_string() + "\n").collect::<String>();
        std::fs::write(directory.join("history.jsonl"), attempts).unwrap();
        let records = records.iter().map(|recorded| line(recorded).to_string() + "\n").collect::<String>();
        std::fs::write(directory.join("log.jsonl"), records).unwrap();
    }

    /// Keeps the directory.
    pub(crate) fn keep(&mut self) {
        if let Some(directory) = self.0.take() {
            eprintln!("The evidence is kept in {}", directory.keep().display());
        }
    }
}

impl Drop for Evidence {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep();
        }
    }
}

fn line(recorded: &Recorded) -> serde_json::Value {
    let body = recorded.record.body.as_deref().map(String::from_utf8_lossy);
    json!({
        "place": recorded.place.to_string(),
        "offset": recorded.offset,
        "key": recorded.record.key,
        "headers": recorded.record.headers,
        "body": body,
    })
}
