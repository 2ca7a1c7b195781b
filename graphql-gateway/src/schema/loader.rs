//! Batches the lookups of one request: a list of users loads its groups with one query.

use std::collections::HashMap;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::runtime::{TokioSpawner, TokioTimer};
use domain::id::{GroupId, MailboxId, UserId};
use read_model::ReadModel;
use read_model::groups::GroupRow;
use read_model::mailboxes::MailboxRow;
use read_model::users::UserRow;

use crate::error::ApiError;

/// What the rows of lists look up by id.
pub(crate) struct Loaders {
    groups: DataLoader<Views>,
    mailboxes: DataLoader<Views>,
    users: DataLoader<Views>,
}

struct Views(ReadModel);

impl Loaders {
    /// Loaders without a cache: each only batches what is asked at the same time.
    pub(crate) fn new(views: &ReadModel) -> Self {
        let loader = || DataLoader::new(Views(views.clone()), TokioSpawner::current(), TokioTimer::default());
        Self { groups: loader(), mailboxes: loader(), users: loader() }
    }

    pub(crate) async fn group(&self, id: GroupId) -> Result<Option<GroupRow>, ApiError> {
        self.groups.load_one(id).await
    }

    pub(crate) async fn mailbox(&self, id: MailboxId) -> Result<Option<MailboxRow>, ApiError> {
        self.mailboxes.load_one(id).await
    }

    pub(crate) async fn user(&self, id: UserId) -> Result<Option<UserRow>, ApiError> {
        self.users.load_one(id).await
    }
}

impl Loader<GroupId> for Views {
    type Value = GroupRow;
    type Error = ApiError;

    async fn load(&self, ids: &[GroupId]) -> Result<HashMap<GroupId, GroupRow>, ApiError> {
        let rows = self.0.groups_by_ids(ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<MailboxId> for Views {
    type Value = MailboxRow;
    type Error = ApiError;

    async fn load(&self, ids: &[MailboxId]) -> Result<HashMap<MailboxId, MailboxRow>, ApiError> {
        let rows = self.0.mailboxes_by_ids(ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Loader<UserId> for Views {
    type Value = UserRow;
    type Error = ApiError;

    async fn load(&self, ids: &[UserId]) -> Result<HashMap<UserId, UserRow>, ApiError> {
        let rows = self.0.users_by_ids(ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}
