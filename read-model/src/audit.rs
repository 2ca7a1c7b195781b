//! The audit log: one entry for each event and each access record.

use std::sync::LazyLock;

use domain::actor::{Client, Role};
use domain::id::{DeliveryId, EntryId, GroupId, MailboxId, RuleId, TokenId, UserId, WebhookId};
use domain::timestamp::Timestamp;
use log_model::{Position, Stream, StreamPartition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns, broken};
use crate::statement::sql;
use crate::table::{Table, fixed};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The id of the record.
    pub id: EntryId,
    /// The time of the record.
    pub time: Timestamp,
    /// What entries are ordered by: the time, or that of an earlier record of the same stream partition if it is later.
    /// Clocks may go back.
    pub ordered_at: Timestamp,
    /// The user who acted; `None` for anonymous and system.
    pub actor_id: Option<UserId>,
    /// Their name at that time, or `anonymous` or `system`.
    pub actor_name: String,
    /// Their strongest role at that time.
    pub actor_role: Option<Role>,
    /// The event's wire name, or the name of the command that was denied or refused.
    pub action: String,
    /// What the entry is about.
    pub target: Option<Target>,
    /// The name of the target.
    pub target_name: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The changed fields.
    pub changes: Vec<FieldChange>,
    /// The client of the request.
    pub client: Client,
    /// Id of the command.
    pub command_id: Option<String>,
    /// Id of the request.
    pub correlation_id: Option<String>,
    /// The stream partition of the record.
    pub place: StreamPartition,
    /// The offset of the record.
    pub offset: u64,
}

impl AuditRow {
    /// The position in the log that covers the record.
    pub fn position(&self) -> Position {
        Position::at(self.place, self.offset)
    }
}

/// What an entry is about: an id of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The kind of the id: the part before the underscore.
    pub kind: String,
    /// The uuid of the id.
    pub uuid: Uuid,
}

impl Target {
    /// Reads the text of an id of any kind.
    pub fn parse(text: &str) -> Option<Self> {
        const KINDS: [&str; 8] = [
            UserId::KIND,
            GroupId::KIND,
            TokenId::KIND,
            MailboxId::KIND,
            RuleId::KIND,
            EntryId::KIND,
            WebhookId::KIND,
            DeliveryId::KIND,
        ];
        // A denied caller may have typed anything.
        let (kind, uuid) = text.split_once('_').filter(|(kind, _)| KINDS.contains(kind))?;
        Some(Self { kind: kind.to_owned(), uuid: Uuid::try_parse(uuid).ok()? })
    }
}

/// The text of the id.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.kind, self.uuid)
    }
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Allowed,
    /// The actor lacks the right.
    Denied,
    /// The actor has the right, but the action failed.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Allowed, Self::Denied, Self::Failed];

    pub(crate) fn number(self) -> i16 {
        match self {
            Self::Allowed => 0,
            Self::Denied => 1,
            Self::Failed => 2,
        }
    }
}

/// A field before and after. Secrets show neither value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field, as the API names it.
    pub field: String,
    /// Before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// After.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

impl FieldChange {
    /// The change of a field from `old` to `new`.
    pub fn new(field: impl Into<String>, old: Option<String>, new: Option<String>) -> Self {
        Self { field: field.into(), old, new }
    }
}

impl ReadModel {
    /// The entry with this id.
    pub async fn audit_entry(&self, id: EntryId) -> Result<Option<AuditRow>, Error> {
        let text = format!("SELECT {}, {NAMED} FROM audit{NAMES} WHERE audit.id = $1", columns());
        self.database.maybe_one(sql(text).bind(id)).await
    }
}

/// The columns that an entry is read from, but its target's name.
pub(crate) fn columns() -> &'static str {
    static COLUMNS: LazyLock<String> = LazyLock::new(|| TABLE.selected());
    &COLUMNS
}

/// The target's name. Names never change, so an entry recorded without one shows the present one.
pub(crate) const NAMED: &str = "COALESCE(audit.target_name, users.username, groups.name) AS shown_name";

/// The joins that [`NAMED`] needs.
pub(crate) const NAMES: &str =
    " LEFT JOIN users ON users.id = audit.target_id LEFT JOIN groups ON groups.id = audit.target_id";

impl FromColumns for AuditRow {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let target = match (row.maybe_text("target_kind")?, row.maybe_uuid("target_id")?) {
            (Some(kind), Some(uuid)) => Some(Target { kind, uuid }),
            _ => None,
        };
        let outcome = row.small("outcome")?;
        let outcome = Outcome::ALL.into_iter().find(|known| known.number() == outcome);
        let role = row.maybe_text("actor_role")?;
        let stream = Stream::from_name(&row.text("log_stream")?);
        Ok(Self {
            id: EntryId::from_uuid(row.uuid("id")?),
            time: row.time("at")?,
            ordered_at: row.time("ordered_at")?,
            actor_id: row.maybe_uuid("actor_id")?.map(UserId::from_uuid),
            actor_name: row.text("actor_name")?,
            actor_role: Role::ALL.into_iter().find(|known| role.as_deref() == Some(known.name())),
            action: row.text("action")?,
            target,
            target_name: row.maybe_text("shown_name")?,
            outcome: outcome.ok_or_else(|| broken("outcome", "is unknown"))?,
            changes: row.json("changes")?,
            client: Client {
                address: row.maybe_text("client_address")?,
                agent: row.maybe_text("client_agent")?,
            },
            command_id: row.maybe_text("command_id")?,
            correlation_id: row.maybe_text("correlation_id")?,
            place: StreamPartition {
                stream: stream.ok_or_else(|| broken("log_stream", "is unknown"))?,
                partition: row.number("log_partition")?,
            },
            offset: row.number("log_offset")?,
        })
    }
}

/// The table of entries. An entry never changes.
pub(crate) const TABLE: Table<AuditRow, 19> = Table {
    name: "audit",
    columns: [
        fixed("id", |entry| entry.id.into()),
        fixed("at", |entry| entry.time.into()),
        fixed("ordered_at", |entry| entry.ordered_at.into()),
        fixed("actor_id", |entry| entry.actor_id.into()),
        fixed("actor_name", |entry| (&entry.actor_name).into()),
        fixed("actor_role", |entry| entry.actor_role.map(Role::name).into()),
        fixed("action", |entry| (&entry.action).into()),
        fixed("target_kind", |entry| entry.target.as_ref().map(|target| target.kind.as_str()).into()),
        fixed("target_id", |entry| entry.target.as_ref().map(|target| target.uuid).into()),
        fixed("target_name", |entry| (&entry.target_name).into()),
        fixed("outcome", |entry| entry.outcome.number().into()),
        fixed("changes", |entry| {
            serde_json::to_string(&entry.changes).expect("changes are plain text fields").into()
        }),
        fixed("client_address", |entry| (&entry.client.address).into()),
        fixed("client_agent", |entry| (&entry.client.agent).into()),
        fixed("command_id", |entry| (&entry.command_id).into()),
        fixed("correlation_id", |entry| (&entry.correlation_id).into()),
        fixed("log_stream", |entry| entry.place.stream.name().into()),
        fixed("log_partition", |entry| entry.place.partition.into()),
        fixed("log_offset", |entry| entry.offset.into()),
    ],
};
