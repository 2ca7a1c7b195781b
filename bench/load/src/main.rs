//! Makes one table of the documents that several benchmarks wrote, Muster beside its peers included.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use load::by_turns;
use load::report::{Document, say};
use load::table::{Form, beside_peers, head, row};

/// Shows what benchmarks wrote with `--json` as one table.
#[derive(Parser)]
struct Arguments {
    /// Shows the table as Markdown.
    #[arg(long)]
    markdown: bool,
    /// What an older build wrote that was measured by turns with this one.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    baseline: Vec<PathBuf>,
    /// What the benchmarks wrote.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let form = if arguments.markdown { Form::Markdown } else { Form::Plain };
    let documents = read(&arguments.files)?;
    if !arguments.baseline.is_empty() {
        let lines = |documents: Vec<Document>| -> Vec<_> {
            documents.into_iter().flat_map(|document| document.lines).collect()
        };
        let baseline = lines(read(&arguments.baseline)?);
        say(&by_turns::table(&lines(documents), &baseline, form));
        return Ok(());
    }
    for document in &documents {
        say(&format!("{} ({})", document.machine.describe(), document.date));
    }
    let notes: Vec<_> = documents.iter().flat_map(|document| document.notes.clone()).collect();
    let lines: Vec<_> = documents.into_iter().flat_map(|document| document.lines).collect();
    let mut sections: Vec<&str> = Vec::new();
    for line in &lines {
        if !sections.contains(&line.section.as_str()) {
            sections.push(&line.section);
        }
    }
    for section in sections {
        say(&head(section, form));
        for line in lines.iter().filter(|line| line.section == section) {
            say(&row(line, form));
        }
    }
    say(&beside_peers(&lines, form));
    for note in notes {
        say(&format!("\n{note}"));
    }
    Ok(())
}

fn read(files: &[PathBuf]) -> Result<Vec<Document>> {
    let document = |path: &PathBuf| {
        let reading = || format!("{} is not what a benchmark writes", path.display());
        serde_json::from_slice(&fs::read(path).with_context(reading)?).with_context(reading)
    };
    files.iter().map(document).collect()
}
