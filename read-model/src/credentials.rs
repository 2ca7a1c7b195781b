//! Credentials: a keyed copy of their topic, and the user behind each. Only gateways read them
//! (`docs/adr/0005-secrets-stay-at-the-gateway.md`).

use domain::actor::Roles;
use domain::credential::{Credential, CredentialId};
use domain::group::GroupRef;
use domain::id::{TokenId, UserId};
use domain::user::UserStatus;
use uuid::Uuid;

use crate::error::Error;
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns};
use crate::search::folded;
use crate::statement::{Sql, listed, sql};
use crate::table::{Table, column, fixed};
use crate::users::{roles, status};

/// What every request has to know of its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Which user.
    pub id: UserId,
    /// The username.
    pub username: String,
    /// The status. A user who is not active gets no access, whatever the credential says.
    pub state: UserStatus,
    /// The roles.
    pub roles: Roles,
    /// The group.
    pub group: Option<GroupRef>,
    /// Number of the user's last event.
    pub version: u64,
    /// The partition of the user's events. Its checkpoints say whether the row is up to date.
    pub partition: u32,
}

/// The columns that a [`Holder`] is read from.
pub(crate) const HOLDER: &str = "users.id AS holder_id, users.username, users.state, users.roles, users.group_id, \
    users.group_name, users.version AS holder_version, users.log_partition";

impl ReadModel {
    /// The password of a user.
    pub async fn password(&self, user: UserId) -> Result<Option<Credential>, Error> {
        let statement = sql("SELECT credential FROM credentials WHERE id = $1").bind(user);
        let found: Option<Stored> = self.database.maybe_one(statement).await?;
        Ok(found.map(|stored| stored.0))
    }

    /// The user with this name in any case, and the password if there is one.
    pub async fn holder_by_name(
        &self,
        username: &str,
    ) -> Result<Option<(Holder, Option<Credential>)>, Error> {
        let text = format!(
            "SELECT {HOLDER}, credentials.credential FROM users \
             LEFT JOIN credentials ON credentials.id = users.id WHERE users.username = $1"
        );
        let found: Option<Held> = self.database.maybe_one(sql(text).bind(folded(username))).await?;
        Ok(found.map(|held| (held.holder, held.credential)))
    }

    /// The credential of a token and the user behind it.
    pub async fn holder_by_token(&self, token: TokenId) -> Result<Option<(Holder, Credential)>, Error> {
        let text = format!(
            "SELECT {HOLDER}, credentials.credential FROM credentials \
             JOIN users ON users.id = credentials.user_id WHERE credentials.id = $1 AND credentials.is_token"
        );
        let found: Option<Held> = self.database.maybe_one(sql(text).bind(token)).await?;
        Ok(found.and_then(|held| Some((held.holder, held.credential?))))
    }
}

struct Stored(Credential);

impl FromColumns for Stored {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        row.json("credential").map(Self)
    }
}

struct Held {
    holder: Holder,
    credential: Option<Credential>,
}

impl FromColumns for Held {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let credential =
            if row.maybe_text("credential")?.is_some() { Some(row.json("credential")?) } else { None };
        Ok(Self { holder: Holder::from_columns(row)?, credential })
    }
}

impl FromColumns for Holder {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let group = match (row.maybe_group_id("group_id")?, row.maybe_text("group_name")?) {
            (Some(id), Some(name)) => Some(GroupRef { id, name }),
            _ => None,
        };
        Ok(Self {
            id: row.user_id("holder_id")?,
            username: row.text("username")?,
            state: status(row, "state")?,
            roles: roles(row, "roles")?,
            group,
            version: row.number("holder_version")?,
            partition: row.number("log_partition")?,
        })
    }
}

/// The id of a credential's row (the token's id, or the user's for a password) and the user.
///
/// The secrets of webhooks have a table of their own, to which the projection sends them.
fn row_id(id: CredentialId) -> (Uuid, UserId) {
    match id {
        CredentialId::Password(user) => (user.uuid(), user),
        CredentialId::Token(user, token) => (token.uuid(), user),
        CredentialId::WebhookSecret(..) => unreachable!("a webhook's secret is no credential of a user"),
    }
}

/// The table of credentials.
pub(crate) const TABLE: Table<(CredentialId, Credential), 5> = Table {
    name: "credentials",
    columns: [
        fixed("id", |(id, _)| row_id(*id).0.into()),
        fixed("user_id", |(id, _)| row_id(*id).1.into()),
        fixed("is_token", |(id, _)| matches!(id, CredentialId::Token(..)).into()),
        column("version", |(_, credential)| credential.version.into()),
        column("credential", |(_, credential)| {
            serde_json::to_string(credential).expect("a credential is plain fields").into()
        }),
    ],
};

/// Removes credentials.
pub(crate) fn remove(credentials: &[CredentialId]) -> Vec<Sql> {
    let ids: Vec<_> = credentials.iter().map(|id| row_id(*id).0).collect();
    listed("DELETE FROM credentials WHERE id IN", &ids, "")
}
