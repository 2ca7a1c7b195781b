//! Typed ids, one type per kind, so that ids can't be mixed up.
//!
//! An id is written `<kind>_<uuid>` in GraphQL, in record keys and headers, and as the user name of HTTP Basic.
//! Databases store the UUID. The id of something with a name is derived from that name (`UUIDv5`, RFC 9562). So one
//! stream decides whether a name is taken (ADR 0004).

use std::fmt;
use std::str::FromStr;

use log_model::partition::NAMESPACE;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::email;
use crate::names::GroupName;
use crate::names::Username;
use crate::timestamp::Timestamp;

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form {kind}_<uuid>")]
pub struct ParseIdError {
    kind: &'static str,
    text: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The kind: the text before the underscore.
            pub const KIND: &'static str = $prefix;

            /// The id with this UUID.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID, as databases store it.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": concat!("^", $prefix, "_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
                })
            }
        }
    )*};
}

ids! {
    /// A user. Derived from the username.
    UserId = "user";
    /// A group. Derived from the group's name.
    GroupId = "group";
    /// The general settings of a user's file agent. Its UUID is that of the user.
    UfaConfigId = "ufa";
    /// An auth token. Derived from its user and the sequence number of the event that issued it.
    TokenId = "token";
    /// A mailbox. Derived from its user and its name.
    MailboxId = "mailbox";
    /// An agent rule. Derived from its user and its name.
    RuleId = "rule";
    /// An e-mail address, no matter who holds it. Derived from its folded text.
    AddressId = "address";
    /// A reservation of an address. A `UUIDv7`, so that it tells when it was made.
    ReservationId = "claim";
    /// A webhook. Derived from its name; case makes no difference.
    WebhookId = "webhook";
    /// An event on its way to a webhook. Derived from both.
    DeliveryId = "delivery";
    /// A session at the portals. The first half of the digest of its token.
    SessionId = "session";
    /// An entry of the audit log. Equal to the id of the record that it shows.
    EntryId = "entry";
}

impl UserId {
    /// The id of the user with this name.
    pub fn of(username: &Username) -> Self {
        Self(derive("user", username.as_str()))
    }
}

impl UfaConfigId {
    /// The id of the settings of this user.
    pub const fn of(user: UserId) -> Self {
        Self(user.0)
    }

    /// The user whose settings these are.
    pub const fn user(self) -> UserId {
        UserId(self.0)
    }
}

impl GroupId {
    /// The id of the group with this name.
    pub fn of(name: &GroupName) -> Self {
        Self(derive("group", name.as_str()))
    }
}

impl WebhookId {
    /// The id of the webhook with this name. Case makes no difference.
    pub fn named(name: &str) -> Self {
        Self(derive("webhook", &email::folded(name)))
    }
}

impl DeliveryId {
    /// The id of the delivery of this event to this webhook.
    pub fn of(webhook: WebhookId, event: Uuid) -> Self {
        Self(Uuid::new_v5(&webhook.0, format!("delivery:{event}").as_bytes()))
    }
}

impl AddressId {
    /// The id of an address. Case makes no difference.
    pub fn of(address: &str) -> Self {
        Self(derive("address", &email::folded(address)))
    }
}

impl ReservationId {
    /// When it was made, by its maker's clock. The earliest instant if the UUID holds no time.
    pub fn made_at(self) -> Timestamp {
        let Some(stamp) = self.0.get_timestamp() else { return Timestamp::MIN };
        let (seconds, nanos) = stamp.to_unix();
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Timestamp::from_micros(seconds.saturating_mul(1_000_000).saturating_add((nanos / 1_000).into()))
    }
}

impl TokenId {
    /// The id of the token that this event of the user issued.
    pub fn issued_at(user: UserId, sequence: u64) -> Self {
        Self(derive_of(user, "token", &sequence.to_string()))
    }
}

impl MailboxId {
    /// The id of the user's mailbox with this name.
    pub fn of(user: UserId, name: &str) -> Self {
        Self(derive_of(user, "mailbox", name))
    }
}

impl RuleId {
    /// The id of the user's rule with this name.
    pub fn of(user: UserId, name: &str) -> Self {
        Self(derive_of(user, "rule", name))
    }
}

fn derive(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind}:{name}").as_bytes())
}

fn derive_of(user: UserId, kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&user.0, format!("{kind}:{name}").as_bytes())
}

fn parse(kind: &'static str, text: &str) -> Result<Uuid, ParseIdError> {
    text.strip_prefix(kind)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|rest| rest.len() == 36 && !rest.bytes().any(|b| b.is_ascii_uppercase()))
        .and_then(|rest| Uuid::try_parse(rest).ok())
        .ok_or_else(|| ParseIdError { kind, text: text.chars().take(80).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = UserId::of(&Username::parse("alice").unwrap());
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn the_id_of_a_name_never_changes() {
        let id = UserId::of(&Username::parse("Alice").unwrap());
        assert_eq!(id.to_string(), "user_132917bf-f74f-57c0-afd1-d72b2db15f46");
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = UserId::of(&Username::parse("alice").unwrap());
        assert!(id.to_string().parse::<GroupId>().is_err());
        assert!(id.uuid().to_string().parse::<UserId>().is_err());
        assert!(id.to_string().to_uppercase().parse::<UserId>().is_err());
    }
}
