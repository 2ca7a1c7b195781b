//! Deletes what is not needed any more, beside the work: it may take long, and may fail, and nothing waits for it.

use std::time::Duration;

use domain::id::WebhookId;
use read_model::ReadModel;
use service_kit::causes::Causes;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::clock::now;

/// How often deliveries that arrived long ago are deleted.
const SWEEP: Duration = Duration::from_mins(10);

/// What is deleted, a part at a time. Dropping it ends the deleting between two parts.
pub(crate) struct Housekeeping {
    views: ReadModel,
    /// For how long deliveries that arrived are kept.
    history: Duration,
    swept: Option<Instant>,
    /// One round at most.
    round: JoinSet<()>,
}

impl Housekeeping {
    pub(crate) fn new(views: ReadModel, history: Duration) -> Self {
        Self { views, history, swept: None, round: JoinSet::new() }
    }

    /// Begins to delete what is due, and the webhooks that were deleted with these versions, unless a round is under way.
    pub(crate) fn go_on(&mut self, gone: Vec<(WebhookId, u64)>) {
        // A panic was reported by its own hook, and the next round does the same again.
        while self.round.try_join_next().is_some() {}
        let is_due = self.swept.is_none_or(|swept| swept.elapsed() >= SWEEP);
        if !self.round.is_empty() || (gone.is_empty() && !is_due) {
            return;
        }
        if is_due {
            self.swept = Some(Instant::now());
        }
        let before = is_due.then(|| now() - self.history);
        let views = self.views.clone();
        self.round.spawn(async move {
            for (webhook, version) in gone {
                let forgotten = async {
                    while !views.forget_webhook(webhook, version).await? {}
                    Ok(())
                };
                said(forgotten.await, "what is known of a deleted webhook can't be deleted now");
            }
            if let Some(before) = before {
                let swept = async {
                    while !views.forget_deliveries(before).await? {}
                    Ok(())
                };
                said(swept.await, "deliveries that arrived long ago can't be deleted now");
            }
        });
    }
}

fn said(done: Result<(), read_model::Error>, failed: &str) {
    if let Err(error) = done {
        tracing::info!(error = %Causes(&error), "{failed}; trying again later");
    }
}
