//! Webhooks and their sealed secrets. How far their deliveries are is operational state.

use std::sync::LazyLock;

use domain::group::GroupRef;
use domain::id::{GroupId, WebhookId};
use domain::timestamp::Timestamp;
use domain::webhook::{ContentType, EventTypes};
use log_model::Position;

use crate::error::Error;
use crate::page::{Order, Page, Window};
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns, broken};
use crate::statement::{Sql, listed, sql};
use crate::table::{Table, column, fixed};

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    /// The id.
    pub id: WebhookId,
    /// The name. It never changes.
    pub name: String,
    /// Where it sends to.
    pub url: String,
    /// Which events it sends.
    pub types: EventTypes,
    /// The group whose users' events it sends, if not those of all.
    pub group: Option<GroupRef>,
    /// Media type of what it sends.
    pub content_type: ContentType,
    /// Whether it sends nothing for now.
    pub paused: bool,
    /// Whether it is deleted. Only [`ReadModel::webhooks_ever`] returns deleted webhooks.
    pub deleted: bool,
    /// Number of its last event.
    pub version: u64,
    /// Number of the event that created it. Greater for a webhook that took the name of a deleted one.
    pub created_version: u64,
    /// Number of the last event after which a receiver that was gone is tried again.
    pub enabled_version: u64,
    /// Number of the last event that said where to begin.
    pub begin_version: u64,
    /// The position after which it begins.
    pub begin_after: Position,
    /// The instant from which it begins, instead of a position.
    pub begin_from: Option<Timestamp>,
    /// Number of the event that the present secret came with.
    pub secret: u64,
    /// Number of the event that the secret before it came with.
    pub old_secret: Option<u64>,
    /// Until when that secret signs as well.
    pub old_secret_until: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A secret of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecretRow {
    /// The webhook.
    pub webhook: WebhookId,
    /// Number of the event that it came with.
    pub number: u64,
    /// The secret, sealed under the deployment's key.
    pub sealed: String,
}

const ORDER: Order = Order { name: "webhooks", columns: &["name", "id"], is_descending: false };

/// The table of webhooks.
pub(crate) const TABLE: Table<WebhookRow, 19> = Table {
    name: "webhooks",
    columns: [
        fixed("id", |webhook| webhook.id.into()),
        column("name", |webhook| (&webhook.name).into()),
        column("url", |webhook| (&webhook.url).into()),
        column("types", |webhook| json(&webhook.types).into()),
        column("group_id", |webhook| webhook.group.as_ref().map(|group| group.id.uuid()).into()),
        column("group_name", |webhook| webhook.group.as_ref().map(|group| group.name.as_str()).into()),
        column("content_type", |webhook| webhook.content_type.as_str().into()),
        column("paused", |webhook| webhook.paused.into()),
        column("deleted", |webhook| webhook.deleted.into()),
        column("version", |webhook| webhook.version.into()),
        column("created_version", |webhook| webhook.created_version.into()),
        column("enabled_version", |webhook| webhook.enabled_version.into()),
        column("begin_version", |webhook| webhook.begin_version.into()),
        column("begin_after", |webhook| webhook.begin_after.to_string().into()),
        column("begin_from", |webhook| webhook.begin_from.into()),
        column("secret", |webhook| webhook.secret.into()),
        column("old_secret", |webhook| webhook.old_secret.into()),
        column("old_secret_until", |webhook| webhook.old_secret_until.into()),
        column("created_at", |webhook| webhook.created_at.into()),
    ],
};

/// The table of secrets.
pub(crate) const SECRETS: Table<WebhookSecretRow, 4> = Table {
    name: "webhook_secrets",
    columns: [
        fixed("id", |secret| secret_id((secret.webhook, secret.number)).into()),
        fixed("webhook_id", |secret| secret.webhook.into()),
        fixed("number", |secret| secret.number.into()),
        column("sealed", |secret| (&secret.sealed).into()),
    ],
};

static SELECT: LazyLock<String> = LazyLock::new(|| format!("SELECT {} FROM webhooks", TABLE.selected()));

impl ReadModel {
    /// The webhook with this id.
    pub async fn webhook(&self, id: WebhookId) -> Result<Option<WebhookRow>, Error> {
        self.database.maybe_one(sql(format!("{} WHERE id = $1 AND NOT deleted", *SELECT)).bind(id)).await
    }

    /// Every webhook.
    pub async fn webhooks(&self) -> Result<Vec<WebhookRow>, Error> {
        self.database.all(sql(format!("{} WHERE NOT deleted ORDER BY name, id", *SELECT))).await
    }

    /// These webhooks, deleted ones too, in any order.
    pub async fn webhooks_ever(&self, ids: &[WebhookId]) -> Result<Vec<WebhookRow>, Error> {
        let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
        self.database.all_of(listed(&format!("{} WHERE id IN", *SELECT), &ids, "")).await
    }

    /// A page of webhooks, by name.
    pub async fn webhooks_page(&self, window: &Window) -> Result<Page<WebhookRow>, Error> {
        let mut statement = sql(format!("{} WHERE NOT deleted", *SELECT));
        ORDER.limit::<(String, uuid::Uuid)>(&mut statement, window)?;
        let rows = self.database.all(statement).await?;
        Ok(ORDER.page(window, rows, |row: &WebhookRow| (row.name.clone(), row.id.uuid())))
    }

    /// The secrets of a webhook, the newest first.
    pub async fn webhook_secrets(&self, id: WebhookId) -> Result<Vec<WebhookSecretRow>, Error> {
        let text = "SELECT webhook_id, number, sealed FROM webhook_secrets WHERE webhook_id = $1 ORDER BY number DESC";
        self.database.all(sql(text).bind(id)).await
    }
}

/// Removes secrets.
pub(crate) fn remove_secrets(secrets: &[(WebhookId, u64)]) -> Vec<Sql> {
    let ids: Vec<_> = secrets.iter().map(|secret| secret_id(*secret)).collect();
    listed("DELETE FROM webhook_secrets WHERE id IN", &ids, "")
}

fn secret_id((webhook, number): (WebhookId, u64)) -> String {
    format!("{webhook}/{number}")
}

fn json(types: &EventTypes) -> String {
    serde_json::to_string(types).expect("a list of texts is JSON")
}

impl FromColumns for WebhookRow {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let group = match (row.maybe_uuid("group_id")?, row.maybe_text("group_name")?) {
            (Some(id), Some(name)) => Some(GroupRef { id: GroupId::from_uuid(id), name }),
            _ => None,
        };
        let content_type = ContentType::parse(&row.text("content_type")?);
        Ok(Self {
            id: WebhookId::from_uuid(row.uuid("id")?),
            name: row.text("name")?,
            url: row.text("url")?,
            types: row.json("types")?,
            group,
            content_type: content_type.map_err(|_| broken("content_type", "is unknown"))?,
            paused: row.flag("paused")?,
            deleted: row.flag("deleted")?,
            version: row.number("version")?,
            created_version: row.number("created_version")?,
            enabled_version: row.number("enabled_version")?,
            begin_version: row.number("begin_version")?,
            begin_after: row
                .text("begin_after")?
                .parse()
                .map_err(|_| broken("begin_after", "is no position"))?,
            begin_from: row.maybe_time("begin_from")?,
            secret: row.number("secret")?,
            old_secret: row.maybe_number("old_secret")?,
            old_secret_until: row.maybe_time("old_secret_until")?,
            created_at: row.time("created_at")?,
        })
    }
}

impl FromColumns for WebhookSecretRow {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self {
            webhook: WebhookId::from_uuid(row.uuid("webhook_id")?),
            number: row.number("number")?,
            sealed: row.text("sealed")?,
        })
    }
}
