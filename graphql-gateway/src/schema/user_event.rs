//! Events of users as subscribers get them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{ComplexObject, Context, ID, SimpleObject};
use domain::id::EntryId;
use domain::timestamp::Timestamp;
use event_feed::{CloudEvent, FeedError, FeedKind, FeedReader, Portion, Selection, StartAt};
use futures_util::stream::{BoxStream, try_unfold};
use log_model::{Position as LogPosition, Stream, StreamPartition};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::audit::AuditEntry;
use super::context::gateway;
use super::scalar::{DateTime, JsonData, Position, int};
use super::until_ended::until_ended;
use crate::clock::now;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::readers::{OpenStream, ReaderRights};

/// After how many events that were passed over the position is told, and after how long.
const PASSED_OVER: usize = 1_000;
const TOLD_EVERY: Duration = Duration::from_secs(4);
/// How long an entry of the audit log is waited for.
const VISIBLE: Duration = Duration::from_secs(5);

/// Something that happened to a user.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct UserEvent {
    /// The id of the record in the log; empty where the type is `muster.position`.
    id: ID,
    /// The event, such as `muster.user.approved`, or `muster.position`, which says where the subscriber stands.
    #[graphql(name = "type")]
    event_type: String,
    /// When.
    time: DateTime,
    /// To whom; empty where the type is `muster.position`.
    user_id: ID,
    /// The number of the event among those of the user, from 1 without gaps; 0 where the type is `muster.position`.
    sequence: i32,
    /// Where to go on after this event.
    position: Position,
    /// The data of the event, as its JSON Schema describes it.
    data: JsonData,
    /// The stream partition and the offset of the record.
    #[graphql(skip)]
    at: Option<(StreamPartition, u64)>,
}

#[ComplexObject]
impl UserEvent {
    /// The entry of the audit log about it, with the changes field by field; null while the views don't show it.
    async fn entry(&self, ctx: &Context<'_>) -> Option<Result<AuditEntry, ApiError>> {
        let (place, offset) = self.at?;
        let id = self.id.parse().ok()?;
        let views = &gateway(ctx).views;
        let covered = LogPosition::at(place, offset);
        views.progress().wait(&covered, Instant::now() + VISIBLE).await.ok()?;
        let entry = views.audit_entry(EntryId::from_uuid(id)).await;
        entry.map(|row| row.map(AuditEntry::from)).map_err(ApiError::from).transpose()
    }
}

/// What is read of the event's JSON.
#[derive(Deserialize)]
struct EventJson {
    id: String,
    time: Timestamp,
    sequence: String,
    data: Value,
}

impl UserEvent {
    fn of(event: &CloudEvent) -> Result<Self, ApiError> {
        let json: EventJson = serde_json::from_slice(&event.json()).map_err(|error| {
            tracing::error!(%error, event.position = event.position(), "An event can't be read.");
            ApiError::Internal
        })?;
        let place = StreamPartition::new(Stream::UserEvents, event.partition);
        Ok(Self {
            id: json.id.into(),
            event_type: event.event_type.clone(),
            time: json.time.into(),
            user_id: event.subject.as_str().into(),
            sequence: int(json.sequence.parse().unwrap_or_default()),
            position: event.position().into(),
            data: JsonData(json.data),
            at: Some((place, event.offset)),
        })
    }

    /// The message that says where a subscriber stands.
    fn standing_at(position: &str) -> Self {
        Self {
            id: "".into(),
            event_type: "muster.position".to_owned(),
            time: now().into(),
            user_id: "".into(),
            sequence: 0,
            position: position.into(),
            data: JsonData(json!({})),
            at: None,
        }
    }
}

/// The events that a subscriber wants, from where it begins.
pub(super) async fn stream(
    gateway: &Gateway,
    start: StartAt,
    selection: Selection,
    rights: ReaderRights,
) -> Result<BoxStream<'static, Result<UserEvent, ApiError>>, ApiError> {
    let open = gateway
        .readers
        .admit(FeedKind::Users, "graphql")
        .ok_or(ApiError::Unavailable { retry_after_ms: 5_000 })?;
    let is_told = start == StartAt::Now;
    let reader = gateway.readers.feeds.open(FeedKind::Users, start, selection).await.map_err(api_error)?;
    let mut waiting = VecDeque::new();
    if is_told {
        waiting.push_back(UserEvent::standing_at(&reader.position()));
    }
    let told = (Instant::now(), reader.position());
    let subscriber = Subscriber { reader, open, waiting, told, passed_over: 0 };
    let messages =
        try_unfold(subscriber, async |mut subscriber| Ok(Some((subscriber.next().await?, subscriber))));
    Ok(until_ended(messages, rights))
}

/// What a subscriber hears of a feed that can't be read.
pub(super) fn api_error(error: FeedError) -> ApiError {
    match error {
        FeedError::Gone => {
            ApiError::BadRequest("The position is of another log, or lies beyond the end of this one.")
        }
        FeedError::OtherFeed => ApiError::BadRequest("The position is of another feed."),
        FeedError::Unavailable(reason) => {
            tracing::warn!(reason, "A feed can't be read.");
            ApiError::UNAVAILABLE
        }
        FeedError::NotShown(damaged) => {
            tracing::error!(error = %damaged, "A feed meets a record that can't be shown.");
            ApiError::Unavailable { retry_after_ms: 60_000 }
        }
    }
}

struct Subscriber {
    reader: FeedReader,
    open: OpenStream,
    waiting: VecDeque<UserEvent>,
    /// When a position was told last, and which.
    told: (Instant, Arc<str>),
    passed_over: usize,
}

impl Subscriber {
    /// The next message.
    async fn next(&mut self) -> Result<UserEvent, ApiError> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.told.0 = Instant::now();
                return Ok(event);
            }
            let is_elsewhere = *self.told.1 != *self.reader.position();
            tokio::select! {
                portion = self.reader.next_patiently() => self.take(&portion.map_err(api_error)?)?,
                () = sleep_until(self.told.0 + TOLD_EVERY), if is_elsewhere => self.tell(),
            }
        }
    }

    fn take(&mut self, portion: &Portion) -> Result<(), ApiError> {
        for event in &portion.events {
            self.waiting.push_back(UserEvent::of(event)?);
        }
        if let Some(last) = portion.events.last() {
            self.open.delivered(portion.events.len());
            self.told.1 = last.position().into();
            self.passed_over = 0;
        }
        self.passed_over += portion.passed_over;
        if self.passed_over >= PASSED_OVER {
            self.tell();
        }
        Ok(())
    }

    fn tell(&mut self) {
        let position = self.reader.position();
        self.waiting.push_back(UserEvent::standing_at(&position));
        self.told.1 = position;
        self.passed_over = 0;
    }
}
