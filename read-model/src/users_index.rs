//! The index of users in memory, kept as the views are.

mod feed;
mod held;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::database::Database;
use crate::progress::Progress;
use held::State;

pub(crate) use held::{Indexed, Offsets, UsersIndex};

/// The task that fills the index and follows the views. It ends when this is dropped.
pub(crate) struct FeedTask(AbortHandle, watch::Sender<State>);

impl Drop for FeedTask {
    fn drop(&mut self) {
        self.0.abort();
        self.1.send_replace(State::Off);
    }
}

impl UsersIndex {
    /// Fills the index and keeps it as the views are, in the background. `None` if that is going on already.
    pub(crate) fn start(&self, database: &Database, progress: &Progress) -> Option<FeedTask> {
        let is_new = self.state.send_if_modified(|state| {
            let is_off = matches!(state, State::Off);
            if is_off {
                *state = State::Filling;
            }
            is_off
        });
        let feeding = || tokio::spawn(feed::keep(self.clone(), database.clone(), progress.clone()));
        is_new.then(|| FeedTask(feeding().abort_handle(), self.state.clone()))
    }
}
