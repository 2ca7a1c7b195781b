//! How far a webhook of this process is behind, measured beside the work.

use std::time::Duration;

use read_model::webhooks::WebhookRow;
use tokio::time::MissedTickBehavior;

use crate::backlog::Backlog;
use crate::clock::now;
use crate::context::ServiceContext;
use crate::metrics;

/// How often it is measured.
const EVERY: Duration = Duration::from_secs(5);

/// Measures until it is dropped.
pub(crate) async fn measure(shared: &ServiceContext, webhook: &WebhookRow, backlog: &Backlog) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let _gauges = Gauges(&webhook.name);
    loop {
        every.tick().await;
        // A log or a database that is away has no figures now; those who need them report the outage.
        let Ok(ends) = shared.log.ends().await else { continue };
        let Ok(outstanding) = shared.views.outstanding(webhook.id).await else { continue };
        let Ok(checkpoints) = shared.views.webhook_checkpoints(webhook.id).await else { continue };
        let since = backlog.confirmed_at().unwrap_or(webhook.created_at);
        let behind = outstanding.behind(&checkpoints, &ends, since, now());
        metrics::behind(&webhook.name, [behind.events, behind.seconds, outstanding.dead]);
    }
}

/// Sets the gauges back when the webhook is delivered elsewhere or not at all, so that none shows an old figure.
struct Gauges<'a>(&'a str);

impl Drop for Gauges<'_> {
    fn drop(&mut self) {
        metrics::behind(self.0, [0; 3]);
    }
}
