//! Decides again and again which webhooks this process works for: its share of those that are to be delivered.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::id::WebhookId;
use read_model::webhook_cursors::{WebhookCursor, WebhookWorker};
use read_model::webhooks::WebhookRow;
use service_kit::causes::Causes;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use crate::context::ServiceContext;
use crate::housekeeping::Housekeeping;
use crate::task::WebhookTask;
use crate::workers::{Workers, share};

/// How often it looks: the longest that a change of a webhook takes to be noticed.
const LOOK: Duration = Duration::from_millis(500);

/// Starts and stops the webhooks of this process.
pub(crate) struct Supervisor {
    shared: Arc<ServiceContext>,
    /// Whether no other process can be there, because the log is locked.
    is_alone: bool,
    housekeeping: Housekeeping,
    tasks: HashMap<WebhookId, WebhookTask>,
    /// Webhooks that are given up for another process once their tasks have ended.
    leaving: HashSet<WebhookId>,
    workers: Workers,
    beat: u64,
    /// Whether a look has succeeded since the start.
    ready: watch::Sender<bool>,
    is_away: bool,
}

impl Supervisor {
    pub(crate) fn new(
        shared: Arc<ServiceContext>,
        is_alone: bool,
        history: Duration,
        ready: watch::Sender<bool>,
    ) -> Self {
        let housekeeping = Housekeeping::new(shared.views.clone(), history);
        Self {
            shared,
            is_alone,
            housekeeping,
            tasks: HashMap::new(),
            leaving: HashSet::new(),
            workers: Workers::default(),
            beat: 0,
            ready,
            is_away: false,
        }
    }

    /// Looks until told to stop. Then ends what is under way and gives everything up for others.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut every = tokio::time::interval(LOOK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                _ = every.tick() => {}
                () = &mut stop => break,
            }
            match self.look().await {
                Ok(()) => {
                    if std::mem::take(&mut self.is_away) {
                        tracing::info!("the webhooks are there again");
                    }
                    self.ready.send_replace(true);
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.is_away, true) {
                        tracing::warn!(error = %Causes(&error), "the webhooks can't be read; trying again");
                    }
                }
            }
        }
        for task in self.tasks.values() {
            task.stop();
        }
        for (_, task) in self.tasks.drain() {
            task.ended().await;
        }
        if let Err(error) = self.shared.views.forget_webhook_worker(&self.shared.worker).await {
            tracing::info!(error = %Causes(&error), "the webhooks can't be given up; others take them over soon");
        }
    }

    async fn look(&mut self) -> Result<(), read_model::Error> {
        let views = self.shared.views.clone();
        // Before the cursors are read, so that they show why a task has ended.
        let ended: Vec<WebhookId> =
            self.tasks.iter().filter(|(_, task)| task.has_ended()).map(|(id, _)| *id).collect();
        let alive = self.live().await?;
        let cursors: HashMap<WebhookId, WebhookCursor> =
            views.webhook_cursors().await?.into_iter().map(|cursor| (cursor.webhook, cursor)).collect();
        let ids: Vec<_> = cursors.keys().copied().collect();
        // A webhook without a row is not gone: the views may be filled anew.
        let deleted = views.webhooks_ever(&ids).await?.into_iter().filter(|row| row.deleted);
        let gone = deleted
            .filter(|row| row.version >= cursors[&row.id].seen_version && !self.tasks.contains_key(&row.id));
        self.housekeeping.go_on(gone.map(|row| (row.id, row.version)).collect());
        let wanted: Vec<WebhookRow> =
            views.webhooks().await?.into_iter().filter(|row| is_wanted(row, cursors.get(&row.id))).collect();
        let given_up = self.stop_changed(ended, &wanted, &cursors).await?;
        // Of all of them: what was just given up is still somebody's.
        let share = share(wanted.len(), alive);
        let wanted = wanted.into_iter().filter(|row| !given_up.contains(&row.id)).collect();
        self.start_missing(wanted, &cursors, share).await
    }

    /// Says that this process lives, and frees what dead ones held. Returns how many are alive.
    async fn live(&mut self) -> Result<usize, read_model::Error> {
        let (views, lease) = (&self.shared.views, &self.shared.lease);
        let begun = Instant::now();
        self.beat += 1;
        let own = WebhookWorker { id: self.shared.worker.clone(), beat: self.beat };
        views.webhook_worker_lives(&own).await?;
        lease.beat(begun);
        let all = views.webhook_workers().await?;
        let mut alive = self.workers.look(&own.id, &all, lease.lasts(), Instant::now());
        if self.is_alone {
            alive.dead = all.into_iter().map(|worker| worker.id).filter(|id| *id != own.id).collect();
            alive.number = 1;
        }
        for dead in &alive.dead {
            tracing::info!(worker = dead, "taking over the webhooks of a process that is gone");
            views.forget_webhook_worker(dead).await?;
        }
        Ok(alive.number)
    }

    /// Stops what works with an old version, is not wanted any more, or was lost; gives up what has ended.
    /// Returns what was given up: this look leaves it to others.
    async fn stop_changed(
        &mut self,
        ended: Vec<WebhookId>,
        wanted: &[WebhookRow],
        cursors: &HashMap<WebhookId, WebhookCursor>,
    ) -> Result<HashSet<WebhookId>, read_model::Error> {
        let own = &self.shared.worker;
        let is_held =
            |id: &WebhookId| cursors.get(id).is_some_and(|cursor| cursor.holder.as_ref() == Some(own));
        let mut given_up = HashSet::new();
        for id in ended {
            if is_held(&id) && (self.leaving.contains(&id) || !wanted.iter().any(|row| row.id == id)) {
                self.shared.views.give_webhook_up(id, own).await?;
                given_up.insert(id);
            }
            self.leaving.remove(&id);
            self.tasks.remove(&id);
        }
        for (id, task) in &self.tasks {
            let row = wanted.iter().find(|row| row.id == *id);
            if row.is_none_or(|row| row.version != task.version) || !is_held(id) {
                task.stop();
            }
        }
        Ok(given_up)
    }

    /// Starts what this process holds, takes what nobody holds, and stops what is more than its share.
    async fn start_missing(
        &mut self,
        wanted: Vec<WebhookRow>,
        cursors: &HashMap<WebhookId, WebhookCursor>,
        share: usize,
    ) -> Result<(), read_model::Error> {
        let mut held = self.tasks.len();
        for row in wanted {
            if self.tasks.contains_key(&row.id) {
                continue;
            }
            let holder = cursors.get(&row.id).and_then(|cursor| cursor.holder.as_ref());
            let is_ours = match holder {
                Some(holder) if *holder == self.shared.worker => true,
                Some(_) => false,
                None => held < share && self.shared.views.take_webhook(row.id, &self.shared.worker).await?,
            };
            if is_ours {
                held += 1;
                let task = WebhookTask::start(self.shared.clone(), row.clone());
                self.tasks.insert(row.id, task);
            }
        }
        for (id, task) in self.tasks.iter().take(held.saturating_sub(share)) {
            tracing::debug!(webhook = %id, "giving the webhook up for another process");
            task.stop();
            self.leaving.insert(*id);
        }
        Ok(())
    }
}

/// Whether a webhook is to be delivered now.
fn is_wanted(webhook: &WebhookRow, cursor: Option<&WebhookCursor>) -> bool {
    // Views that show less than was worked with are being filled anew.
    let is_current = cursor.is_none_or(|cursor| webhook.version >= cursor.seen_version);
    let disabled = cursor.and_then(|cursor| cursor.disabled_version);
    let is_disabled = disabled.is_some_and(|disabled| webhook.enabled_version <= disabled);
    is_current && !webhook.paused && !is_disabled
}
