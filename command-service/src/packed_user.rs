//! The packed form of a user, in memory and in snapshots.
//!
//! A release may change the form if it increments [`FORMAT`]: owners ignore snapshots of another format.
//!
//! The types mirror the domain's, which are wire types and leave out empty fields. Postcard does not describe itself, so
//! every field must be present, in this order. Texts are borrowed for packing and for unpacking.

use std::borrow::Cow;

use domain::actor::Roles;
use domain::aggregate::Aggregate;
use domain::group::GroupRef;
use domain::id::{TokenId, UserId};
use domain::timestamp::Timestamp;
use domain::user::agent::UfaConfig;
use domain::user::profile::Personal;
use domain::user::state::Token;
use domain::user::{Account, Lifecycle, User};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::dedup::{PackedCommand, RecentCommands};
use crate::group_table::GroupTable;
use crate::packed_rule::PackedRule;
use crate::tracked_aggregate::TrackedAggregate;

#[cfg(test)]
#[path = "packed_user_spec.rs"]
pub(crate) mod spec;

/// Version of the format of snapshots, packed users included, and of how events change state.
///
/// Increment it with every change of either, also when a rule is fixed. A snapshot of the same version is trusted, so
/// old ones would keep what the wrong rule produced.
pub(crate) const FORMAT: u32 = 2;

/// Appends the packed user to `bytes`. Adds the user's group to `groups` if it is missing.
pub(crate) fn pack(tracked: &TrackedAggregate<User>, groups: &mut GroupTable, bytes: Vec<u8>) -> Vec<u8> {
    let user = &tracked.aggregate;
    let packed = PackedUser {
        version: user.version(),
        account: user.account().map(|account| PackedAccount::pack(account, groups)),
        commands: tracked.recent.pack(),
    };
    postcard::to_extend(&packed, bytes).expect("plain data can always be packed")
}

/// Unpacks a user. Panics unless the bytes were packed with the same groups, or were checked with [`is_user`].
pub(crate) fn unpack(id: UserId, bytes: &[u8], groups: &GroupTable) -> TrackedAggregate<User> {
    let packed: PackedUser<'_> = postcard::from_bytes(bytes).expect("it was packed");
    let account = packed.account.map(|account| Box::new(account.unpack(groups)));
    TrackedAggregate {
        aggregate: User::restored(id, packed.version, account),
        recent: RecentCommands::unpack(packed.commands),
    }
}

/// Whether the bytes are a user packed with the same groups.
pub(crate) fn is_user(bytes: &[u8], groups: &GroupTable) -> bool {
    postcard::from_bytes::<PackedUser<'_>>(bytes).is_ok_and(|packed| {
        let lifecycle = packed.account.map(|account| account.lifecycle);
        match lifecycle {
            Some(PackedLifecycle::Active(Some(number)) | PackedLifecycle::Suspended(Some(number))) => {
                groups.get(number).is_some()
            }
            _ => true,
        }
    })
}

type Bytes = [u8; 16];

#[derive(Serialize, Deserialize)]
struct PackedUser<'a> {
    version: u64,
    #[serde(borrow)]
    account: Option<PackedAccount<'a>>,
    commands: Vec<PackedCommand>,
}

#[derive(Serialize, Deserialize)]
struct PackedAccount<'a> {
    username: &'a str,
    lifecycle: PackedLifecycle,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    phone: Option<&'a str>,
    email: Option<&'a str>,
    roles: u8,
    password_version: u64,
    config: Option<Cow<'a, UfaConfig>>,
    #[serde(borrow)]
    rules: Vec<PackedRule<'a>>,
    #[serde(borrow)]
    mailboxes: Vec<&'a str>,
    #[serde(borrow)]
    tokens: Vec<PackedToken<'a>>,
    revoked: Vec<Bytes>,
}

#[derive(Serialize, Deserialize)]
enum PackedLifecycle {
    Pending,
    Active(Option<u32>),
    Suspended(Option<u32>),
    Rejected,
    Deleted,
}

#[derive(Serialize, Deserialize)]
struct PackedToken<'a> {
    id: Bytes,
    name: &'a str,
    expires_at: Option<i64>,
}

impl<'a> PackedAccount<'a> {
    fn pack(account: &'a Account, groups: &mut GroupTable) -> Self {
        let Personal { first_name, last_name, phone, email } = &account.personal;
        let mut number = |group: &Option<GroupRef>| group.as_ref().map(|group| groups.number(group));
        Self {
            username: &account.username,
            lifecycle: match &account.lifecycle {
                Lifecycle::Pending => PackedLifecycle::Pending,
                Lifecycle::Active(group) => PackedLifecycle::Active(number(group)),
                Lifecycle::Suspended(group) => PackedLifecycle::Suspended(number(group)),
                Lifecycle::Rejected => PackedLifecycle::Rejected,
                Lifecycle::Deleted => PackedLifecycle::Deleted,
            },
            first_name: first_name.as_deref(),
            last_name: last_name.as_deref(),
            phone: phone.as_deref(),
            email: email.as_deref(),
            roles: account.roles.bits(),
            password_version: account.password_version,
            config: account.config.as_deref().map(Cow::Borrowed),
            rules: account.rules.iter().map(PackedRule::pack).collect(),
            mailboxes: account.mailboxes.iter().map(|name| &**name).collect(),
            tokens: account.tokens.iter().map(PackedToken::pack).collect(),
            revoked: account.revoked.iter().map(|id| id.uuid().into_bytes()).collect(),
        }
    }

    fn unpack(self, groups: &GroupTable) -> Account {
        let group =
            |number: Option<u32>| number.map(|number| groups.get(number).expect("it was packed").clone());
        let text = |text: Option<&str>| text.map(str::to_owned);
        Account {
            username: self.username.into(),
            lifecycle: match self.lifecycle {
                PackedLifecycle::Pending => Lifecycle::Pending,
                PackedLifecycle::Active(number) => Lifecycle::Active(group(number)),
                PackedLifecycle::Suspended(number) => Lifecycle::Suspended(group(number)),
                PackedLifecycle::Rejected => Lifecycle::Rejected,
                PackedLifecycle::Deleted => Lifecycle::Deleted,
            },
            personal: Personal {
                first_name: text(self.first_name),
                last_name: text(self.last_name),
                phone: text(self.phone),
                email: text(self.email),
            },
            roles: Roles::from_bits(self.roles),
            password_version: self.password_version,
            config: self.config.map(|config| Box::new(config.into_owned())),
            rules: self.rules.into_iter().map(PackedRule::unpack).collect(),
            mailboxes: self.mailboxes.into_iter().map(Into::into).collect(),
            tokens: self.tokens.into_iter().map(PackedToken::unpack).collect(),
            revoked: self.revoked.into_iter().map(|id| TokenId::from_uuid(Uuid::from_bytes(id))).collect(),
        }
    }
}

impl<'a> PackedToken<'a> {
    fn pack(token: &'a Token) -> Self {
        let Token { id, name, expires_at } = token;
        Self { id: id.uuid().into_bytes(), name, expires_at: expires_at.map(Timestamp::micros) }
    }

    fn unpack(self) -> Token {
        Token {
            id: TokenId::from_uuid(Uuid::from_bytes(self.id)),
            name: self.name.into(),
            expires_at: self.expires_at.map(Timestamp::from_micros),
        }
    }
}
