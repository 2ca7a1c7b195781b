//! The webhook's state and rules.

use std::time::Duration;

use super::commands::{Command, CreateWebhook, EditWebhook, ReplayWebhook, RotateSecret};
use super::content_type::ContentType;
use super::event_types::EventTypes;
use super::events::{
    Created, Deleted, DeliveryRetried, Edited, Event, Paused, Replayed, Resumed, SecretRotated,
};
use super::name::WebhookName;
use super::target;
use crate::aggregate::{Aggregate, Decision};
use crate::credential::{CredentialId, Kind};
use crate::decision_context::{DecisionContext, Prepared};
use crate::group::GroupRef;
use crate::id::{GroupId, WebhookId};
use crate::patch::Patch;
use crate::refusal::{Code, Refusal, Refusals};
use crate::timestamp::Timestamp;
use crate::validation::Validation;
use crate::wire::Change;

#[cfg(test)]
#[path = "state_spec.rs"]
mod spec;

/// How long the old secret signs beside a new one, unless the caller says otherwise.
const OVERLAP: Duration = Duration::from_hours(24);
/// The longest such time.
const LONGEST_OVERLAP: Duration = Duration::from_hours(24 * 30);

/// A webhook's state, folded from its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Webhook {
    version: u64,
    details: Option<Details>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    id: WebhookId,
    url: String,
    types: EventTypes,
    group: Option<GroupRef>,
    content_type: ContentType,
    is_paused: bool,
    /// The event that the present secret came with.
    secret: u64,
    /// The event that the secret before it came with, while it still signs.
    old_secret: Option<u64>,
}

impl Webhook {
    /// Whether it exists.
    pub fn exists(&self) -> bool {
        self.details.is_some()
    }

    fn require_existing(&self) -> Result<&Details, Refusal> {
        self.details
            .as_ref()
            .ok_or_else(|| Refusal::new(Code::UnknownWebhook, "There is no such webhook.").at("webhookId"))
    }

    fn create(
        &self,
        command: &CreateWebhook,
        context: &DecisionContext,
    ) -> Result<Decision<Event>, Refusals> {
        let mut check = Validation::new();
        let name = check.field("name", WebhookName::parse(&command.name));
        let url = check.field("url", target::parse(&command.url));
        let types = check.nested("types", EventTypes::parse(&command.types));
        let group = check.field("groupId", group(command.group_id, context));
        let content_type =
            command.content_type.as_deref().map_or(Ok(ContentType::default()), ContentType::parse);
        let content_type = check.field("contentType", content_type);
        let (name, url, types, group, content_type) =
            check.with((|| Some((name?, url?, types?, group?, content_type?)))())?;
        if self.exists() {
            let message = format!("There is a webhook `{}` already.", name.as_str());
            return Err(Refusal::new(Code::NameTaken, message).at("name").into());
        }
        let (sealed, after) = match &context.prepared {
            Some(Prepared::WebhookSecret { sealed, after: Some(after) }) => (sealed.clone(), after.clone()),
            _ => return Err(Refusal::new(Code::Required, "No webhook secret came with the command.").into()),
        };
        let id = WebhookId::named(name.as_str());
        let decision = Decision::after(self.version);
        let secret = CredentialId::WebhookSecret(id, decision.next_sequence());
        let created = Created { name: name.as_str().to_owned(), url, types, group, content_type, after };
        Ok(decision.event(created).put(secret, Kind::WebhookSecret { sealed }))
    }

    fn edit(&self, command: &EditWebhook, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let webhook = self.require_existing()?;
        let mut check = Validation::new();
        let url = check.field("url", command.url.apply_required(&webhook.url, |url| target::parse(url)));
        let types = match &command.types {
            Patch::Keep => Ok(webhook.types.clone()),
            Patch::Clear => Ok(EventTypes::default()),
            Patch::Set(types) => EventTypes::parse(types),
        };
        let types = check.nested("types", types);
        let of = |id: &GroupId| group(Some(*id), context);
        let group = match &command.group_id {
            Patch::Keep => Ok(webhook.group.clone()),
            Patch::Clear => Ok(None),
            Patch::Set(id) => of(id),
        };
        let group = check.field("groupId", group);
        let content_type = match &command.content_type {
            Patch::Keep => Ok(webhook.content_type),
            Patch::Clear => Ok(ContentType::default()),
            Patch::Set(text) => ContentType::parse(text),
        };
        let content_type = check.field("contentType", content_type);
        let (url, types, group, content_type) =
            check.with((|| Some((url?, types?, group?, content_type?)))())?;
        let edited = Edited {
            url: Change::between(&webhook.url, &url),
            types: Change::between(&webhook.types, &types),
            group: Change::between(&webhook.group, &group),
            content_type: Change::between(&webhook.content_type, &content_type),
        };
        let decision = Decision::after(self.version);
        Ok(if edited == Edited::default() { decision } else { decision.event(edited) })
    }

    /// The secret before the present one stops at the latest now, so that no more than two are ever valid.
    fn rotate(&self, command: &RotateSecret, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let webhook = self.require_existing()?;
        let overlap = command.overlap_seconds.map_or(OVERLAP, Duration::from_secs);
        if overlap > LONGEST_OVERLAP {
            let message = format!("At most {} seconds are allowed.", LONGEST_OVERLAP.as_secs());
            return Err(Refusal::new(Code::OutOfRange, message).at("overlapSeconds").into());
        }
        let Some(Prepared::WebhookSecret { sealed, .. }) = &context.prepared else {
            return Err(Refusal::new(Code::Required, "No webhook secret came with the command.").into());
        };
        let decision = Decision::after(self.version);
        let secret = CredentialId::WebhookSecret(webhook.id, decision.next_sequence());
        let overlap_until = (!overlap.is_zero()).then(|| context.now + overlap);
        let mut decision = decision
            .event(SecretRotated { overlap_until })
            .put(secret, Kind::WebhookSecret { sealed: sealed.clone() });
        let ended = webhook.old_secret.into_iter().chain(overlap_until.is_none().then_some(webhook.secret));
        for number in ended {
            decision = decision.remove(CredentialId::WebhookSecret(webhook.id, number));
        }
        Ok(decision)
    }

    fn replay(
        &self,
        command: &ReplayWebhook,
        context: &DecisionContext,
    ) -> Result<Decision<Event>, Refusals> {
        self.require_existing()?;
        let replayed = match (&command.after, command.from, &context.prepared) {
            (Some(_), Some(_), _) => {
                let message = "Give either a position or an instant to begin at.";
                return Err(Refusal::new(Code::NotApplicable, message).at("from").into());
            }
            (None, None, _) => {
                let message = "Give a position or an instant to begin at.";
                return Err(Refusal::new(Code::Required, message).at("after").into());
            }
            (None, Some(from), _) => Replayed { after: None, from: Some(from) },
            (Some(_), None, Some(Prepared::ReplayAfter { after })) => {
                Replayed { after: Some(after.clone()), from: None }
            }
            (Some(_), None, _) => {
                return Err(Refusal::new(Code::Required, "No position came with the command.").into());
            }
        };
        Ok(Decision::after(self.version).event(replayed))
    }

    fn delete(&self) -> Result<Decision<Event>, Refusals> {
        let webhook = self.require_existing()?;
        let mut decision = Decision::after(self.version).event(Deleted {});
        for number in std::iter::once(webhook.secret).chain(webhook.old_secret) {
            decision = decision.remove(CredentialId::WebhookSecret(webhook.id, number));
        }
        Ok(decision)
    }
}

/// The group that a command names. It may be closed: its members still have events.
fn group(id: Option<GroupId>, context: &DecisionContext) -> Result<Option<GroupRef>, Refusal> {
    let Some(id) = id else { return Ok(None) };
    let known = context.group.as_ref().filter(|known| known.group.id == id);
    let known = known.ok_or_else(|| Refusal::new(Code::UnknownGroup, "There is no such group."))?;
    Ok(Some(known.group.clone()))
}

impl Aggregate for Webhook {
    type Command = Command;
    type Event = Event;

    fn version(&self) -> u64 {
        self.version
    }

    fn decide(&self, command: &Command, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let decision = Decision::after(self.version);
        match command {
            Command::CreateWebhook(command) => self.create(command, context),
            Command::EditWebhook(command) => self.edit(command, context),
            Command::PauseWebhook if self.require_existing()?.is_paused => Ok(decision),
            Command::PauseWebhook => Ok(decision.event(Paused {})),
            // Also ends what only the webhook service knows of: that the receiver had said that it is gone.
            Command::ResumeWebhook => {
                self.require_existing().map(|_| decision.event(Resumed {})).map_err(Into::into)
            }
            Command::RotateWebhookSecret(command) => self.rotate(command, context),
            Command::ReplayWebhook(command) => self.replay(command, context),
            Command::RetryDelivery(command) => {
                self.require_existing()?;
                Ok(decision.event(DeliveryRetried { delivery_id: command.delivery_id }))
            }
            Command::DeleteWebhook => self.delete(),
        }
    }

    fn evolve(&mut self, event: &Event, at: Timestamp) {
        self.version += 1;
        let version = self.version;
        match (event, &mut self.details) {
            (Event::Created(created), details) => {
                *details = Some(Details {
                    id: WebhookId::named(&created.name),
                    url: created.url.clone(),
                    types: created.types.clone(),
                    group: created.group.clone(),
                    content_type: created.content_type,
                    is_paused: false,
                    secret: version,
                    old_secret: None,
                });
            }
            (Event::Edited(edited), Some(details)) => {
                if let Some(url) = &edited.url {
                    details.url.clone_from(&url.new);
                }
                if let Some(types) = &edited.types {
                    details.types.clone_from(&types.new);
                }
                if let Some(group) = &edited.group {
                    details.group.clone_from(&group.new);
                }
                if let Some(content_type) = &edited.content_type {
                    details.content_type = content_type.new;
                }
            }
            (Event::Paused(_), Some(details)) => details.is_paused = true,
            (Event::Resumed(_), Some(details)) => details.is_paused = false,
            (Event::SecretRotated(rotated), Some(details)) => {
                details.old_secret =
                    rotated.overlap_until.filter(|until| *until > at).map(|_| details.secret);
                details.secret = version;
            }
            (Event::Deleted(_), details) => *details = None,
            (Event::Replayed(_) | Event::DeliveryRetried(_), Some(_))
            | (
                Event::Edited(_)
                | Event::Paused(_)
                | Event::Resumed(_)
                | Event::SecretRotated(_)
                | Event::Replayed(_)
                | Event::DeliveryRetried(_),
                None,
            ) => {}
        }
    }
}
