//! How a consumer works, and what log lines and metrics call it.

/// Settings and names of a consumer.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// The consumer in log lines, such as `projection`.
    pub name: &'static str,
    /// What is filled, in log lines. A plural, such as `the views`.
    pub sink: &'static str,
    /// The log line of a halt: what it means for those who depend on the sink.
    pub halted: &'static str,
    /// Prefix of the metrics, such as `muster_projection`. `None` reports no metrics.
    pub metrics: Option<&'static str>,
    /// Most records read ahead for one batch. A single read of the log may exceed it.
    pub max_batch: usize,
    /// Logs outages at debug level, for a consumer beside others that report the same outage.
    pub has_quiet_outages: bool,
}

impl ConsumerConfig {
    /// A consumer without metrics that applies up to 4,000 records at a time.
    pub const fn new(name: &'static str, sink: &'static str) -> Self {
        Self {
            name,
            sink,
            halted: "the record can't be applied; nothing behind it in this place is, until it is retried",
            metrics: None,
            max_batch: 4_000,
            has_quiet_outages: false,
        }
    }
}
