//! One webhook at work in this process: a consumer that reads its events, and a dispatcher that sends them.

use std::sync::Arc;
use std::time::Duration;

use event_feed::FeedKind;
use log_consumer::{Consumer, ConsumerConfig};
use read_model::webhooks::WebhookRow;
use service_kit::causes::Causes;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::backlog::Backlog;
use crate::clock::now;
use crate::context::ServiceContext;
use crate::dispatcher::{DispatchEnd, Dispatcher, stopped};
use crate::lag;
use crate::secrets::Secrets;
use crate::sink::DeliverySink;

/// Pause before a webhook that can't begin is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Outages are reported by those who write to the log and to the views.
const CONSUMER: ConsumerConfig = ConsumerConfig {
    halted: "an event can't be sent to a webhook; nothing behind it in this place is",
    has_quiet_outages: true,
    max_batch: 1_000,
    ..ConsumerConfig::new("webhook", "the deliveries of a webhook")
};

/// A webhook at work.
pub(crate) struct WebhookTask {
    /// The webhook's version that it works with.
    pub(crate) version: u64,
    stop: watch::Sender<bool>,
    handle: JoinHandle<()>,
}

impl WebhookTask {
    /// Begins to work for a webhook that this process holds.
    pub(crate) fn start(shared: Arc<ServiceContext>, webhook: WebhookRow) -> Self {
        let (stop, stopping) = watch::channel(false);
        let version = webhook.version;
        let handle = tokio::spawn(work(shared, webhook, stopping));
        Self { version, stop, handle }
    }

    /// Asks it to stop. It records what is on its way first.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.handle.is_finished()
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(self) {
        // A panic was reported by its own hook, and the webhook is begun anew.
        self.handle.await.ok();
    }
}

/// Works until told to stop, until the webhook is lost to another process, or until its receiver says that it is gone.
async fn work(shared: Arc<ServiceContext>, webhook: WebhookRow, mut stop: watch::Receiver<bool>) {
    let mut said = String::new();
    let prepared = loop {
        match prepare(&shared, &webhook).await {
            Ok(Some(prepared)) => break prepared,
            Ok(None) => return,
            Err(reason) => {
                if said != reason {
                    tracing::warn!(webhook = %webhook.id, reason, "the webhook can't begin; trying again");
                    shared.views.webhook_failed(webhook.id, &shared.worker, &reason).await.ok();
                    said = reason;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = stopped(&mut stop) => return,
        }
    };
    let (secrets, backlog) = prepared;
    let sink = DeliverySink::new(
        shared.views.clone(),
        webhook.clone(),
        shared.worker.clone(),
        shared.log_id,
        backlog.clone(),
    );
    let places: Vec<_> = FeedKind::Users.places(shared.log.partitions()).collect();
    let consumer = Consumer::new(&shared.log, places, sink, CONSUMER);
    let dispatcher = Dispatcher {
        webhook: webhook.clone(),
        worker: shared.worker.clone(),
        views: shared.views.clone(),
        sender: shared.sender.clone(),
        secrets,
        schedule: shared.schedule.clone(),
        concurrency: shared.concurrency,
        lease: shared.lease.clone(),
        backlog: backlog.clone(),
    };
    let end = tokio::select! {
        end = dispatcher.run(stop) => end,
        // It ends with the log alone.
        () = consumer.run() => DispatchEnd::Stopped,
        () = lag::measure(&shared, &webhook, &backlog) => DispatchEnd::Stopped,
    };
    match end {
        DispatchEnd::Stopped => {}
        DispatchEnd::Lost => {
            tracing::info!(webhook = %webhook.id, "the webhook was changed, or another process delivers it now");
        }
        DispatchEnd::Gone => {
            let disabled =
                shared.views.disable_webhook(webhook.id, &shared.worker, webhook.enabled_version).await;
            if let Err(error) = disabled {
                // The next attempt hears the same from the receiver.
                tracing::warn!(webhook = %webhook.id, error = %Causes(&error), "the webhook can't be disabled");
            }
        }
    }
}

/// Opens the secrets, begins anew where the webhook says so, and counts what is outstanding. `None` if the webhook is lost.
async fn prepare(
    shared: &ServiceContext,
    webhook: &WebhookRow,
) -> Result<Option<(Secrets, Arc<Backlog>)>, String> {
    let views = &shared.views;
    let failed = |error: read_model::Error| Causes(&error).to_string();
    let secrets = Secrets::of(webhook, views, &shared.keys).await.map_err(|error| error.to_string())?;
    let places: Vec<_> = FeedKind::Users.places(shared.log.partitions()).collect();
    let held = views.begin_webhook(webhook, &shared.worker, &places, now()).await.map_err(failed)?;
    if !held {
        return Ok(None);
    }
    let outstanding = views.outstanding(webhook.id).await.map_err(failed)?;
    Ok(Some((secrets, Arc::new(Backlog::new(outstanding.events)))))
}
