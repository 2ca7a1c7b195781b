//! Sends what is due of one webhook, and records what came of it.

use std::sync::Arc;
use std::time::Duration;

use domain::id::UserId;
use read_model::ReadModel;
use read_model::webhook_deliveries::{Attempt, DueDelivery};
use read_model::webhooks::WebhookRow;
use service_kit::causes::Causes;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::backlog::Backlog;
use crate::clock::now;
use crate::lease::WorkerLease;
use crate::metrics;
use crate::schedule::Schedule;
use crate::secrets::Secrets;
use crate::sender::{OutgoingEvent, Sender, Sent};

/// How often it is looked whether something is due that nobody told of, such as a delivery whose pause is over.
const LOOK: Duration = Duration::from_millis(500);

/// How long what is on its way may take when no more is sent.
const DRAIN: Duration = Duration::from_secs(5);

/// Ready when the task is told to stop, or nobody is left who could tell it to.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stopped| *stopped).await.ok();
}

/// Ready some time after the task was told to stop: a database that is away must not keep it from ending.
async fn given_up(mut stop: watch::Receiver<bool>) {
    stopped(&mut stop).await;
    tokio::time::sleep(DRAIN).await;
}

/// The part of a webhook's task that sends.
pub(crate) struct Dispatcher {
    pub(crate) webhook: WebhookRow,
    pub(crate) worker: String,
    pub(crate) views: ReadModel,
    pub(crate) sender: Sender,
    pub(crate) secrets: Secrets,
    pub(crate) schedule: Schedule,
    pub(crate) concurrency: u32,
    pub(crate) lease: Arc<WorkerLease>,
    pub(crate) backlog: Arc<Backlog>,
}

/// What a send has ended with.
struct SendEnd {
    delivery: DueDelivery,
    sent: Sent,
}

/// Why nothing more is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DispatchEnd {
    /// It was told to stop.
    Stopped,
    /// The receiver says that it is gone.
    Gone,
    /// The webhook was changed, or another process holds it.
    Lost,
}

impl Dispatcher {
    /// Sends until told to stop. What is on its way then is still recorded.
    pub(crate) async fn run(&self, mut stop: watch::Receiver<bool>) -> DispatchEnd {
        let mut sends: JoinSet<SendEnd> = JoinSet::new();
        let mut on_their_way: Vec<UserId> = Vec::new();
        let end = loop {
            if self.backlog.is_lost() {
                break DispatchEnd::Lost;
            }
            self.launch(&mut sends, &mut on_their_way).await;
            tokio::select! {
                Some(ended) = sends.join_next() => {
                    if let Some(end) = self.settle(ended, &mut sends, &mut on_their_way, &stop).await {
                        break end;
                    }
                }
                () = self.backlog.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = stopped(&mut stop) => break DispatchEnd::Stopped,
            }
        };
        let drain = async {
            while let Some(ended) = sends.join_next().await {
                if let Some(DispatchEnd::Lost) =
                    self.settle(ended, &mut sends, &mut on_their_way, &stop).await
                {
                    break;
                }
            }
        };
        // Also when the webhook is lost: mostly it was changed, and is still held here. What has not ended by then is sent
        // once more by the process that goes on.
        tokio::time::timeout(DRAIN, drain).await.ok();
        end
    }

    /// Begins to send what is due, as far as there is room.
    async fn launch(&self, sends: &mut JoinSet<SendEnd>, on_their_way: &mut Vec<UserId>) {
        let room = self.concurrency.saturating_sub(u32::try_from(on_their_way.len()).unwrap_or(u32::MAX));
        if room == 0 || !self.lease.may_send() {
            return;
        }
        let due = match self.views.due_deliveries(self.webhook.id, now(), on_their_way, room).await {
            Ok(due) => due,
            Err(error) => {
                tracing::debug!(webhook = %self.webhook.id, error = %Causes(&error), "what is due can't be asked");
                return;
            }
        };
        let secrets = self.secrets.valid();
        for delivery in due {
            // Asked again, because the database may have taken its time.
            if !self.lease.may_send() {
                return;
            }
            on_their_way.push(delivery.user);
            let message = OutgoingEvent {
                url: self.webhook.url.clone(),
                content_type: self.webhook.content_type.as_str(),
                event_id: delivery.event_id.clone(),
                body: delivery.body.clone().into(),
            };
            let (sender, secrets, name) = (self.sender.clone(), secrets.clone(), self.webhook.name.clone());
            sends.spawn(async move {
                let begun = Instant::now();
                let sent = sender.send(message, &secrets).await;
                metrics::attempted(&name, &sent, begun.elapsed());
                SendEnd { delivery, sent }
            });
        }
    }

    /// Records the send that has ended, and all others that have meanwhile, in one transaction.
    async fn settle(
        &self,
        first: Result<SendEnd, tokio::task::JoinError>,
        sends: &mut JoinSet<SendEnd>,
        on_their_way: &mut Vec<UserId>,
        stop: &watch::Receiver<bool>,
    ) -> Option<DispatchEnd> {
        let mut ended = vec![first];
        while let Some(more) = sends.try_join_next() {
            ended.push(more);
        }
        // A send that panicked says nothing; its delivery is still due. Who it was about is found out by who is left.
        let ended: Vec<SendEnd> = ended.into_iter().filter_map(Result::ok).collect();
        let is_gone = ended.iter().any(|it| matches!(it.sent, Sent::Gone(_)));
        let attempts: Vec<Attempt> = ended.iter().map(|ended| self.attempt(ended)).collect();
        let over = attempts.iter().filter(|it| it.error.is_none() || it.due_at.is_none()).count();
        for ended in &ended {
            self.log(ended);
        }
        let settled = tokio::select! {
            settled = self.record(attempts) => settled,
            () = given_up(stop.clone()) => false,
        };
        if sends.is_empty() {
            on_their_way.clear();
        }
        on_their_way.retain(|user| !ended.iter().any(|ended| ended.delivery.user == *user));
        if !settled {
            return Some(DispatchEnd::Lost);
        }
        self.backlog.ended(over as u64);
        is_gone.then_some(DispatchEnd::Gone)
    }

    /// Records attempts, however often the database has to be asked. Returns whether the webhook is still held here.
    async fn record(&self, attempts: Vec<Attempt>) -> bool {
        let mut is_said = false;
        loop {
            match self.views.settle_deliveries(self.webhook.id, &self.worker, attempts.clone(), now()).await {
                Ok(held) => return held,
                Err(error) => {
                    if !std::mem::replace(&mut is_said, true) {
                        tracing::warn!(webhook = %self.webhook.id, error = %Causes(&error),
                            "what was sent can't be recorded; trying again");
                    }
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    fn attempt(&self, ended: &SendEnd) -> Attempt {
        let SendEnd { delivery, sent } = ended;
        let at = now();
        let (status, error, due_at) = match sent {
            Sent::Arrived(status) => (Some(*status), None, None),
            // It is kept for the case that somebody has the webhook resumed.
            Sent::Gone(status) => (Some(*status), Some(format!("{status}: the receiver is gone")), Some(at)),
            Sent::Failed(status, error) => {
                let pause = self.schedule.pause(delivery.attempts.saturating_add(1));
                (*status, Some(error.clone()), pause.map(|pause| at + pause))
            }
        };
        let status = status.map(|status| status.as_u16());
        Attempt { id: delivery.id, user: delivery.user, at, status, error, due_at }
    }

    fn log(&self, ended: &SendEnd) {
        let (webhook, event) = (self.webhook.id, &ended.delivery.event_id);
        match &ended.sent {
            Sent::Arrived(status) => {
                tracing::debug!(%webhook, event, status = status.as_u16(), "delivered");
            }
            Sent::Gone(status) => {
                tracing::warn!(%webhook, event, status = status.as_u16(),
                    "the receiver is gone; the webhook is disabled until it is resumed");
            }
            Sent::Failed(_, error) => {
                let is_last = self.schedule.pause(ended.delivery.attempts.saturating_add(1)).is_none();
                if is_last {
                    tracing::warn!(%webhook, event, error, "given up after the last attempt");
                } else {
                    tracing::info!(%webhook, event, error, "not delivered; trying again later");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
