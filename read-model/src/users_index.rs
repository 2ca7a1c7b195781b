//! The index of users in memory, kept as the views are.

mod feed;
pub(crate) mod held;

use std::sync::Arc;

use crate::reader::ReadModel;
use held::{FeedTask, State};

impl ReadModel {
    /// Keeps an index of all users in memory from now on, until the last clone of what is returned is dropped. Every reader
    /// that was cloned from the same one answers lists of users from it, as soon as it is filled; until then, and whenever
    /// it falls behind, they are read from the views.
    #[must_use]
    pub fn index_users(mut self) -> Self {
        let is_new = self.users_index.state.send_if_modified(|state| {
            let is_off = matches!(state, State::Off);
            if is_off {
                *state = State::Filling;
            }
            is_off
        });
        if !is_new {
            return self;
        }
        let feeding = feed::keep(self.users_index.clone(), self.database.clone(), self.progress.clone());
        let task = FeedTask(tokio::spawn(feeding).abort_handle(), self.users_index.state.clone());
        self.feed = Some(Arc::new(task));
        self
    }

    /// Waits until the index of users is filled.
    pub async fn users_indexed(&self) {
        self.users_index.filled().await;
    }
}
