//! The outstanding deliveries of one webhook as the sink of a consumer of the log.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::id::{DeliveryId, UserId};
use domain::timestamp::Timestamp;
use domain::webhook::EventTypes;
use event_feed::cloud_event::CloudEvent;
use event_feed::{FeedKind, FeedPosition, MemberFilter};
use event_log::Recorded;
use event_log::envelope::Stamp;
use log_consumer::{ApplyError, Checkpoint, Halt, Move, Sink, SinkUnavailable};
use log_model::LogId;
use log_model::StreamPartition;
use read_model::ReadModel;
use read_model::webhook_deliveries::{NewDelivery, WebhookMove};
use read_model::webhooks::WebhookRow;
use service_kit::causes::Causes;
use time::OffsetDateTime;

use crate::backlog::Backlog;
use crate::clock::now;

/// How often it is written down that the end of the log was read.
const CONFIRM_EVERY: Duration = Duration::from_secs(5);

/// Where one webhook's deliveries go to.
pub(crate) struct DeliverySink {
    views: ReadModel,
    webhook: WebhookRow,
    /// The process that holds the webhook.
    worker: String,
    log: LogId,
    group: Option<MemberFilter>,
    backlog: Arc<Backlog>,
    next: BTreeMap<StreamPartition, u64>,
    /// Where events are passed over until the first that is not older, or has an offset at which that ends.
    not_before: BTreeMap<StreamPartition, (Timestamp, Option<u64>)>,
    /// Halts, with the offset of each.
    halted: BTreeMap<StreamPartition, u64>,
    confirmed: Option<Timestamp>,
}

/// What a record says to a webhook.
pub(crate) struct Incoming {
    place: StreamPartition,
    offset: u64,
    event_type: String,
    subject: String,
    user: UserId,
    time: Timestamp,
    id: uuid::Uuid,
}

/// Deliveries on their way to the database.
#[derive(Default)]
pub(crate) struct DeliveryBatch {
    deliveries: Vec<NewDelivery>,
    /// How far a receiver is who has got everything up to the record folded last.
    next: BTreeMap<StreamPartition, u64>,
    /// The events that are of the webhook's group; `None` if it takes those of all users.
    of_group: Option<HashSet<(StreamPartition, u64)>>,
    /// Where an event was met that is not too old.
    begun: BTreeSet<StreamPartition>,
}

impl DeliverySink {
    pub(crate) fn new(
        views: ReadModel,
        webhook: WebhookRow,
        worker: String,
        log: LogId,
        backlog: Arc<Backlog>,
    ) -> Self {
        let group = webhook.group.as_ref().map(|group| MemberFilter::new(views.clone(), group.id));
        Self {
            views,
            webhook,
            worker,
            log,
            group,
            backlog,
            next: BTreeMap::new(),
            not_before: BTreeMap::new(),
            halted: BTreeMap::new(),
            confirmed: None,
        }
    }

    fn types(&self) -> &EventTypes {
        &self.webhook.types
    }
}

impl Sink for DeliverySink {
    /// `None` for records that are no events of users.
    type Entry = Option<Incoming>;
    type Batch = DeliveryBatch;

    async fn checkpoints(&mut self, places: &[StreamPartition]) -> Result<Vec<Checkpoint>, SinkUnavailable> {
        let stored = self.views.webhook_checkpoints(self.webhook.id).await.map_err(unavailable)?;
        self.next = stored.iter().map(|stored| (stored.place, stored.next)).collect();
        self.not_before =
            stored.iter().filter_map(|it| Some((it.place, (it.not_before?, it.old_until)))).collect();
        let checkpoint = |place: &StreamPartition| Checkpoint {
            place: *place,
            next: self.next.get(place).copied().unwrap_or(0),
            // Another log is noticed by the projection, without which nobody sees the webhooks.
            anchor: None,
            halted: self.halted.get(place).copied(),
        };
        Ok(places.iter().map(checkpoint).collect())
    }

    fn read(&self, recorded: &Recorded) -> Result<Option<Incoming>, String> {
        let record = &recorded.record;
        if !FeedKind::Users.shows(record) {
            return Ok(None);
        }
        let stamp = Stamp::read(record).map_err(|error| Causes(&error).to_string())?;
        let event_type = record.wire_name().map_err(|error| Causes(&error).to_string())?.to_owned();
        let user = stamp.subject.parse().map_err(|error| Causes(&error).to_string())?;
        Ok(Some(Incoming {
            place: recorded.place,
            offset: recorded.offset,
            event_type,
            subject: stamp.subject.to_owned(),
            user,
            time: stamp.time,
            id: stamp.id,
        }))
    }

    async fn load(&mut self, entries: &[&Option<Incoming>]) -> Result<DeliveryBatch, SinkUnavailable> {
        let mut batch = DeliveryBatch { next: self.next.clone(), ..DeliveryBatch::default() };
        if let Some(filter) = &self.group {
            let wanted: Vec<&Incoming> = entries
                .iter()
                .filter_map(|entry| entry.as_ref())
                .filter(|it| self.types().pass(&it.event_type))
                .collect();
            let events: Vec<_> =
                wanted.iter().map(|it| (it.subject.as_str(), it.place.partition, it.offset)).collect();
            let known = filter.of_group(&events).await;
            let known = known.map_err(|error| SinkUnavailable(Causes(&error).to_string()))?;
            let of_group = wanted.iter().zip(known).filter(|(_, is_of)| *is_of);
            batch.of_group = Some(of_group.map(|(it, _)| (it.place, it.offset)).collect());
        }
        Ok(batch)
    }

    fn fold(
        &self,
        batch: &mut DeliveryBatch,
        entry: Option<Incoming>,
        recorded: &Recorded,
    ) -> Result<(), String> {
        let recent = entry.filter(|event| !self.is_too_old(batch, event));
        if let Some(event) = &recent {
            batch.begun.insert(event.place);
        }
        let wanted = recent.filter(|event| self.wants(batch, event));
        let mut next = batch.next.clone();
        next.insert(recorded.place, recorded.next_offset());
        if let Some(event) = wanted {
            let position = FeedPosition::at(self.log, FeedKind::Users, next.values().copied().collect());
            let shown = CloudEvent::of(recorded, &position.to_string()).map_err(|error| error.to_string())?;
            let body = String::from_utf8(shown.json().to_vec()).map_err(|error| error.to_string())?;
            batch.deliveries.push(NewDelivery {
                id: DeliveryId::of(self.webhook.id, event.id),
                event_id: event.id.to_string(),
                event_type: event.event_type,
                event_time: event.time,
                user: event.user,
                place: event.place,
                offset: event.offset,
                body,
            });
        }
        batch.next = next;
        Ok(())
    }

    async fn apply(&mut self, batch: DeliveryBatch, moves: Vec<Move>) -> Result<(), ApplyError> {
        self.backlog.wait_for_room().await;
        let added = batch.deliveries.len() as u64;
        let webhook_move = |it: &Move| WebhookMove {
            place: it.place,
            from: it.from,
            to: it.to,
            has_begun: batch.begun.contains(&it.place),
        };
        let webhook_moves = moves.iter().map(webhook_move).collect();
        let enqueued = self
            .views
            .enqueue_deliveries(
                (self.webhook.id, self.webhook.version),
                &self.worker,
                batch.deliveries,
                webhook_moves,
                now(),
            )
            .await;
        match enqueued {
            Ok(true) => {
                for moved in &moves {
                    self.next.insert(moved.place, moved.to);
                }
                self.not_before.retain(|place, _| !batch.begun.contains(place));
                self.backlog.added(added);
                Ok(())
            }
            Ok(false) => {
                self.backlog.lost();
                // The webhook's task ends as soon as what is on its way was recorded, and this with it. Until then it
                // would fail again and again.
                std::future::pending().await
            }
            Err(error @ read_model::Error::Refused(_)) => {
                Err(ApplyError::Refused(Causes(&error).to_string()))
            }
            Err(error) => Err(ApplyError::Unavailable(Causes(&error).to_string())),
        }
    }

    async fn halt(&mut self, halt: &Halt) -> Result<(), SinkUnavailable> {
        self.halted.insert(halt.place, halt.offset);
        let reason = format!("offset {}: {}", halt.offset, halt.reason);
        self.views.webhook_halted(self.webhook.id, halt.place, Some(&reason)).await.map_err(unavailable)
    }

    async fn resume(&mut self, place: StreamPartition) -> Result<(), SinkUnavailable> {
        self.halted.remove(&place);
        self.views.webhook_halted(self.webhook.id, place, None).await.map_err(unavailable)
    }

    async fn confirm(
        &mut self,
        places: &[StreamPartition],
        at: OffsetDateTime,
    ) -> Result<(), SinkUnavailable> {
        // Places are confirmed together unless one is behind, and then this is not the end of the log.
        if !self.next.keys().all(|place| places.contains(place)) {
            return Ok(());
        }
        let at = Timestamp::from(at);
        self.backlog.confirmed(at);
        if self.confirmed.is_some_and(|confirmed| at < confirmed + CONFIRM_EVERY) {
            return Ok(());
        }
        self.confirmed = Some(at);
        self.views.webhook_confirmed(self.webhook.id, &self.worker, at).await.map_err(unavailable)
    }
}

impl DeliverySink {
    fn is_too_old(&self, batch: &DeliveryBatch, event: &Incoming) -> bool {
        let begin = self.not_before.get(&event.place).filter(|_| !batch.begun.contains(&event.place));
        begin.is_some_and(|(since, until)| {
            event.time < *since && until.is_none_or(|until| event.offset < until)
        })
    }

    fn wants(&self, batch: &DeliveryBatch, event: &Incoming) -> bool {
        let is_of_group =
            batch.of_group.as_ref().is_none_or(|of_group| of_group.contains(&(event.place, event.offset)));
        is_of_group && self.types().pass(&event.event_type)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an error is mapped by value")]
fn unavailable(error: read_model::Error) -> SinkUnavailable {
    SinkUnavailable(Causes(&error).to_string())
}
