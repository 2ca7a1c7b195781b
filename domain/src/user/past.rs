//! A user at a point in the past: everything that portals show of it, folded from the events up to there.

use crate::actor::Roles;
use crate::credential::Scope;
use crate::group::GroupRef;
use crate::id::{MailboxId, UserId};
use crate::timestamp::Timestamp;
use crate::user::agent::UfaConfig;
use crate::user::mailboxes::{DEFAULT, default_of};
use crate::user::profile::Personal;
use crate::user::rules::Rule;
use crate::user::tokens::AuthTokenIssued;
use crate::user::{Event, UserStatus};

#[cfg(test)]
#[path = "specs/past.rs"]
mod spec;

/// Where passwords pass that their users have chosen.
const SERVICES_OF_PASSWORDS: [&str; 4] = ["portal", "sftp", "mailbox", "gateway"];

/// A user as they were after one of their events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastUser {
    /// The id.
    pub id: UserId,
    /// The username.
    pub username: String,
    /// Number of the user's last event up to then.
    pub sequence: u64,
    /// The status.
    pub status: UserStatus,
    /// Why the user was rejected or suspended.
    pub status_reason: Option<String>,
    /// The group; `None` before approval and for the first administrator.
    pub group: Option<GroupRef>,
    /// Names, phone, address.
    pub personal: Personal,
    /// The roles.
    pub roles: Roles,
    /// Whether the user had a password that they had chosen themselves. A temporary one passes nowhere.
    pub has_chosen_password: bool,
    /// The configuration of the file agent.
    pub config: UfaConfig,
    /// The user's version at the last change of the agent's configuration or rules.
    pub ufa_version: u64,
    /// The time of the last change of the agent's configuration or rules.
    pub ufa_updated_at: Timestamp,
    /// The rules of the file agent, by name.
    pub rules: Vec<Rule>,
    /// The mailboxes, by name.
    pub mailboxes: Vec<PastMailbox>,
    /// The tokens, the newest first, revoked ones too.
    pub tokens: Vec<PastToken>,
}

/// A mailbox as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastMailbox {
    /// The id.
    pub id: MailboxId,
    /// The name, unique within the user.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A token as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastToken {
    /// What it was issued with.
    pub issued: AuthTokenIssued,
    /// Number of the event that issued it.
    pub version: u64,
    /// When it was issued.
    pub created_at: Timestamp,
    /// Whether it was revoked by then.
    pub revoked: bool,
}

impl PastUser {
    /// The user after one more event, with this number and time. `None` for an event of a user who was never registered.
    pub fn after(
        before: Option<Self>,
        id: UserId,
        event: &Event,
        (sequence, time): (u64, Timestamp),
    ) -> Option<Self> {
        let mut user = match event {
            Event::Registered(registered) => {
                let mut user = Self::empty(id, registered.username.clone(), (sequence, time));
                user.personal = registered.personal.clone();
                user.put_mailbox(default_of(id), DEFAULT, None, time);
                return Some(user);
            }
            Event::Deleted(_) => {
                let status = UserStatus::Deleted;
                return Some(Self { status, ..Self::empty(id, before?.username, (sequence, time)) });
            }
            _ => before?,
        };
        user.sequence = sequence;
        user.evolve(event, time);
        Some(user)
    }

    /// A user with nothing but the name.
    fn empty(id: UserId, username: String, (sequence, time): (u64, Timestamp)) -> Self {
        Self {
            id,
            username,
            sequence,
            status: UserStatus::Pending,
            status_reason: None,
            group: None,
            personal: Personal::default(),
            roles: Roles::BASE,
            has_chosen_password: false,
            config: UfaConfig::default(),
            ufa_version: sequence,
            ufa_updated_at: time,
            rules: Vec::new(),
            mailboxes: Vec::new(),
            tokens: Vec::new(),
        }
    }

    fn evolve(&mut self, event: &Event, time: Timestamp) {
        match event {
            // Those begin anew, above.
            Event::Registered(_) | Event::Deleted(_) => {}
            Event::Approved(approved) => {
                self.stand(UserStatus::Active, None);
                self.group.clone_from(&approved.group);
            }
            Event::Rejected(rejected) => self.stand(UserStatus::Rejected, Some(&rejected.reason)),
            Event::Reconsidered(_) => self.stand(UserStatus::Pending, None),
            Event::Suspended(suspended) => self.stand(UserStatus::Suspended, Some(&suspended.reason)),
            Event::Reactivated(_) => self.stand(UserStatus::Active, None),
            Event::ProfileUpdated(updated) => {
                let email = self.personal.email.take();
                self.personal = Personal { email, ..updated.personal.new.clone() };
            }
            Event::EmailChanged(changed) => self.personal.email.clone_from(&changed.personal.new.email),
            Event::GroupChanged(changed) => self.group = Some(changed.group.new.clone()),
            Event::PasswordReset(_) => self.has_chosen_password = false,
            Event::PasswordChanged(_) => self.has_chosen_password = true,
            Event::UfaConfigEdited(edited) => {
                self.config = edited.config.new.clone();
                self.agent_changed(time);
            }
            Event::AgentRuleAdded(added) => self.put_rule(&added.rule, time),
            Event::AgentRuleEdited(edited) => self.put_rule(&edited.rule.new, time),
            Event::AgentRuleRemoved(removed) => {
                self.rules.retain(|rule| rule.id != removed.rule_id);
                self.agent_changed(time);
            }
            Event::MailboxCreated(created) => {
                self.put_mailbox(created.mailbox_id, &created.name, created.description.as_deref(), time);
            }
            Event::MailboxDeleted(deleted) => {
                self.mailboxes.retain(|mailbox| mailbox.id != deleted.mailbox_id);
            }
            Event::AuthTokenIssued(issued) => {
                let (issued, version) = (issued.clone(), self.sequence);
                self.tokens.insert(0, PastToken { issued, version, created_at: time, revoked: false });
            }
            Event::AuthTokenRevoked(revoked) => {
                let token = self.tokens.iter_mut().find(|token| token.issued.token_id == revoked.token_id);
                if let Some(token) = token {
                    token.revoked = true;
                }
            }
            Event::RoleGranted(granted) => self.roles = self.roles.with(granted.role),
            Event::RoleRevoked(revoked) => self.roles = self.roles.without(revoked.role),
        }
    }

    /// The services that the user could pass at this instant, with the password or with a token. Empty unless active.
    pub fn services(&self, at: Timestamp) -> Vec<&'static str> {
        if self.status != UserStatus::Active {
            return Vec::new();
        }
        let mut services = Vec::new();
        if self.has_chosen_password {
            services.extend(SERVICES_OF_PASSWORDS);
        }
        let living = self.tokens.iter().filter(|token| token.is_living(at));
        for scope in living.flat_map(|token| &token.issued.scopes) {
            let opens = *scope != Scope::Events || self.roles.may_audit();
            if opens && !services.contains(&scope.name()) {
                services.push(scope.name());
            }
        }
        services
    }

    fn stand(&mut self, status: UserStatus, reason: Option<&String>) {
        self.status = status;
        self.status_reason = reason.cloned();
    }

    fn agent_changed(&mut self, time: Timestamp) {
        self.ufa_version = self.sequence;
        self.ufa_updated_at = time;
    }

    fn put_rule(&mut self, rule: &Rule, time: Timestamp) {
        self.rules.retain(|known| known.id != rule.id);
        let at = self.rules.partition_point(|known| known.name < rule.name);
        self.rules.insert(at, rule.clone());
        self.agent_changed(time);
    }

    fn put_mailbox(&mut self, id: MailboxId, name: &str, description: Option<&str>, created_at: Timestamp) {
        self.mailboxes.retain(|known| known.id != id);
        let at = self.mailboxes.partition_point(|known| *known.name < *name);
        let (name, description) = (name.to_owned(), description.map(str::to_owned));
        self.mailboxes.insert(at, PastMailbox { id, name, description, created_at });
    }
}

impl PastToken {
    /// Whether it opened anything at this instant: it was neither revoked nor expired.
    pub fn is_living(&self, at: Timestamp) -> bool {
        !self.revoked && self.issued.expires_at.is_none_or(|end| end > at)
    }
}
