//! What readers and the feed of the index share: the index, the position that it covers, and whether it may answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use log_model::{Stream, StreamPartition};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use user_index::UserIndex;

use crate::checkpoint::Checkpoint;
use crate::progress::Progress;

/// How long a list waits until the index covers what the views do. It is a commit behind them, a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(250);

/// For each partition of the users' events the offset to read next.
pub(crate) type Offsets = BTreeMap<u32, u64>;

/// The index of one process. Clones share it.
#[derive(Clone)]
pub(crate) struct UsersIndex {
    pub(super) state: watch::Sender<State>,
    /// Told when the index was found to differ from the views.
    pub(super) differs: Arc<Notify>,
}

/// Whether there is an index.
#[derive(Debug, Clone, Default)]
pub(super) enum State {
    /// Nobody asked for one.
    #[default]
    Off,
    /// It is being filled.
    Filling,
    /// It holds every user.
    Ready(Arc<Indexed>),
}

/// All users, as the views had them at a position.
#[derive(Debug)]
pub(crate) struct Indexed {
    pub(crate) users: UserIndex,
    pub(crate) offsets: Offsets,
}

/// The task that fills the index and follows the views. It ends when this is dropped.
pub(crate) struct FeedTask(pub(super) AbortHandle, pub(super) watch::Sender<State>);

impl Drop for FeedTask {
    fn drop(&mut self) {
        self.0.abort();
        self.1.send_replace(State::Off);
    }
}

impl UsersIndex {
    pub(crate) fn off() -> Self {
        Self { state: watch::Sender::new(State::Off), differs: Arc::new(Notify::new()) }
    }

    /// The index, once it covers what this process knows to be in the views. `None` if there is none, or if it falls behind.
    pub(crate) async fn covering(&self, progress: &Progress) -> Option<Arc<Indexed>> {
        self.covering_offsets(&offsets(&progress.checkpoints())).await
    }

    /// The index, once it covers these offsets.
    pub(crate) async fn covering_offsets(&self, needed: &Offsets) -> Option<Arc<Indexed>> {
        let mut state = self.state.subscribe();
        let is_decided = |state: &State| match state {
            State::Off | State::Filling => true,
            State::Ready(indexed) => indexed.covers(needed),
        };
        let decided = tokio::time::timeout(PATIENCE, state.wait_for(is_decided)).await;
        match &*decided.ok()?.ok()? {
            State::Ready(indexed) => Some(indexed.clone()),
            State::Off | State::Filling => None,
        }
    }

    /// Waits until the index holds every user.
    pub(crate) async fn filled(&self) {
        // It fails only without a sender, which `self` is.
        let _ = self.state.subscribe().wait_for(|state| matches!(state, State::Ready(_))).await;
    }

    /// Whether the index holds every user by now.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(*self.state.borrow(), State::Ready(_))
    }

    /// Whether there is no index, and none is being filled.
    pub(crate) fn is_off(&self) -> bool {
        matches!(*self.state.borrow(), State::Off)
    }

    /// Discards the index, because the views turned out to be others than it was filled from.
    pub(crate) fn discard(&self) {
        self.differs.notify_one();
    }
}

impl Indexed {
    pub(super) fn covers(&self, needed: &Offsets) -> bool {
        needed
            .iter()
            .all(|(partition, next)| self.offsets.get(partition).is_some_and(|covered| covered >= next))
    }

    /// Whether the user's last event is in the index.
    pub(crate) fn has_seen(&self, partition: u32, offset: u64) -> bool {
        self.offsets.get(&partition).is_some_and(|next| offset < *next)
    }
}

/// The users' events among checkpoints.
pub(super) fn offsets(checkpoints: &[Checkpoint]) -> Offsets {
    let of_users = checkpoints.iter().filter(|checkpoint| checkpoint.place.stream == Stream::UserEvents);
    of_users.map(|checkpoint| (checkpoint.place.partition, checkpoint.next)).collect()
}

/// The place of a partition of the users' events.
pub(super) fn place(partition: u32) -> StreamPartition {
    StreamPartition::new(Stream::UserEvents, partition)
}
