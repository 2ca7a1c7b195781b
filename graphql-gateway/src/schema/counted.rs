//! How long the whole of a list is, counted only where a caller asks.

use domain::id::{UserId, WebhookId};
use domain::timestamp::Timestamp;
use read_model::audit_page::AuditFilter;
use read_model::user_spans::PastUserFilter;
use read_model::users_page::UserFilter;
use read_model::webhook_deliveries::DeliveryState;
use read_model::{Count, ReadModel};

use crate::error::ApiError;

/// The whole of a list, of which a connection shows a part.
#[derive(Debug, Clone)]
pub(crate) enum WholeList {
    /// A list whose length is known.
    Counted(u64),
    /// The users that pass a filter.
    Users(UserFilter),
    /// The users of an instant that pass a filter.
    UsersAsOf(Timestamp, PastUserFilter),
    /// The groups that a search finds.
    Groups(Option<String>),
    /// The rules of a user's file agent.
    Rules(UserId),
    /// A user's mailboxes.
    Mailboxes(UserId),
    /// A user's auth tokens.
    Tokens(UserId),
    /// The entries of the audit log that pass a filter.
    Entries(AuditFilter),
    /// All webhooks.
    Webhooks,
    /// The deliveries of a webhook in some states; in every state if none is named.
    Deliveries(WebhookId, &'static [DeliveryState]),
}

impl WholeList {
    /// Counts its rows: by kept numbers where there are some, else up to a limit.
    pub(super) async fn count(&self, views: &ReadModel) -> Result<Count, ApiError> {
        Ok(match self {
            Self::Counted(n) => Count { n: *n, capped: false },
            Self::Users(filter) => views.users_count(filter).await?,
            Self::UsersAsOf(at, filter) => views.users_as_of_count(*at, filter).await?,
            Self::Groups(search) => Count { n: views.groups_count(search.as_deref()).await?, capped: false },
            Self::Rules(user) => views.rules_count(*user).await?,
            Self::Mailboxes(user) => views.mailboxes_count(*user).await?,
            Self::Tokens(user) => views.tokens_count(*user).await?,
            Self::Entries(filter) => views.audit_count(filter).await?,
            Self::Webhooks => Count { n: views.webhooks().await?.len() as u64, capped: false },
            Self::Deliveries(webhook, states) => views.deliveries_count(*webhook, states).await?,
        })
    }
}
