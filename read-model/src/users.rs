//! Users as the portals show them, and the lookups of one.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use domain::actor::Roles;
use domain::group::GroupRef;
use domain::id::UserId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use domain::user::agent::UfaConfig;

use crate::error::Error;
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns, broken};
use crate::search::{self, folded};
use crate::statement::{listed, sql};
use crate::table::{Table, column, derived, fixed};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The id.
    pub id: UserId,
    /// The username. It never changes.
    pub username: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// The group; `None` before approval and for the first administrator.
    pub group: Option<GroupRef>,
    /// The status.
    pub state: UserStatus,
    /// Why the user was rejected or suspended.
    pub state_reason: Option<String>,
    /// The roles.
    pub roles: Roles,
    /// Whether the password is a temporary one.
    pub must_change_password: bool,
    /// When the name was registered; the last time if several.
    pub registered_at: Timestamp,
    /// The time of the last change, or that of an earlier one if it is later.
    pub updated_at: Timestamp,
    /// Number of the user's last event.
    pub version: u64,
    /// The partition of the user's events.
    pub partition: u32,
    /// The offset of the user's last event.
    pub log_offset: u64,
    /// The configuration of the file agent.
    pub config: UfaConfig,
    /// The user's version at the last change of the agent's configuration or rules.
    pub ufa_version: u64,
    /// The time of the last change of the agent's configuration or rules.
    pub ufa_updated_at: Timestamp,
}

/// The status in a column that holds its number.
pub(crate) fn status(row: &impl Columns, column: &str) -> Result<UserStatus, sqlx::Error> {
    UserStatus::from_number(row.small(column)?).ok_or_else(|| broken(column, "is no state"))
}

impl ReadModel {
    /// The user with this id.
    pub async fn user(&self, id: UserId) -> Result<Option<UserRow>, Error> {
        self.database.maybe_one(sql(format!("SELECT {} FROM users WHERE id = $1", columns())).bind(id)).await
    }

    /// The user with this name, in any case.
    pub async fn user_by_name(&self, username: &str) -> Result<Option<UserRow>, Error> {
        let statement = sql(format!("SELECT {} FROM users WHERE username = $1", columns()));
        self.database.maybe_one(statement.bind(folded(username))).await
    }

    /// These users, in any order; unknown ones are left out.
    pub async fn users_by_ids(&self, ids: &[UserId]) -> Result<Vec<UserRow>, Error> {
        let head = format!("SELECT {} FROM users WHERE id IN", columns());
        self.database.all_of(listed(&head, ids, "")).await
    }
}

/// The columns that a [`UserRow`] is read from.
pub(crate) fn columns() -> &'static str {
    static COLUMNS: LazyLock<String> = LazyLock::new(|| table().selected());
    &COLUMNS
}

impl FromColumns for UserRow {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let group = match (row.maybe_group_id("group_id")?, row.maybe_text("group_name")?) {
            (Some(id), Some(name)) => Some(GroupRef { id, name }),
            _ => None,
        };
        Ok(Self {
            id: row.user_id("id")?,
            username: row.text("username")?,
            first_name: row.maybe_text("first_name")?,
            last_name: row.maybe_text("last_name")?,
            phone: row.maybe_text("phone")?,
            email: row.maybe_text("email")?,
            group,
            state: status(row, "state")?,
            state_reason: row.maybe_text("state_reason")?,
            roles: roles(row, "roles")?,
            must_change_password: row.flag("must_change_password")?,
            registered_at: row.time("registered_at")?,
            updated_at: row.time("updated_at")?,
            version: row.number("version")?,
            partition: row.number("log_partition")?,
            log_offset: row.number("log_offset")?,
            config: UfaConfig {
                debug: row.flag("ufa_debug")?,
                log_file: row.text("ufa_log_file")?,
                heartbeat_interval: row.number("ufa_heartbeat_interval")?,
                config_interval: row.number("ufa_config_interval")?,
                max_jobs: row.number("ufa_max_jobs")?,
            },
            ufa_version: row.number("ufa_version")?,
            ufa_updated_at: row.time("ufa_updated_at")?,
        })
    }
}

pub(crate) fn roles(row: &impl Columns, column: &str) -> Result<Roles, sqlx::Error> {
    let bits = u8::try_from(row.small(column)?).map_err(|_| broken(column, "is out of range"))?;
    Ok(Roles::from_bits(bits))
}

/// The texts that a search finds a user by. A user whose texts stay the same keeps its terms.
pub(crate) fn searched(user: &UserRow) -> [Option<&str>; 4] {
    [Some(&*user.username), user.first_name.as_deref(), user.last_name.as_deref(), user.email.as_deref()]
}

/// The search terms of a user.
pub(crate) fn terms(user: &UserRow) -> BTreeSet<String> {
    search::terms(searched(user).into_iter().flatten())
}

/// A user to write, with the search terms.
pub(crate) struct Searchable<'a> {
    pub(crate) user: &'a UserRow,
    pub(crate) terms: &'a BTreeSet<String>,
}

/// The table of users.
pub(crate) fn table<'a>() -> Table<Searchable<'a>, 30> {
    Table {
        name: "users",
        columns: [
            fixed("id", |it| it.user.id.into()),
            column("username", |it| (&it.user.username).into()),
            column("first_name", |it| (&it.user.first_name).into()),
            derived("first_name_key", |it| key(it.user.first_name.as_deref()).into()),
            column("last_name", |it| (&it.user.last_name).into()),
            derived("last_name_key", |it| key(it.user.last_name.as_deref()).into()),
            column("phone", |it| (&it.user.phone).into()),
            derived("phone_key", |it| phone_key(it.user.phone.as_deref()).into()),
            column("email", |it| (&it.user.email).into()),
            derived("email_key", |it| key(it.user.email.as_deref()).into()),
            column("group_id", |it| it.user.group.as_ref().map(|group| group.id.uuid()).into()),
            column("group_name", |it| group_name(it.user).into()),
            derived("group_key", |it| key(group_name(it.user)).into()),
            column("state", |it| it.user.state.number().into()),
            column("state_reason", |it| (&it.user.state_reason).into()),
            column("roles", |it| i16::from(it.user.roles.bits()).into()),
            column("must_change_password", |it| it.user.must_change_password.into()),
            column("registered_at", |it| it.user.registered_at.into()),
            column("updated_at", |it| it.user.updated_at.into()),
            column("version", |it| it.user.version.into()),
            column("log_partition", |it| it.user.partition.into()),
            column("log_offset", |it| it.user.log_offset.into()),
            derived("terms", |it| search::joined(it.terms).into()),
            column("ufa_debug", |it| it.user.config.debug.into()),
            column("ufa_log_file", |it| (&it.user.config.log_file).into()),
            column("ufa_heartbeat_interval", |it| it.user.config.heartbeat_interval.into()),
            column("ufa_config_interval", |it| it.user.config.config_interval.into()),
            column("ufa_max_jobs", |it| it.user.config.max_jobs.into()),
            column("ufa_version", |it| it.user.ufa_version.into()),
            column("ufa_updated_at", |it| it.user.ufa_updated_at.into()),
        ],
    }
}

fn group_name(user: &UserRow) -> Option<&str> {
    user.group.as_ref().map(|group| group.name.as_str())
}

/// The sort key of a phone number: its digits and `+`, so that however it was typed it is one number.
pub(crate) fn phone_key(number: Option<&str>) -> String {
    number.unwrap_or_default().chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

/// The sort key of a text: case-folded. A missing text sorts first, as the empty text.
pub(crate) fn key(text: Option<&str>) -> String {
    text.map(folded).unwrap_or_default()
}
