//! Mailboxes, in which files wait for a user.

use serde::{Deserialize, Serialize};

use crate::aggregate::Decision;
use crate::decision_context::DecisionContext;
use crate::id::{MailboxId, UserId};
use crate::refusal::{Code, Refusal, Refusals};
use crate::text::{self, DESCRIPTION_LENGTH};
use crate::user::input::label;
use crate::user::rules::Kind;
use crate::user::{Event, User};
use crate::validation::Validation;

#[cfg(test)]
#[path = "specs/mailboxes.rs"]
pub(crate) mod spec;

/// The mailbox that every user has from the start.
pub const DEFAULT: &str = "default";

/// Name of the downstream topic with a mailbox's files.
pub fn topic(username: &str, mailbox: &str) -> String {
    format!("amps.mailbox.{username}.{mailbox}")
}

/// Add a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateMailbox {
    /// Unique within the user.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
}

/// Delete a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteMailbox {
    /// Which mailbox.
    pub mailbox_id: MailboxId,
}

/// The user has a new mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MailboxCreated {
    /// Derived from the user and the name.
    #[serde(rename = "mailboxId")]
    pub mailbox_id: MailboxId,
    /// Its name.
    #[serde(rename = "name")]
    pub name: String,
    /// What it is for.
    #[serde(rename = "description", default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A mailbox was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MailboxDeleted {
    /// Which mailbox.
    #[serde(rename = "mailboxId")]
    pub mailbox_id: MailboxId,
    /// Its name.
    #[serde(rename = "name")]
    pub name: String,
}

impl CreateMailbox {
    pub(crate) fn decide(&self, user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let account = user.require_known()?;
        let mut check = Validation::new();
        let name = check.field("name", label(&self.name));
        let description =
            check.field("description", text::optional(self.description.as_deref(), DESCRIPTION_LENGTH));
        let (name, description) = check.with((|| Some((name?, description?)))())?;
        if name == DEFAULT || account.mailboxes.iter().any(|known| **known == *name) {
            let message = format!("There is a mailbox `{name}` already.");
            return Err(Refusal::new(Code::NameTaken, message).at("name").into());
        }
        // The default mailbox counts too.
        if account.mailboxes.len() + 1 >= context.limits.mailboxes {
            let most = context.limits.mailboxes;
            return Err(Refusal::new(Code::TooMany, format!("A user has at most {most} mailboxes.")).into());
        }
        let mailbox_id = MailboxId::of(user.id(), &name);
        Ok(user.decision().event(MailboxCreated { mailbox_id, name, description }))
    }
}

impl DeleteMailbox {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let account = user.require_known()?;
        let refuse = |code, message: &str| Err(Refusal::new(code, message).at("mailboxId").into());
        if self.mailbox_id == default_of(user.id()) {
            return refuse(Code::DefaultMailbox, "The default mailbox always exists.");
        }
        let name = account.mailboxes.iter().find(|name| MailboxId::of(user.id(), name) == self.mailbox_id);
        let Some(name) = name else {
            return refuse(Code::UnknownMailbox, "The user has no such mailbox.");
        };
        let delivers = |kind: &Kind| matches!(kind, Kind::Download(download) if *download.mailbox == **name);
        if account.rules.iter().any(|rule| delivers(&rule.kind)) {
            return refuse(Code::MailboxInUse, "A rule uses this mailbox.");
        }
        Ok(user.decision().event(MailboxDeleted { mailbox_id: self.mailbox_id, name: name.to_string() }))
    }
}

/// The id of the user's default mailbox.
pub fn default_of(user: UserId) -> MailboxId {
    MailboxId::of(user, DEFAULT)
}
