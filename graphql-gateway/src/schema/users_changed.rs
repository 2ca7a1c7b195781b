//! Which rows of a list of users may have changed, told a few at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use async_graphql::{ID, SimpleObject};
use event_feed::{FeedKind, FeedReader, Portion, Selection, StartAt};
use futures_util::stream::{BoxStream, try_unfold};
use log_model::{Position as LogPosition, Stream, StreamPartition};
use read_model::ReadModel;
use read_model::users_page::UserFilter;
use tokio::time::{Instant, sleep_until};

use super::scalar::{Position, int};
use super::until_ended::until_ended;
use super::user_event::api_error;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::readers::{OpenStream, ReaderRights};

/// The least time between two messages.
const COALESCE: Duration = Duration::from_millis(500);
/// Most users of one message.
const USERS: usize = 100;
/// How long the views are waited for, so that whoever asks them after a message sees the change.
const VISIBLE: Duration = Duration::from_secs(5);

/// Users of a list that may have changed, entered it or left it.
#[derive(Debug, SimpleObject)]
pub(crate) struct UsersChanged {
    /// Which users, up to 100. It may name users who are not in the list, since one who has left it is not any more.
    user_ids: Vec<ID>,
    /// Whether there are more than those named.
    truncated: bool,
    /// How many users the list has now; counting stops at 10,000.
    total_count: i32,
    /// Up to where in the log the message speaks.
    position: Position,
}

/// The messages about a list. `filter` is `None` if no user can be in it.
pub(super) async fn stream(
    gateway: &Gateway,
    filter: Option<UserFilter>,
    rights: ReaderRights,
) -> Result<BoxStream<'static, Result<UsersChanged, ApiError>>, ApiError> {
    let open = gateway
        .readers
        .admit(FeedKind::Users, "grid")
        .ok_or(ApiError::Unavailable { retry_after_ms: 5_000 })?;
    let opening = gateway.readers.feeds.open(FeedKind::Users, StartAt::Now, Selection::default());
    let reader = opening.await.map_err(api_error)?;
    let watcher = Watcher {
        reader,
        open,
        views: gateway.views.clone(),
        filter,
        changed: ChangedUsers::default(),
        told: None,
    };
    let messages = try_unfold(watcher, async |mut watcher| Ok(Some((watcher.next().await?, watcher))));
    Ok(until_ended(messages, rights))
}

/// What is not told yet.
#[derive(Default)]
struct ChangedUsers {
    users: BTreeSet<String>,
    truncated: bool,
    /// The records that changed them.
    seen: LogPosition,
}

struct Watcher {
    reader: FeedReader,
    open: OpenStream,
    views: ReadModel,
    filter: Option<UserFilter>,
    changed: ChangedUsers,
    /// When the last message was told; `None` before the first.
    told: Option<Instant>,
}

impl Watcher {
    /// The next message.
    async fn next(&mut self) -> Result<UsersChanged, ApiError> {
        while let Some(told) = self.told {
            let is_due = !self.changed.users.is_empty();
            tokio::select! {
                () = sleep_until(told + COALESCE), if is_due => break,
                portion = self.reader.next_patiently() => self.take(&portion.map_err(api_error)?),
            }
        }
        self.tell().await
    }

    fn take(&mut self, portion: &Portion) {
        if self.filter.is_none() {
            return;
        }
        self.open.delivered(portion.events.len());
        for event in &portion.events {
            let place = StreamPartition::new(Stream::UserEvents, event.partition);
            self.changed.seen.cover(place, event.offset);
            if self.changed.users.len() < USERS {
                self.changed.users.insert(event.subject.clone());
            } else if !self.changed.users.contains(&event.subject) {
                self.changed.truncated = true;
            }
        }
    }

    async fn tell(&mut self) -> Result<UsersChanged, ApiError> {
        let ChangedUsers { users, truncated, seen } = std::mem::take(&mut self.changed);
        // Views that stand still are told of all the same: whoever asks them then sees that.
        let _late = self.views.progress().wait(&seen, Instant::now() + VISIBLE).await;
        let total_count = match &self.filter {
            Some(filter) => int(self.views.users_count(filter).await?.n),
            None => 0,
        };
        self.told = Some(Instant::now());
        let user_ids = users.into_iter().map(ID).collect();
        Ok(UsersChanged { user_ids, truncated, total_count, position: (&*self.reader.position()).into() })
    }
}
