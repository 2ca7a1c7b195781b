//! A record of the log, read as what it means for the views.

use domain::credential::{Credential, CredentialId};
use domain::id::{GroupId, UserId, WebhookId};
use domain::{access, deployment, group, user, webhook};
use event_log::Recorded;
use event_log::envelope::Envelope;
use log_model::Stream;
use log_model::record::{COMMANDDIGEST, COMMANDID, SEQUENCE};
use service_kit::causes::Causes;

/// What a record means for the views.
#[derive(Debug)]
pub(crate) enum LogEntry {
    /// An event of a user.
    User(UserId, Box<user::Event>, Envelope),
    /// An event of a group.
    Group(GroupId, group::Event, Envelope),
    /// An event of a webhook.
    Webhook(WebhookId, Box<webhook::Event>, Envelope),
    /// An event of the deployment.
    Deployment(deployment::Event, Envelope),
    /// A gateway recorded a sign-in, a failure or a denial.
    Access(access::Event, Envelope),
    /// The new state of a credential; `None` if it was removed.
    Credential(CredentialId, Option<Credential>),
    /// A claim of the partition. The views ignore it.
    Claim,
}

impl LogEntry {
    /// Reads a record. The error says what is wrong with it.
    pub(crate) fn read(recorded: &Recorded) -> Result<Self, String> {
        let record = &recorded.record;
        if record.is_claim() {
            return Ok(Self::Claim);
        }
        if recorded.place.stream == Stream::Credentials {
            let id = record.key.parse().map_err(|error| Causes(&error).to_string())?;
            // Secret: an error may say where the JSON is wrong, but never quote it.
            let credential = record.body.as_deref().map(serde_json::from_slice).transpose();
            return Ok(Self::Credential(id, credential.map_err(|error| Causes(&error).to_string())?));
        }
        let name = record.wire_name().map_err(|error| Causes(&error).to_string())?;
        let envelope = Envelope::read(record).map_err(|error| Causes(&error).to_string())?;
        if recorded.place.stream != Stream::Access {
            for header in [SEQUENCE, COMMANDID, COMMANDDIGEST] {
                record.required(header).map_err(|error| Causes(&error).to_string())?;
            }
        }
        let body = record.body.as_deref().ok_or("the record has no body")?;
        match recorded.place.stream {
            Stream::UserEvents => {
                let id = envelope.subject.parse().map_err(|error| Causes(&error).to_string())?;
                let event = user::Event::from_json(name, body).map_err(|error| Causes(&error).to_string())?;
                Ok(Self::User(id, Box::new(event), envelope))
            }
            Stream::GroupEvents if envelope.subject == deployment::SUBJECT => {
                let event =
                    deployment::Event::from_json(name, body).map_err(|error| Causes(&error).to_string())?;
                Ok(Self::Deployment(event, envelope))
            }
            Stream::GroupEvents if envelope.subject.starts_with(WebhookId::KIND) => {
                let id = envelope.subject.parse().map_err(|error| Causes(&error).to_string())?;
                let event =
                    webhook::Event::from_json(name, body).map_err(|error| Causes(&error).to_string())?;
                Ok(Self::Webhook(id, Box::new(event), envelope))
            }
            Stream::GroupEvents => {
                let id = envelope.subject.parse().map_err(|error| Causes(&error).to_string())?;
                let event =
                    group::Event::from_json(name, body).map_err(|error| Causes(&error).to_string())?;
                Ok(Self::Group(id, event, envelope))
            }
            Stream::Access => {
                let event =
                    access::Event::from_json(name, body).map_err(|error| Causes(&error).to_string())?;
                Ok(Self::Access(event, envelope))
            }
            stream @ (Stream::Credentials | Stream::Reservations) => {
                Err(format!("a record of {stream} is no event that the views show"))
            }
        }
    }

    /// The envelope, if the record has one.
    pub(crate) fn envelope(&self) -> Option<&Envelope> {
        match self {
            Self::User(_, _, envelope)
            | Self::Group(_, _, envelope)
            | Self::Webhook(_, _, envelope)
            | Self::Deployment(_, envelope)
            | Self::Access(_, envelope) => Some(envelope),
            Self::Credential(..) | Self::Claim => None,
        }
    }

    /// The name in log lines.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::User(_, event, _) => event.wire_name(),
            Self::Group(_, event, _) => event.wire_name(),
            Self::Webhook(_, event, _) => event.wire_name(),
            Self::Deployment(event, _) => event.wire_name(),
            Self::Access(event, _) => event.wire_name(),
            Self::Credential(_, Some(_)) => "credential put",
            Self::Credential(_, None) => "credential removed",
            Self::Claim => "partition claimed",
        }
    }
}
