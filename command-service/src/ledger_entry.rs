//! A record of the log, read as what it means for an owner.

use domain::id::{GroupId, UserId, WebhookId};
use domain::{access, deployment, group, user, webhook};
use event_log::Recorded;
use event_log::envelope::{Envelope, Stamp};
use log_model::{Record, Stream};

use crate::addresses::Addresses;
use crate::fingerprint::FingerprintKey;

/// What an event means for an owner.
pub(crate) enum LedgerEntry<'a> {
    /// Of a user.
    User(UserId, user::Event, Stamp<'a>),
    /// Of a group.
    Group(GroupId, group::Event, Stamp<'a>),
    /// Of a webhook.
    Webhook(WebhookId, webhook::Event, Stamp<'a>),
    /// Of the deployment.
    Deployment(deployment::Event, Stamp<'a>),
}

impl<'a> LedgerEntry<'a> {
    /// Reads a record of the user events or the group events that is not a claim record. The error says what is wrong
    /// with it.
    pub(crate) fn read(recorded: &'a Recorded) -> Result<Self, String> {
        let record = &recorded.record;
        let text = |error: &dyn std::error::Error| error.to_string();
        let stamp = Stamp::read(record).map_err(|error| text(&error))?;
        let name = record.wire_name().map_err(|error| text(&error))?;
        let body = record.body.as_deref().unwrap_or_default();
        if stamp.subject == deployment::SUBJECT {
            let event = deployment::Event::from_json(name, body).map_err(|error| text(&error))?;
            Ok(Self::Deployment(event, stamp))
        } else if recorded.place.stream == Stream::GroupEvents && stamp.subject.starts_with(WebhookId::KIND) {
            let id = stamp.subject.parse().map_err(|error| text(&error))?;
            let event = webhook::Event::from_json(name, body).map_err(|error| text(&error))?;
            Ok(Self::Webhook(id, event, stamp))
        } else if recorded.place.stream == Stream::GroupEvents {
            let id = stamp.subject.parse().map_err(|error| text(&error))?;
            let event = group::Event::from_json(name, body).map_err(|error| text(&error))?;
            Ok(Self::Group(id, event, stamp))
        } else {
            let id = stamp.subject.parse().map_err(|error| text(&error))?;
            let event = user::Event::from_json(name, body).map_err(|error| text(&error))?;
            Ok(Self::User(id, event, stamp))
        }
    }
}

/// What keeps an owner from reading a record. `None` where nothing does, or owners don't read the stream.
pub(crate) fn fault(recorded: &Recorded) -> Option<String> {
    match recorded.place.stream {
        _ if recorded.record.is_claim() => None,
        Stream::UserEvents | Stream::GroupEvents => LedgerEntry::read(recorded).err(),
        Stream::Reservations => Addresses::new(0, 1, FingerprintKey::random()).replay(&recorded.record).err(),
        Stream::Credentials | Stream::Access => None,
    }
}

/// Whether a newer release wrote the record: an event like those of Muster, with a name that this release doesn't know.
pub(crate) fn is_newer(record: &Record) -> bool {
    let known = [
        user::Event::WIRE_NAMES,
        group::Event::WIRE_NAMES,
        webhook::Event::WIRE_NAMES,
        deployment::Event::WIRE_NAMES,
        access::Event::WIRE_NAMES,
    ];
    let is_unknown = |name: &str| name.starts_with("muster.") && !known.concat().contains(&name);
    record.wire_name().is_ok_and(is_unknown) && Envelope::read(record).is_ok()
}
