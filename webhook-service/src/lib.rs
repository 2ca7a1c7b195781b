//! Sends the events of users to webhooks: signed (Standard Webhooks 1.0), in order per user, at least once.
//!
//! The `supervisor` decides which webhooks this process works for. Each of them has a `task`: a consumer of the log, whose
//! `sink` keeps what is outstanding in the operational tables, and a `dispatcher`, which sends what is due and records what
//! came of it. Cursors and deliveries are durable, so a crash repeats and never loses. Several processes share the webhooks
//! (`workers`, `lease`). `docs/adr/0020-webhooks.md` explains the decisions.

mod backlog;
mod clock;
pub mod config;
mod connector;
mod context;
mod dispatcher;
mod housekeeping;
mod lag;
mod lease;
mod metrics;
mod networks;
mod schedule;
mod secrets;
mod sender;
mod signature;
mod sink;
mod supervisor;
mod task;
mod workers;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use event_log::EventLog;
use log_model::LogId;
use read_model::ReadModel;
use sealing::Keyring;
use tokio::sync::watch;
use uuid::Uuid;

pub use config::WebhookConfig;
pub use schedule::{NotATime, Schedule};

use crate::context::ServiceContext;
use crate::lease::WorkerLease;
use crate::networks::Networks;
use crate::sender::Sender;
use crate::supervisor::Supervisor;

/// Pause before the log is asked for its id again.
const AGAIN: Duration = Duration::from_millis(500);

/// The webhooks of one process. Several processes may run one each: they share the work.
pub struct WebhookService {
    config: WebhookConfig,
    log: Arc<dyn EventLog>,
    views: ReadModel,
    keys: Arc<Keyring>,
    is_alone: bool,
    ready: watch::Sender<bool>,
}

impl WebhookService {
    /// The service over a log and its views. Nothing happens before it is run. `is_alone` says that no other process can
    /// deliver, because the log is locked.
    pub fn build(
        config: WebhookConfig,
        log: Arc<dyn EventLog>,
        views: ReadModel,
        keys: Arc<Keyring>,
        is_alone: bool,
    ) -> Self {
        Self { config, log, views, keys, is_alone, ready: watch::Sender::new(false) }
    }

    /// Turns true when the service has begun to work.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Delivers until `stop` is ready. An outage of the log or the database doesn't end it.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) {
        metrics::describe();
        tokio::pin!(stop);
        let log_id = tokio::select! {
            log_id = log_id(&*self.log) => log_id,
            () = &mut stop => return,
        };
        let Self { config, log, views, keys, is_alone, ready } = self;
        let sender = Sender::new(Networks::new(config.webhook_networks), config.webhook_timeout);
        let shared = ServiceContext {
            log,
            log_id,
            views,
            keys,
            schedule: config.webhook_retries,
            concurrency: config.webhook_concurrency,
            lease: Arc::new(WorkerLease::new(sender.longest())),
            sender,
            worker: Uuid::now_v7().to_string(),
        };
        Supervisor::new(Arc::new(shared), is_alone, config.webhook_history, ready).run(stop).await;
    }
}

/// The log's id, as soon as somebody has written to the log.
async fn log_id(log: &dyn EventLog) -> LogId {
    let mut is_said = false;
    loop {
        match event_feed::identify(log).await {
            Ok(id) => return id,
            Err(error) => {
                if !std::mem::replace(&mut is_said, true) {
                    tracing::info!(%error, "the webhooks wait for the log");
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}
