//! Hears from the command service itself how long each takeover took.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tokio::sync::watch;

/// The seconds of every takeover of this process, in the order in which they ended.
#[derive(Clone)]
pub(crate) struct Takeovers(watch::Receiver<Vec<f64>>);

impl Takeovers {
    /// Begins to listen. Once per process.
    pub(crate) fn install() -> Result<Self> {
        let (sender, receiver) = watch::channel(Vec::new());
        let listening = metrics::set_global_recorder(Listening(Arc::new(Seconds(sender))));
        listening.map_err(|error| anyhow!("{error}"))?;
        Ok(Self(receiver))
    }

    /// How many there were so far.
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().len()
    }

    /// Waits for so many after the first `known`.
    pub(crate) async fn after(&self, known: usize, more: usize) -> Result<Vec<f64>> {
        let mut takeovers = self.0.clone();
        let all = takeovers.wait_for(|all| all.len() >= known + more).await?;
        Ok(all[known..].to_vec())
    }
}

struct Seconds(watch::Sender<Vec<f64>>);

impl HistogramFn for Seconds {
    fn record(&self, seconds: f64) {
        self.0.send_modify(|all| all.push(seconds));
    }
}

struct Listening(Arc<Seconds>);

impl Recorder for Listening {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match key.name() {
            "muster_takeover_duration_seconds" => Histogram::from_arc(self.0.clone()),
            _ => Histogram::noop(),
        }
    }
}
