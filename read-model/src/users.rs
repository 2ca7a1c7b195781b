//! Users as the portals show them: the row, and the ways to find one.

use std::collections::BTreeSet;

use domain::actor::Roles;
use domain::group::GroupRef;
use domain::id::UserId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use domain::user::agent::Config;

use crate::error::Error;
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns, broken};
use crate::search::{self, folded};
use crate::statement::{Change, Value, listed, multi_row, sql};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Which user.
    pub id: UserId,
    /// The name, for ever.
    pub username: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// The group; none before approval, and for the first administrator.
    pub group: Option<GroupRef>,
    /// Where the user stands.
    pub state: UserStatus,
    /// Why the user was rejected or suspended.
    pub state_reason: Option<String>,
    /// What the user holds.
    pub roles: Roles,
    /// Whether the password is a temporary one.
    pub must_change_password: bool,
    /// When the name was registered, last if several times.
    pub registered_at: Timestamp,
    /// When anything of the user changed last.
    pub updated_at: Timestamp,
    /// Number of the user's last event.
    pub version: u64,
    /// Partition of the log that has the user's events.
    pub partition: u32,
    /// What the file agent does in general.
    pub config: Config,
    /// The user's version at the last change of what the file agent does.
    pub ufa_version: u64,
    /// When what the file agent does changed last.
    pub ufa_updated_at: Timestamp,
}

/// The status in a column that holds its number.
pub(crate) fn status(row: &impl Columns, column: &str) -> Result<UserStatus, sqlx::Error> {
    UserStatus::from_number(row.small(column)?).ok_or_else(|| broken(column, "is no state"))
}

impl ReadModel {
    /// The user with this id.
    pub async fn user(&self, id: UserId) -> Result<Option<UserRow>, Error> {
        self.database.maybe_one(sql(format!("SELECT {COLUMNS} FROM users WHERE id = $1")).bind(id)).await
    }

    /// The user with this name, however it is capitalised.
    pub async fn user_by_name(&self, username: &str) -> Result<Option<UserRow>, Error> {
        let statement = sql(format!("SELECT {COLUMNS} FROM users WHERE username = $1"));
        self.database.maybe_one(statement.bind(folded(username))).await
    }

    /// Those of these users that there are, in any order.
    pub async fn users_by_ids(&self, ids: &[UserId]) -> Result<Vec<UserRow>, Error> {
        let head = format!("SELECT {COLUMNS} FROM users WHERE id IN");
        self.database.all_of(listed(&head, ids, "")).await
    }
}

/// The columns of [`UserRow`].
pub(crate) const COLUMNS: &str = "users.id, users.username, users.first_name, users.last_name, users.phone, users.email, \
    users.group_id, users.group_name, users.state, users.state_reason, users.roles, users.must_change_password, \
    users.registered_at, users.updated_at, users.version, users.log_partition, users.ufa_debug, users.ufa_log_file, \
    users.ufa_heartbeat_interval, users.ufa_config_interval, users.ufa_max_jobs, users.ufa_version, users.ufa_updated_at";

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
            config: Config {
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

/// The terms under which a user is found.
pub(crate) fn terms(user: &UserRow) -> BTreeSet<String> {
    let texts =
        [Some(&user.username), user.first_name.as_ref(), user.last_name.as_ref(), user.email.as_ref()];
    search::terms(texts.into_iter().flatten().map(String::as_str))
}

/// Every column in the order in which [`upsert`] writes it.
const WRITTEN: [&str; 28] = [
    "id",
    "username",
    "first_name",
    "first_name_key",
    "last_name",
    "last_name_key",
    "phone",
    "email",
    "email_key",
    "group_id",
    "group_name",
    "group_key",
    "state",
    "state_reason",
    "roles",
    "must_change_password",
    "registered_at",
    "updated_at",
    "version",
    "log_partition",
    "terms",
    "ufa_debug",
    "ufa_log_file",
    "ufa_heartbeat_interval",
    "ufa_config_interval",
    "ufa_max_jobs",
    "ufa_version",
    "ufa_updated_at",
];

/// Writes whole rows, each with the terms under which the user is found.
pub(crate) fn upsert(users: &[(&UserRow, &BTreeSet<String>)]) -> Change {
    let head = format!("INSERT INTO users ({})", WRITTEN.join(", "));
    let set: Vec<_> = WRITTEN[1..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let tail = format!("ON CONFLICT (id) DO UPDATE SET {}", set.join(", "));
    multi_row(head, users, WRITTEN.len(), tail, |(user, terms)| values(user, terms))
}

fn values(user: &UserRow, terms: &BTreeSet<String>) -> Vec<Value> {
    let group = user.group.as_ref();
    vec![
        user.id.into(),
        (&user.username).into(),
        (&user.first_name).into(),
        key(user.first_name.as_deref()).into(),
        (&user.last_name).into(),
        key(user.last_name.as_deref()).into(),
        (&user.phone).into(),
        (&user.email).into(),
        key(user.email.as_deref()).into(),
        group.map(|group| group.id.uuid()).into(),
        group.map(|group| group.name.as_str()).into(),
        key(group.map(|group| group.name.as_str())).into(),
        user.state.number().into(),
        (&user.state_reason).into(),
        i16::from(user.roles.bits()).into(),
        user.must_change_password.into(),
        user.registered_at.into(),
        user.updated_at.into(),
        user.version.into(),
        user.partition.into(),
        search::joined(terms).into(),
        user.config.debug.into(),
        (&user.config.log_file).into(),
        user.config.heartbeat_interval.into(),
        user.config.config_interval.into(),
        user.config.max_jobs.into(),
        user.ufa_version.into(),
        user.ufa_updated_at.into(),
    ]
}

/// What a list sorts by. Nothing sorts as the empty text, before everything else.
pub(crate) fn key(text: Option<&str>) -> String {
    text.map(folded).unwrap_or_default()
}
