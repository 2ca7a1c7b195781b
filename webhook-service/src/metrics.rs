//! Metrics of the webhook service.

use std::time::Duration;

use crate::sender::Sent;

pub(crate) fn describe() {
    metrics::describe_counter!(
        "muster_webhook_attempts_total",
        "Attempts to deliver an event, by webhook and outcome (delivered, failed, gone)"
    );
    metrics::describe_histogram!(
        "muster_webhook_attempt_seconds",
        metrics::Unit::Seconds,
        "Time that an attempt took"
    );
    metrics::describe_gauge!(
        "muster_webhook_behind_events",
        "Events that a webhook of this process has not delivered: read and outstanding, or not read yet"
    );
    metrics::describe_gauge!(
        "muster_webhook_behind_seconds",
        metrics::Unit::Seconds,
        "Age of the oldest event that a webhook of this process has not delivered"
    );
    metrics::describe_gauge!(
        "muster_webhook_dead_letters",
        "Events that a webhook of this process has given up"
    );
}

/// An attempt has ended.
pub(crate) fn attempted(webhook: &str, sent: &Sent, took: Duration) {
    let outcome = match sent {
        Sent::Arrived(_) => "delivered",
        Sent::Failed(..) => "failed",
        Sent::Gone(_) => "gone",
    };
    metrics::counter!("muster_webhook_attempts_total", "webhook" => webhook.to_owned(), "outcome" => outcome)
        .increment(1);
    metrics::histogram!("muster_webhook_attempt_seconds").record(took.as_secs_f64());
}

/// Shows how far a webhook of this process is behind: events, seconds, and events that were given up.
pub(crate) fn behind(webhook: &str, [events, seconds, dead]: [u64; 3]) {
    #[expect(clippy::cast_precision_loss, reason = "a number of 2⁵³ is not measured to the unit")]
    let [events, seconds, dead] = [events, seconds, dead].map(|number| number as f64);
    metrics::gauge!("muster_webhook_behind_events", "webhook" => webhook.to_owned()).set(events);
    metrics::gauge!("muster_webhook_behind_seconds", "webhook" => webhook.to_owned()).set(seconds);
    metrics::gauge!("muster_webhook_dead_letters", "webhook" => webhook.to_owned()).set(dead);
}
