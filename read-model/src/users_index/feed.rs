//! Fills the index from the views, and follows them: after each of their commits it reads the users that changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, spawn_blocking};
use user_index::{IndexedUser, Merged, UserIndex};

use super::held::{Indexed, State, UsersIndex, offsets, place};
use crate::checkpoint;
use crate::database::Database;
use crate::error::Error;
use crate::progress::Progress;
use crate::row::{Columns, FromColumns};
use crate::statement::sql;
use crate::users;

/// Users that are read at a time.
const READ: usize = 4_000;
/// How long to wait before the database is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// How long to wait before a database is asked again that has not seen yet what was announced.
const BEHIND: Duration = Duration::from_millis(20);

/// The columns of the table of users that an index is made of.
const COLUMNS: &str = "users.username, users.first_name_key, users.last_name_key, users.email_key, users.phone_key, users.group_id, \
    users.group_key, users.state, users.roles, users.must_change_password, users.registered_at, users.updated_at, \
    users.log_offset";

/// Why the index can't go on from where it is.
enum Stop {
    /// The database refused, or did not answer.
    Views(Error),
    /// The views are others than the index was filled from.
    Differs,
}

/// The views are others than the index was filled from.
struct Differs;

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Views(error)
    }
}

/// Keeps the index as the views are, until it is dropped.
pub(super) async fn keep(index: UsersIndex, database: Database, progress: Progress) {
    let mut feed = Feed { index, database, progress, merging: None, is_away: false };
    loop {
        feed.fill_and_follow().await;
        feed.merging = None;
        feed.index.state.send_replace(State::Filling);
        tracing::warn!("the views are others than before; the index of users is filled anew");
    }
}

struct Feed {
    index: UsersIndex,
    database: Database,
    progress: Progress,
    merging: Option<JoinHandle<Merged>>,
    /// Whether the database does not answer.
    is_away: bool,
}

impl Feed {
    /// Returns when the views turn out to be others than the index was filled from.
    async fn fill_and_follow(&mut self) {
        let begin = Instant::now();
        let mut now = loop {
            match self.fill().await {
                Ok(filled) => break filled,
                Err(error) => self.pause(error).await,
            }
        };
        loop {
            match self.catch_up(&mut now).await {
                Ok(()) => {}
                Err(Stop::Differs) => return,
                // What was read is read again. Until then the index is behind, and lists are read from the views.
                Err(Stop::Views(error)) => {
                    self.pause(error).await;
                    continue;
                }
            }
            if std::mem::replace(&mut self.is_away, false) {
                tracing::info!("the index of users follows the views again");
            }
            if !self.index.is_ready() {
                let (users, bytes) = (now.users.len(), now.users.bytes());
                let seconds = begin.elapsed().as_secs_f64();
                tracing::info!(users, bytes, seconds, "the index of users is filled");
            }
            self.publish(&now);
            // The database that was read is behind what this process has heard of.
            if !now.covers(&offsets(&self.progress.checkpoints())) {
                tokio::time::sleep(BEHIND).await;
                continue;
            }
            if let Err(Differs) = self.wait(&mut now).await {
                return;
            }
        }
    }

    async fn pause(&mut self, error: Error) {
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the index of users can't read the views; lists are read from them meanwhile"
            );
        }
        tokio::time::sleep(PAUSE).await;
    }

    /// Reads every user. Users that change meanwhile are read again by the first catching up.
    async fn fill(&self) -> Result<Indexed, Error> {
        let offsets = offsets(&checkpoint::read(&self.database).await?);
        let mut users = UserIndex::default();
        let mut read: Vec<IndexedUser> = Vec::new();
        let mut last = String::new();
        loop {
            let text =
                format!("SELECT {COLUMNS} FROM users WHERE username > $1 ORDER BY username LIMIT {READ}");
            let rows: Vec<ChangedUser> = self.database.all(sql(text).bind(&last)).await?;
            let is_last = rows.len() < READ;
            read.extend(rows.into_iter().map(|row| row.user));
            if let Some(user) = read.last() {
                last.clone_from(&user.username);
            }
            if is_last || read.len() + READ > UserIndex::SEGMENT {
                let (before, full) = (users, std::mem::take(&mut read));
                users = blocking(move || before.with_segment(&full)).await;
            }
            if is_last {
                return Ok(Indexed { users, offsets });
            }
        }
    }

    /// Reads the users that changed, until the index is as the views were a moment ago.
    async fn catch_up(&self, now: &mut Indexed) -> Result<(), Stop> {
        for (partition, known) in offsets(&self.progress.checkpoints()) {
            let mut next = now.offsets.get(&partition).copied().unwrap_or_default();
            while next < known {
                let (users, seen) = self.changed(partition, next).await?;
                let is_all = users.len() < READ;
                let Some(last) = users.last().map(|row| row.offset) else {
                    if seen < next {
                        return Err(Stop::Differs);
                    }
                    next = seen;
                    break;
                };
                next = if is_all { seen } else { last + 1 };
                let before = now.users.clone();
                now.users = blocking(move || before.with(users.into_iter().map(|row| row.user))).await;
                if is_all {
                    break;
                }
            }
            now.offsets.insert(partition, next);
        }
        Ok(())
    }

    /// The users with an event at this offset or later, by their last events, and the offset that the views read next. Both
    /// are from one moment, because they are read by one statement.
    async fn changed(&self, partition: u32, from: u64) -> Result<(Vec<ChangedUser>, u64), Error> {
        let text = format!(
            "SELECT checkpoints.next AS seen, {COLUMNS} FROM checkpoints LEFT JOIN users \
             ON users.log_partition = $1 AND users.log_offset >= $2 WHERE checkpoints.place = $3 \
             ORDER BY users.log_offset LIMIT {READ}"
        );
        let statement = sql(text).bind(partition).bind(from).bind(place(partition).to_string());
        let rows: Vec<Seen> = self.database.all(statement).await?;
        let seen = rows.first().map_or(0, |row| row.seen);
        Ok((rows.into_iter().filter_map(|row| row.user).collect(), seen))
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floating-point numbers")]
    fn publish(&self, now: &Indexed) {
        metrics::gauge!("muster_users_index_users").set(now.users.len() as f64);
        metrics::gauge!("muster_users_index_bytes").set(now.users.bytes() as f64);
        let now = Indexed { users: now.users.clone(), offsets: now.offsets.clone() };
        self.index.state.send_replace(State::Ready(Arc::new(now)));
    }

    /// Waits until the views have moved, or a merge has ended.
    async fn wait(&mut self, now: &mut Indexed) -> Result<(), Differs> {
        if self.merging.is_none() {
            self.merging = now.users.merge().map(|merge| spawn_blocking(|| merge.run()));
        }
        let mut known = self.progress.watch();
        let moved = known.wait_for(|known| {
            let known: Vec<_> = known.values().cloned().collect();
            !now.covers(&offsets(&known))
        });
        let merged = async {
            match &mut self.merging {
                Some(merging) => merging.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // It fails only without a sender, which the feed holds.
            _moved = moved => {}
            merged = merged => {
                self.merging = None;
                // A merge that panicked has made nothing; the segments stay as they are.
                if let Ok(merged) = merged {
                    now.users = now.users.merged(merged);
                }
            }
            () = self.index.differs.notified() => return Err(Differs),
        }
        Ok(())
    }
}

/// Work of some milliseconds or more, beside what is asynchronous.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// A user and the offset of the last event.
struct ChangedUser {
    user: IndexedUser,
    offset: u64,
}

/// A changed user, if any, beside how far the views are.
struct Seen {
    seen: u64,
    user: Option<ChangedUser>,
}

impl FromColumns for ChangedUser {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let group_key = row.text("group_key")?;
        let user = IndexedUser {
            username: row.text("username")?,
            first_name: row.text("first_name_key")?,
            last_name: row.text("last_name_key")?,
            email: row.text("email_key")?,
            phone: row.text("phone_key")?,
            group: row.maybe_group_id("group_id")?.map(|id| (id, group_key)),
            state: users::status(row, "state")?,
            roles: users::roles(row, "roles")?,
            must_change_password: row.flag("must_change_password")?,
            registered_at: row.time("registered_at")?,
            updated_at: row.time("updated_at")?,
        };
        Ok(Self { user, offset: row.number("log_offset")? })
    }
}

impl FromColumns for Seen {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let has_user = row.maybe_text("username")?.is_some();
        let user = has_user.then(|| ChangedUser::from_columns(row)).transpose()?;
        Ok(Self { seen: row.number("seen")?, user })
    }
}
