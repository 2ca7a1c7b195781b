//! Lookups of one request gathered into few: a list of users asks for its groups once.

use std::collections::HashMap;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::runtime::{TokioSpawner, TokioTimer};
use domain::id::{GroupId, MailboxId};
use read_model::ReadModel;

use super::agent::Mailbox;
use super::group::Group;
use crate::error::api::Fault;
use crate::gateway::asked;

/// Everything that is looked up by id from within lists.
pub(crate) struct Loaders {
    groups: DataLoader<Views>,
    mailboxes: DataLoader<Views>,
}

struct Views(ReadModel);

impl Loaders {
    /// Loaders that remember nothing: each gathers only what is asked at the same time.
    pub(crate) fn new(views: &ReadModel) -> Self {
        let loader = || DataLoader::new(Views(views.clone()), TokioSpawner::current(), TokioTimer::default());
        Self { groups: loader(), mailboxes: loader() }
    }

    pub(crate) async fn group(&self, id: GroupId) -> Result<Option<Group>, Fault> {
        self.groups.load_one(id).await
    }

    pub(crate) async fn mailbox(&self, id: MailboxId) -> Result<Option<Mailbox>, Fault> {
        self.mailboxes.load_one(id).await
    }
}

impl Loader<GroupId> for Views {
    type Value = Group;
    type Error = Fault;

    async fn load(&self, ids: &[GroupId]) -> Result<HashMap<GroupId, Group>, Fault> {
        let rows = self.0.groups_by_ids(ids).await.map_err(asked)?;
        Ok(rows.into_iter().map(|row| (row.id, Group::from(row))).collect())
    }
}

impl Loader<MailboxId> for Views {
    type Value = Mailbox;
    type Error = Fault;

    async fn load(&self, ids: &[MailboxId]) -> Result<HashMap<MailboxId, Mailbox>, Fault> {
        let rows = self.0.mailboxes_by_ids(ids).await.map_err(asked)?;
        Ok(rows.into_iter().map(|row| (row.id, Mailbox::from(row))).collect())
    }
}
