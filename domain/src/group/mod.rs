//! The group: its commands, events, rules and state.

use serde::{Deserialize, Serialize};

use crate::aggregate::{Aggregate, Decision};
use crate::decision_context::{DecisionContext, Prepared};
use crate::id::GroupId;
use crate::names::GroupName;
use crate::patch::Patch;
use crate::refusal::{Code, Refusal, Refusals};
use crate::text::{self, DESCRIPTION_LENGTH};
use crate::timestamp::Timestamp;
use crate::validation::Validation;
use crate::wire::Change;
use crate::{email, phone};

mod known;

pub use known::{GroupRef, KnownGroup};

#[cfg(test)]
mod spec;

/// How to reach the people in charge of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Contact {
    /// Phone number.
    #[serde(rename = "phone", default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// E-mail address.
    #[serde(rename = "email", default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A command about a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Create the group.
    CreateGroup(CreateGroup),
    /// Change what describes it.
    EditGroup(EditGroup),
    /// Take no new members.
    CloseGroup,
    /// Take new members again.
    ReopenGroup,
    /// Delete the group. It comes with [`Prepared::Emptied`], because only all partitions together know whether
    /// anybody is in the group (ADR 0010).
    DeleteGroup,
}

impl Command {
    /// The command's name in the audit log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateGroup(_) => "CreateGroup",
            Self::EditGroup(_) => "EditGroup",
            Self::CloseGroup => "CloseGroup",
            Self::ReopenGroup => "ReopenGroup",
            Self::DeleteGroup => "DeleteGroup",
        }
    }
}

/// Create a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateGroup {
    /// The group's name. It never changes.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Phone number of the people in charge.
    #[serde(default)]
    pub phone: Option<String>,
    /// E-mail address of the people in charge.
    #[serde(default)]
    pub email: Option<String>,
}

/// Change what describes a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditGroup {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub description: Patch<String>,
    /// Phone number of the people in charge.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub phone: Patch<String>,
    /// E-mail address of the people in charge.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub email: Patch<String>,
}

/// The group exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Created {
    /// Its name.
    #[serde(rename = "name")]
    pub name: String,
    /// What it is for.
    #[serde(rename = "description", default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How to reach the people in charge.
    #[serde(rename = "personal")]
    pub personal: Contact,
}

/// What describes the group changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Edited {
    /// What it is for, if that changed.
    #[serde(rename = "description", default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Change<Option<String>>>,
    /// How to reach the people in charge.
    #[serde(rename = "personal")]
    pub personal: Change<Contact>,
}

/// The group takes no new members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Closed {}

/// The group takes new members again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reopened {}

/// The group is gone. Its name may be taken again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Deleted {}

crate::wire::wire_events! {
    /// What has happened to a group.
    pub enum Event {
        /// The group exists.
        Created(Created) = "muster.group.created",
        /// What describes it changed.
        Edited(Edited) = "muster.group.edited",
        /// It takes no new members.
        Closed(Closed) = "muster.group.closed",
        /// It takes new members again.
        Reopened(Reopened) = "muster.group.reopened",
        /// It is gone.
        Deleted(Deleted) = "muster.group.deleted",
    }
}

/// A group's state, folded from its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    version: u64,
    details: Option<Details>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    name: String,
    description: Option<String>,
    contact: Contact,
    /// The version at which it was closed. `None` while it is open.
    closed_at: Option<u64>,
}

impl Group {
    /// What a user's rules need to know of the group. `None` before it is created and after it is deleted.
    pub fn known(&self, id: GroupId) -> Option<KnownGroup> {
        self.details.as_ref().map(|details| KnownGroup {
            group: GroupRef { id, name: details.name.clone() },
            closed: details.closed_at.is_some(),
        })
    }

    fn require_existing(&self) -> Result<&Details, Refusal> {
        self.details
            .as_ref()
            .ok_or_else(|| Refusal::new(Code::UnknownGroup, "There is no such group.").at("groupId"))
    }

    fn create(&self, command: &CreateGroup) -> Result<Decision<Event>, Refusals> {
        let mut check = Validation::new();
        let name = check.field("name", GroupName::parse(&command.name));
        let description =
            check.field("description", text::optional(command.description.as_deref(), DESCRIPTION_LENGTH));
        let phone = check.field("phone", phone::optional(command.phone.as_deref()));
        let email = check.field("email", email::optional(command.email.as_deref()));
        let (name, description, personal) =
            check.with((|| Some((name?, description?, Contact { phone: phone?, email: email? })))())?;
        if self.details.is_some() {
            return Err(Refusal::new(Code::NameTaken, format!("There is a group `{name}` already."))
                .at("name")
                .into());
        }
        Ok(Decision::after(self.version).event(Created { name: name.to_string(), description, personal }))
    }

    fn edit(&self, command: &EditGroup) -> Result<Decision<Event>, Refusals> {
        let group = self.require_existing()?;
        let mut check = Validation::new();
        let text = |text: &String| text::optional(Some(text), DESCRIPTION_LENGTH);
        let description =
            check.field("description", command.description.apply_optional(group.description.as_ref(), text));
        let phone =
            command.phone.apply_optional(group.contact.phone.as_ref(), |text| phone::optional(Some(text)));
        let phone = check.field("phone", phone);
        let email =
            command.email.apply_optional(group.contact.email.as_ref(), |text| email::optional(Some(text)));
        let email = check.field("email", email);
        let (description, contact) =
            check.with((|| Some((description?, Contact { phone: phone?, email: email? })))())?;
        let description = Change::between(&group.description, &description);
        let decision = Decision::after(self.version);
        if description.is_none() && contact == group.contact {
            return Ok(decision);
        }
        let personal = Change { old: group.contact.clone(), new: contact };
        Ok(decision.event(Edited { description, personal }))
    }

    /// The check that found the group empty still holds if the group has stayed closed since: nobody can have entered.
    fn delete(&self, prepared: Option<&Prepared>) -> Result<Decision<Event>, Refusals> {
        let group = self.require_existing()?;
        let Some(Prepared::Emptied { version }) = prepared else {
            let message = "Whether anybody is in this group has not been looked at.";
            return Err(Refusal::new(Code::GroupNotEmpty, message).at("groupId").into());
        };
        if group.closed_at.is_none_or(|closed_at| closed_at > *version) {
            let message = "This group was opened again while it was to be deleted.";
            return Err(Refusal::new(Code::StaleVersion, message).into());
        }
        Ok(Decision::after(self.version).event(Deleted {}))
    }
}

impl Aggregate for Group {
    type Command = Command;
    type Event = Event;

    fn version(&self) -> u64 {
        self.version
    }

    fn decide(&self, command: &Command, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let decision = Decision::after(self.version);
        match command {
            Command::CreateGroup(command) => self.create(command),
            Command::EditGroup(command) => self.edit(command),
            Command::CloseGroup if self.require_existing()?.closed_at.is_some() => Ok(decision),
            Command::CloseGroup => Ok(decision.event(Closed {})),
            Command::ReopenGroup if self.require_existing()?.closed_at.is_none() => Ok(decision),
            Command::ReopenGroup => Ok(decision.event(Reopened {})),
            Command::DeleteGroup => self.delete(context.prepared.as_ref()),
        }
    }

    fn evolve(&mut self, event: &Event, _: Timestamp) {
        self.version += 1;
        match (event, &mut self.details) {
            (Event::Created(Created { name, description, personal }), details) => {
                *details = Some(Details {
                    name: name.clone(),
                    description: description.clone(),
                    contact: personal.clone(),
                    closed_at: None,
                });
            }
            (Event::Edited(Edited { description, personal }), Some(details)) => {
                if let Some(description) = description {
                    details.description.clone_from(&description.new);
                }
                details.contact = personal.new.clone();
            }
            (Event::Closed(_), Some(details)) => details.closed_at = Some(self.version),
            (Event::Reopened(_), Some(details)) => details.closed_at = None,
            (Event::Deleted(_), details) => *details = None,
            (Event::Edited(_) | Event::Closed(_) | Event::Reopened(_), None) => {}
        }
    }
}
