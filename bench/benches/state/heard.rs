//! Hears from the command service itself how long takeovers took, and commands waited for snapshots.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use tokio::sync::watch;

/// What was heard so far in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct All {
    /// Seconds of every takeover, in the order in which they ended.
    pub(crate) takeovers: Vec<f64>,
    /// Seconds that commands waited while a snapshot was taken.
    pub(crate) pauses: Vec<f64>,
    /// Snapshots that were written.
    written: u64,
}

/// What was heard so far. Clones share it.
#[derive(Clone)]
pub(crate) struct Heard(watch::Receiver<All>);

impl Heard {
    /// Begins to listen. Once per process.
    pub(crate) fn install() -> Result<Self> {
        let (sender, receiver) = watch::channel(All::default());
        metrics::set_global_recorder(Listening(Arc::new(sender))).map_err(|error| anyhow!("{error}"))?;
        Ok(Self(receiver))
    }

    /// How many takeovers there were so far.
    pub(crate) fn takeovers(&self) -> usize {
        self.0.borrow().takeovers.len()
    }

    /// How many snapshots were taken so far.
    pub(crate) fn snapshots(&self) -> usize {
        self.0.borrow().pauses.len()
    }

    /// Waits for `more` takeovers after the first `known`. Returns their seconds.
    pub(crate) async fn takeovers_after(&self, known: usize, more: usize) -> Result<Vec<f64>> {
        let mut heard = self.0.clone();
        let all = heard.wait_for(|all| all.takeovers.len() >= known + more).await?;
        Ok(all.takeovers[known..].to_vec())
    }

    /// Waits until every snapshot that was taken is written, and says how long each took to be taken after the first
    /// `known`.
    pub(crate) async fn pauses_after(&self, known: usize) -> Result<Vec<f64>> {
        let mut heard = self.0.clone();
        let all = heard.wait_for(|all| all.written >= all.pauses.len() as u64).await?;
        Ok(all.pauses[known..].to_vec())
    }
}

struct Takeovers(Arc<watch::Sender<All>>);

impl HistogramFn for Takeovers {
    fn record(&self, seconds: f64) {
        self.0.send_modify(|all| all.takeovers.push(seconds));
    }
}

struct Pauses(Arc<watch::Sender<All>>);

impl HistogramFn for Pauses {
    fn record(&self, seconds: f64) {
        self.0.send_modify(|all| all.pauses.push(seconds));
    }
}

struct Written(Arc<watch::Sender<All>>);

impl CounterFn for Written {
    fn increment(&self, more: u64) {
        self.0.send_modify(|all| all.written += more);
    }

    fn absolute(&self, written: u64) {
        self.0.send_modify(|all| all.written = written);
    }
}

struct Listening(Arc<watch::Sender<All>>);

impl Recorder for Listening {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match key.name() {
            "muster_snapshots_total" => Counter::from_arc(Arc::new(Written(self.0.clone()))),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match key.name() {
            "muster_takeover_duration_seconds" => Histogram::from_arc(Arc::new(Takeovers(self.0.clone()))),
            "muster_snapshot_pause_seconds" => Histogram::from_arc(Arc::new(Pauses(self.0.clone()))),
            _ => Histogram::noop(),
        }
    }
}
