//! The form of a user at rest: in memory, and in the snapshots that the next owner begins with. A release may change it
//! with [`crate::image::FORMAT`], because a snapshot of another format is passed over.
//!
//! Mirrors of the domain's types stand here because those are also wire types, with fields that are left out when they
//! are empty; this form says nothing of itself, so every field has its place. Texts are borrowed both ways.

use std::borrow::Cow;
use std::collections::HashMap;

use domain::actor::Roles;
use domain::aggregate::Aggregate;
use domain::group::GroupRef;
use domain::id::{GroupId, RuleId, TokenId, UserId};
use domain::timestamp::Timestamp;
use domain::user::agent::UfaConfig;
use domain::user::profile::Personal;
use domain::user::rules::{DeliverPolicy, Download, Kind, Rule, Upload};
use domain::user::state::Token;
use domain::user::{Account, Lifecycle, User};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::remembered::{Packed as PackedCommand, Remembered};
use crate::slot::Slot;

#[cfg(test)]
#[path = "packed_spec.rs"]
pub(crate) mod spec;

/// The groups that users are in, each once: a user's block has its number in this list.
#[derive(Default)]
pub(crate) struct Groups {
    known: Vec<GroupRef>,
    numbers: HashMap<GroupId, u32>,
}

impl Groups {
    fn number(&mut self, group: &GroupRef) -> u32 {
        if let Some(number) = self.numbers.get(&group.id)
            && self.at(*number) == Some(group)
        {
            return *number;
        }
        self.push(group.clone());
        self.numbers[&group.id]
    }

    fn at(&self, number: u32) -> Option<&GroupRef> {
        self.known.get(number as usize)
    }

    /// All of them, by their numbers.
    pub(crate) fn known(&self) -> &[GroupRef] {
        &self.known
    }

    /// Gives the next number to a group.
    pub(crate) fn push(&mut self, group: GroupRef) {
        let number = u32::try_from(self.known.len()).expect("there are far fewer groups than 2^32");
        self.numbers.insert(group.id, number);
        self.known.push(group);
    }
}

/// Writes a user behind what stands in `bytes`.
pub(crate) fn pack(slot: &Slot<User>, groups: &mut Groups, bytes: Vec<u8>) -> Vec<u8> {
    let user = &slot.aggregate;
    let packed = Packed {
        version: user.version(),
        account: user.account().map(|account| PackedAccount::of(account, groups)),
        commands: slot.remembered.pack(),
    };
    postcard::to_extend(&packed, bytes).expect("plain data has a form at rest")
}

/// Reads a user that was packed with the same groups, here or where [`is_user`] was asked.
pub(crate) fn unpack(id: UserId, bytes: &[u8], groups: &Groups) -> Slot<User> {
    let packed: Packed<'_> = postcard::from_bytes(bytes).expect("it was packed");
    let account = packed.account.map(|account| Box::new(account.whole(groups)));
    Slot {
        aggregate: User::restored(id, packed.version, account),
        remembered: Remembered::unpack(packed.commands),
    }
}

/// Whether these bytes are a user that was packed with the same groups.
pub(crate) fn is_user(bytes: &[u8], groups: &Groups) -> bool {
    postcard::from_bytes::<Packed<'_>>(bytes).is_ok_and(|packed| {
        let lifecycle = packed.account.map(|account| account.lifecycle);
        match lifecycle {
            Some(PackedLifecycle::Active(Some(number)) | PackedLifecycle::Suspended(Some(number))) => {
                groups.at(number).is_some()
            }
            _ => true,
        }
    })
}

type Bytes = [u8; 16];

#[derive(Serialize, Deserialize)]
struct Packed<'a> {
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

#[derive(Serialize, Deserialize)]
struct PackedRule<'a> {
    id: Bytes,
    name: &'a str,
    active: bool,
    poll_interval: u32,
    subscribers: u32,
    #[serde(borrow)]
    kind: PackedKind<'a>,
}

#[derive(Serialize, Deserialize)]
enum PackedKind<'a> {
    Upload(Cow<'a, Upload>),
    Download {
        mailbox: &'a str,
        deliver_policy: DeliverPolicy,
        start_time: Option<i64>,
        download_path: &'a str,
        max_files: u32,
    },
}

impl<'a> PackedAccount<'a> {
    fn of(account: &'a Account, groups: &mut Groups) -> Self {
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
            rules: account.rules.iter().map(PackedRule::of).collect(),
            mailboxes: account.mailboxes.iter().map(|name| &**name).collect(),
            tokens: account.tokens.iter().map(PackedToken::of).collect(),
            revoked: account.revoked.iter().map(|id| id.uuid().into_bytes()).collect(),
        }
    }

    fn whole(self, groups: &Groups) -> Account {
        let group =
            |number: Option<u32>| number.map(|number| groups.at(number).expect("it was packed").clone());
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
            rules: self.rules.into_iter().map(PackedRule::whole).collect(),
            mailboxes: self.mailboxes.into_iter().map(Into::into).collect(),
            tokens: self.tokens.into_iter().map(PackedToken::whole).collect(),
            revoked: self.revoked.into_iter().map(|id| TokenId::from_uuid(Uuid::from_bytes(id))).collect(),
        }
    }
}

impl<'a> PackedToken<'a> {
    fn of(token: &'a Token) -> Self {
        let Token { id, name, expires_at } = token;
        Self { id: id.uuid().into_bytes(), name, expires_at: expires_at.map(Timestamp::micros) }
    }

    fn whole(self) -> Token {
        Token {
            id: TokenId::from_uuid(Uuid::from_bytes(self.id)),
            name: self.name.into(),
            expires_at: self.expires_at.map(Timestamp::from_micros),
        }
    }
}

impl<'a> PackedRule<'a> {
    fn of(rule: &'a Rule) -> Self {
        let Rule { id, name, active, poll_interval, subscribers, kind } = rule;
        let kind = match kind {
            Kind::Upload(upload) => PackedKind::Upload(Cow::Borrowed(upload)),
            Kind::Download(download) => PackedKind::Download {
                mailbox: &download.mailbox,
                deliver_policy: download.deliver_policy,
                start_time: download.start_time.map(Timestamp::micros),
                download_path: &download.download_path,
                max_files: download.max_files,
            },
        };
        Self {
            id: id.uuid().into_bytes(),
            name,
            active: *active,
            poll_interval: *poll_interval,
            subscribers: *subscribers,
            kind,
        }
    }

    fn whole(self) -> Rule {
        Rule {
            id: RuleId::from_uuid(Uuid::from_bytes(self.id)),
            name: self.name.to_owned(),
            active: self.active,
            poll_interval: self.poll_interval,
            subscribers: self.subscribers,
            kind: match self.kind {
                PackedKind::Upload(upload) => Kind::Upload(upload.into_owned()),
                PackedKind::Download { mailbox, deliver_policy, start_time, download_path, max_files } => {
                    Kind::Download(Download {
                        mailbox: mailbox.to_owned(),
                        deliver_policy,
                        start_time: start_time.map(Timestamp::from_micros),
                        download_path: download_path.to_owned(),
                        max_files,
                    })
                }
            },
        }
    }
}
