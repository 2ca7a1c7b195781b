//! What can be said to every benchmark on its command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::open_loop::parse_rate;

/// How a benchmark runs and how it shows its figures.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Clients of the closed loops.
    #[arg(long, value_delimiter = ',', default_value = "1,64,256", value_name = "NUMBER,…")]
    pub clients: Vec<usize>,

    /// Arrivals per second of the open loops; none when not given and the benchmark has none of its own.
    #[arg(long, value_delimiter = ',', value_parser = parse_rate, value_name = "PER SECOND,…")]
    pub rates: Vec<f64>,

    /// Seconds that each loop is measured, after a warm-up of a fifth of it.
    #[arg(long, default_value_t = 8, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,

    /// How figures are shown.
    #[command(flatten)]
    pub show: Show,
}

/// How a benchmark shows its figures.
#[derive(Debug, Clone, clap::Args)]
pub struct Show {
    /// Most requests of a line that may fail, as a share; when more do the benchmark ends with 1.
    #[arg(long, default_value_t = 0.001, value_name = "SHARE")]
    pub most_failures: f64,

    /// Shows the table as Markdown.
    #[arg(long)]
    pub markdown: bool,

    /// Writes machine, date and every line to this file as one JSON document as well.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Options {
    /// For how long each loop is measured.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}
