//! What a benchmark hands over: lines as they come, one JSON document at the end, and whether too much failed.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Line;
use crate::machine::Machine;
use crate::options::Show;
use crate::table::{self, Form};

/// One run of one benchmark, as it is written to a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// What it was run on.
    pub machine: Machine,
    /// When it began (RFC 3339).
    pub date: String,
    /// What it came to.
    pub lines: Vec<Line>,
    /// What can't be said in lines.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Takes the lines of a benchmark and shows them as they come.
pub struct Report {
    show: Show,
    section: String,
    document: Document,
}

impl Report {
    /// Nothing yet. Says what it runs on.
    pub fn begin(show: &Show) -> Self {
        let date = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let document = Document { machine: Machine::this(), date, lines: Vec::new(), notes: Vec::new() };
        say(&format!("\n{} ({})", document.machine.describe(), document.date));
        Self { show: show.clone(), section: String::new(), document }
    }

    /// Begins a section.
    pub fn section(&mut self, title: impl Into<String>) {
        self.section = title.into();
        say(&table::head(&self.section, self.form()));
    }

    /// Shows a line and keeps it.
    pub fn line(&mut self, mut line: Line) {
        line.section.clone_from(&self.section);
        say(&table::row(&line, self.form()));
        if line.share_failed() > self.show.most_failures {
            say(&format!("!!! {}", complaint(&line)));
        }
        self.document.lines.push(line);
    }

    /// Says something that is no line, and keeps it.
    pub fn note(&mut self, text: &str) {
        say(text);
        self.document.notes.push(format!("{}: {text}", self.section));
    }

    /// Writes the document where one was asked for. 1 when too much failed.
    pub fn finish(self) -> Result<ExitCode> {
        if let Some(path) = &self.show.json {
            let text = serde_json::to_string_pretty(&self.document)?;
            fs::write(path, text + "\n").with_context(|| format!("{} can't be written", path.display()))?;
        }
        let most = self.show.most_failures;
        let bad: Vec<_> = self.document.lines.iter().filter(|line| line.share_failed() > most).collect();
        for line in &bad {
            say(&format!("!!! {}, {}, {}: {}", line.section, line.what, line.load, complaint(line)));
        }
        Ok(ExitCode::from(u8::from(!bad.is_empty())))
    }

    fn form(&self) -> Form {
        if self.show.markdown { Form::Markdown } else { Form::Plain }
    }
}

/// What is wrong with a line that has too many failures.
fn complaint(line: &Line) -> String {
    let all = line.failed + line.answered;
    match &line.first_failure {
        Some(reason) => format!("{} of {all} requests FAILED; the first said: {reason}", line.failed),
        None => "NOTHING WAS ANSWERED in the time that is measured".to_owned(),
    }
}

/// Prints a line for the person who runs the benchmark.
#[expect(clippy::print_stdout, reason = "the result of a benchmark")]
pub fn say(text: &str) {
    println!("{text}");
}
