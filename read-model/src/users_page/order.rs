//! The keys that users are sorted by: their columns, and what a user or a cursor has in them.

use serde::{Deserialize, Serialize};

use super::sort::{UserSortField, UserSortKey};
use crate::page::{Key, Order};
use crate::statement::Value;
use crate::users::{self, UserRow};

/// One value of a sort key. Compared as the databases compare it: texts by bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum KeyValue {
    Number(i64),
    Text(String),
}

impl From<&KeyValue> for Value {
    fn from(value: &KeyValue) -> Self {
        match value {
            KeyValue::Number(number) => (*number).into(),
            KeyValue::Text(text) => text.into(),
        }
    }
}

/// The values of a user's order columns, as a cursor carries them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct UserKey(pub(super) Vec<KeyValue>);

impl Key for UserKey {
    fn values(&self) -> Vec<Value> {
        self.0.iter().map(Value::from).collect()
    }
}

impl UserSortField {
    /// The column that is sorted by.
    pub(super) const fn column(self) -> &'static str {
        self.columns()[0]
    }

    /// The columns of a total order by this field.
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Username => &["users.username"],
            Self::FirstName => &["users.first_name_key", "users.username"],
            Self::LastName => &["users.last_name_key", "users.username"],
            Self::Email => &["users.email_key", "users.username"],
            Self::Phone => &["users.phone_key", "users.username"],
            Self::Group => &["users.group_key", "users.username"],
            Self::State => &["users.state", "users.username"],
            Self::RegisteredAt => &["users.registered_at", "users.username"],
            Self::UpdatedAt => &["users.updated_at", "users.username"],
        }
    }

    /// The field's name in cursors.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Username => "users/username",
            Self::FirstName => "users/first_name",
            Self::LastName => "users/last_name",
            Self::Email => "users/email",
            Self::Phone => "users/phone",
            Self::Group => "users/group",
            Self::State => "users/state",
            Self::RegisteredAt => "users/registered_at",
            Self::UpdatedAt => "users/updated_at",
        }
    }

    /// What a user has in the column.
    pub(super) fn value(self, user: &UserRow) -> KeyValue {
        let text = |text: Option<&str>| KeyValue::Text(users::key(text));
        match self {
            Self::Username => KeyValue::Text(user.username.clone()),
            Self::FirstName => text(user.first_name.as_deref()),
            Self::LastName => text(user.last_name.as_deref()),
            Self::Email => text(user.email.as_deref()),
            Self::Phone => KeyValue::Text(users::phone_key(user.phone.as_deref())),
            Self::Group => text(user.group.as_ref().map(|group| group.name.as_str())),
            Self::State => KeyValue::Number(user.state.number().into()),
            Self::RegisteredAt => KeyValue::Number(user.registered_at.micros()),
            Self::UpdatedAt => KeyValue::Number(user.updated_at.micros()),
        }
    }

    /// Whether any number of users may have nothing there, though all others tell users apart.
    pub(super) const fn may_be_blank(self) -> bool {
        matches!(self, Self::FirstName | Self::LastName | Self::Email | Self::Phone)
    }

    /// Whether a cursor's value can be one of this column.
    pub(super) fn fits(self, value: &KeyValue) -> bool {
        let is_number = matches!(self, Self::State | Self::RegisteredAt | Self::UpdatedAt);
        is_number == matches!(value, KeyValue::Number(_))
    }
}

impl UserSortKey {
    /// The order by this key, with ties by username.
    pub(super) const fn order(self) -> Order {
        Order { name: self.field.name(), columns: self.field.columns(), is_descending: self.is_descending }
    }

    /// What a user has in the columns of the order.
    pub(super) fn of(self, user: &UserRow) -> UserKey {
        let value = self.field.value(user);
        UserKey(match self.field {
            UserSortField::Username => vec![value],
            _ => vec![value, KeyValue::Text(user.username.clone())],
        })
    }

    /// Whether a key from a cursor is one of this order.
    pub(super) fn fits(self, key: &UserKey) -> bool {
        key.0.len() == self.field.columns().len()
            && key.0.first().is_some_and(|value| self.field.fits(value))
            && key.0.last().is_some_and(|name| matches!(name, KeyValue::Text(_)))
    }
}
