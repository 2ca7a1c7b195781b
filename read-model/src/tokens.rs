//! Auth tokens as their users see them, with the last use of each.

use std::sync::LazyLock;
use std::time::Duration;

use domain::credential::Scope;
use domain::id::{TokenId, UserId};
use domain::timestamp::Timestamp;

use crate::error::Error;
use crate::page::{Count, Order, Page, Window};
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns, broken};
use crate::statement::{Sql, listed, sql};
use crate::table::{Table, column, fixed};

/// Shortest time between two recorded uses of a token.
const USE_WRITTEN_EVERY: Duration = Duration::from_mins(1);

/// An auth token. Its digest is among the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The id.
    pub id: TokenId,
    /// The user.
    pub user_id: UserId,
    /// The name.
    pub name: String,
    /// The services it gives access to.
    pub scopes: Vec<Scope>,
    /// The networks it is accepted from, as CIDR; empty means everywhere.
    pub allowed_networks: Vec<String>,
    /// The number of the event that issued it. It orders the tokens of a user, because clocks may go back.
    pub version: u64,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it expires, if ever.
    pub expires_at: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// The last recorded use. Operational state: writing a token does not change it.
    pub last_use: Option<TokenUse>,
}

/// A use of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUse {
    /// The time.
    pub at: Timestamp,
    /// The address of the client.
    pub address: Option<String>,
    /// The service that was used.
    pub service: Option<Scope>,
}

const ORDER: Order = Order {
    name: "tokens/version",
    columns: &["auth_tokens.version", "auth_tokens.id"],
    is_descending: true,
};

/// The table of tokens.
pub(crate) const TABLE: Table<TokenRow, 9> = Table {
    name: "auth_tokens",
    columns: [
        fixed("id", |token| token.id.into()),
        fixed("user_id", |token| token.user_id.into()),
        fixed("name", |token| (&token.name).into()),
        fixed("scopes", |token| json(&token.scopes).into()),
        fixed("allowed_networks", |token| json(&token.allowed_networks).into()),
        fixed("version", |token| token.version.into()),
        fixed("created_at", |token| token.created_at.into()),
        fixed("expires_at", |token| token.expires_at.into()),
        column("revoked", |token| token.revoked.into()),
    ],
};

fn json(list: &impl serde::Serialize) -> String {
    serde_json::to_string(list).expect("lists of texts are JSON")
}

static SELECT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {}, token_uses.used_at, token_uses.address, token_uses.service FROM auth_tokens \
         LEFT JOIN operational.token_uses ON token_uses.token_id = auth_tokens.id",
        TABLE.selected()
    )
});

impl ReadModel {
    /// The token with this id.
    pub async fn token(&self, id: TokenId) -> Result<Option<TokenRow>, Error> {
        self.database.maybe_one(sql(format!("{} WHERE auth_tokens.id = $1", *SELECT)).bind(id)).await
    }

    /// A page of a user's tokens, the newest first, revoked ones too.
    pub async fn tokens_page(&self, user: UserId, window: &Window) -> Result<Page<TokenRow>, Error> {
        let mut statement = sql(format!("{} WHERE auth_tokens.user_id = $1", *SELECT)).bind(user);
        ORDER.limit::<(i64, uuid::Uuid)>(&mut statement, window)?;
        let rows = self.database.all(statement).await?;
        let version = |token: &TokenRow| i64::try_from(token.version).unwrap_or(i64::MAX);
        Ok(ORDER.page(window, rows, |token: &TokenRow| (version(token), token.id.uuid())))
    }

    /// Records a use of a token, unless the last recorded one is less than a minute older.
    pub async fn token_used(&self, id: TokenId, last_use: &TokenUse) -> Result<(), Error> {
        let statement = sql("INSERT INTO operational.token_uses (token_id, used_at, address, service) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (token_id) DO UPDATE SET used_at = excluded.used_at, address = excluded.address, \
             service = excluded.service WHERE token_uses.used_at <= $5")
        .bind(id)
        .bind(last_use.at)
        .bind(&last_use.address)
        .bind(last_use.service.map(Scope::name))
        .bind(last_use.at - USE_WRITTEN_EVERY);
        self.database.execute(statement).await.map(drop)
    }

    /// How many tokens, revoked ones too a user has, counted up to 10,000.
    pub async fn tokens_count(&self, user: UserId) -> Result<Count, Error> {
        self.count_of_user("auth_tokens", user).await
    }
}

impl FromColumns for TokenRow {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let scope = |name: &str| Scope::from_name(name).ok_or_else(|| broken("scope", "is unknown"));
        let last_use = match row.maybe_time("used_at")? {
            Some(at) => Some(TokenUse {
                at,
                address: row.maybe_text("address")?,
                service: row.maybe_text("service")?.as_deref().map(scope).transpose()?,
            }),
            None => None,
        };
        Ok(Self {
            id: TokenId::from_uuid(row.uuid("id")?),
            user_id: row.user_id("user_id")?,
            name: row.text("name")?,
            scopes: row.json("scopes")?,
            allowed_networks: row.json("allowed_networks")?,
            version: row.number("version")?,
            created_at: row.time("created_at")?,
            expires_at: row.maybe_time("expires_at")?,
            revoked: row.flag("revoked")?,
            last_use,
        })
    }
}

/// Marks tokens as revoked.
pub(crate) fn revoke(tokens: &[TokenId]) -> Vec<Sql> {
    listed("UPDATE auth_tokens SET revoked = true WHERE id IN", tokens, "")
}
