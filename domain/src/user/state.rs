//! A user's state, folded from its events, and the dispatch of each command to its subject.

use crate::actor::Roles;
use crate::aggregate::{Aggregate, Decision};
use crate::decision_context::DecisionContext;
use crate::group::GroupRef;
use crate::id::{AddressId, TokenId, UserId};
use crate::policy;
use crate::refusal::{Refusal, Refusals};
use crate::timestamp::Timestamp;
use crate::user::agent::UfaConfig;
use crate::user::profile::Personal;
use crate::user::rules::Rule;
use crate::user::{Command, Event, Lifecycle, UserStatus};

/// A user, or a name that nobody has registered yet. This one stream decides whether the name is taken (ADR 0004).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    id: UserId,
    version: u64,
    account: Option<Box<Account>>,
}

/// What rules need to know of a user who was ever registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The username. It never changes.
    pub username: Box<str>,
    /// Pending, active, suspended, rejected or deleted.
    pub lifecycle: Lifecycle,
    /// Names, phone, address.
    pub personal: Personal,
    /// The user's roles.
    pub roles: Roles,
    /// Sequence number of the event that the present password came with. 0 before the first password.
    pub password_version: u64,
    /// The general settings of the file agent. `None` while they are the default.
    pub config: Option<Box<UfaConfig>>,
    /// The rules of the file agent.
    pub rules: Vec<Rule>,
    /// Names of the mailboxes beside the default one.
    pub mailboxes: Vec<Box<str>>,
    /// Tokens that were not revoked, expired ones included.
    pub tokens: Vec<Token>,
    /// Tokens that were revoked.
    pub revoked: Vec<TokenId>,
}

/// What rules need to know of a token that was not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Which token.
    pub id: TokenId,
    /// Its name.
    pub name: Box<str>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

impl User {
    /// A user without events.
    pub fn new(id: UserId) -> Self {
        Self { id, version: 0, account: None }
    }

    /// A user restored from a snapshot taken at version `history`.
    pub fn restored(id: UserId, history: u64, account: Option<Box<Account>>) -> Self {
        Self { id, version: history, account }
    }

    /// Which user.
    pub fn id(&self) -> UserId {
        self.id
    }

    /// The account. `None` if the name was never registered.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_deref()
    }

    /// The user's roles.
    pub fn roles(&self) -> Roles {
        self.account().map_or(Roles::BASE, |account| account.roles)
    }

    /// The e-mail address that the user holds, as typed. Rejected and deleted users hold none (ADR 0011).
    pub fn holds(&self) -> Option<&str> {
        let account = self.account()?;
        match account.lifecycle {
            Lifecycle::Pending | Lifecycle::Active(_) | Lifecycle::Suspended(_) => {
                account.personal.email.as_deref()
            }
            Lifecycle::Rejected | Lifecycle::Deleted => None,
        }
    }

    /// Whether the user holds this e-mail address.
    pub fn holds_address(&self, address: AddressId) -> bool {
        self.holds().is_some_and(|held| AddressId::of(held) == address)
    }

    /// The status. `None` if the name was never registered.
    pub fn status(&self) -> Option<UserStatus> {
        self.account().map(|account| account.lifecycle.status())
    }

    /// The account. The policy has checked the state that the command needs.
    pub(crate) fn require_known(&self) -> Result<&Account, Refusal> {
        self.account().ok_or_else(policy::unknown_user)
    }

    /// An empty decision at the present version.
    pub(crate) fn decision(&self) -> Decision<Event> {
        Decision::after(self.version)
    }
}

impl Aggregate for User {
    type Command = Command;
    type Event = Event;

    fn version(&self) -> u64 {
        self.version
    }

    fn decide(&self, command: &Command, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        policy::require_state(command.action(), self.status())?;
        match command {
            Command::RegisterUser(command) => command.decide(self),
            Command::CreateUser(command) => command.decide(self, context),
            Command::MakeFirstAdministrator(command) => command.decide(self, context),
            Command::ApproveUser(command) => command.decide(self, context),
            Command::RejectUser(command) => command.decide(self),
            Command::ReconsiderUser => Ok(super::onboarding::reconsider(self)),
            Command::SuspendUser(command) => command.decide(self),
            Command::ReactivateUser => Ok(super::lifecycle::reactivate(self)),
            Command::DeleteUser => super::lifecycle::delete(self),
            Command::UpdateProfile(command) => command.decide(self),
            Command::ChangeGroup(command) => command.decide(self, context),
            Command::ResetPassword(command) => command.decide(self, context),
            Command::ChangePassword => super::password::change(self, context),
            Command::RehashPassword => super::password::rehash(self, context),
            Command::EditUfaConfig(command) => command.decide(self),
            Command::AddAgentRule(command) => command.decide(self, context),
            Command::EditAgentRule(command) => command.decide(self),
            Command::RemoveAgentRule(command) => command.decide(self),
            Command::CreateMailbox(command) => command.decide(self, context),
            Command::DeleteMailbox(command) => command.decide(self),
            Command::IssueAuthToken(command) => command.decide(self, context),
            Command::RevokeAuthToken(command) => command.decide(self),
            Command::GrantRole(command) => command.decide(self),
            Command::RevokeRole(command) => command.decide(self),
        }
    }

    fn evolve(&mut self, event: &Event, _: Timestamp) {
        self.version += 1;
        if let Event::Registered(event) = event {
            self.account = Some(Box::new(Account::registered(&event.username, event.personal.clone())));
        } else if let Some(account) = &mut self.account {
            account.evolve(event, self.version);
        }
    }
}

impl Account {
    fn registered(username: &str, personal: Personal) -> Self {
        Self {
            username: username.into(),
            lifecycle: Lifecycle::Pending,
            personal,
            roles: Roles::BASE,
            password_version: 0,
            config: None,
            rules: Vec::new(),
            mailboxes: Vec::new(),
            tokens: Vec::new(),
            revoked: Vec::new(),
        }
    }

    fn group(&mut self) -> Option<GroupRef> {
        match &mut self.lifecycle {
            Lifecycle::Active(group) | Lifecycle::Suspended(group) => group.take(),
            Lifecycle::Pending | Lifecycle::Rejected | Lifecycle::Deleted => None,
        }
    }

    fn evolve(&mut self, event: &Event, sequence: u64) {
        match event {
            Event::Registered(_) => {}
            Event::Approved(event) => self.lifecycle = Lifecycle::Active(event.group.clone()),
            Event::Rejected(_) => self.lifecycle = Lifecycle::Rejected,
            Event::Reconsidered(_) => self.lifecycle = Lifecycle::Pending,
            Event::Suspended(_) => self.lifecycle = Lifecycle::Suspended(self.group()),
            Event::Reactivated(_) => self.lifecycle = Lifecycle::Active(self.group()),
            Event::Deleted(_) => self.delete(),
            Event::ProfileUpdated(event) => {
                let email = self.personal.email.take();
                self.personal = Personal { email, ..event.personal.new.clone() };
            }
            Event::EmailChanged(event) => self.personal.email.clone_from(&event.personal.new.email),
            Event::GroupChanged(event) => match &mut self.lifecycle {
                Lifecycle::Active(group) | Lifecycle::Suspended(group) => {
                    *group = Some(event.group.new.clone());
                }
                Lifecycle::Pending | Lifecycle::Rejected | Lifecycle::Deleted => {}
            },
            Event::PasswordReset(_) | Event::PasswordChanged(_) => self.password_version = sequence,
            Event::UfaConfigEdited(event) => self.config = Some(Box::new(event.config.new.clone())),
            Event::AgentRuleAdded(event) => self.rules.push(event.rule.clone()),
            Event::AgentRuleEdited(event) => {
                let rule = self.rules.iter_mut().find(|rule| rule.id == event.rule.new.id);
                if let Some(rule) = rule {
                    *rule = event.rule.new.clone();
                }
            }
            Event::AgentRuleRemoved(event) => self.rules.retain(|rule| rule.id != event.rule_id),
            Event::MailboxCreated(event) => self.mailboxes.push(event.name.as_str().into()),
            Event::MailboxDeleted(event) => self.mailboxes.retain(|name| **name != *event.name),
            Event::AuthTokenIssued(event) => self.tokens.push(Token {
                id: event.token_id,
                name: event.name.as_str().into(),
                expires_at: event.expires_at,
            }),
            Event::AuthTokenRevoked(event) => {
                self.tokens.retain(|token| token.id != event.token_id);
                self.revoked.push(event.token_id);
            }
            Event::RoleGranted(event) => self.roles = self.roles.with(event.role),
            Event::RoleRevoked(event) => self.roles = self.roles.without(event.role),
        }
    }

    /// Forgets everything but the name, which stays taken.
    fn delete(&mut self) {
        let username = std::mem::take(&mut self.username);
        *self = Self::registered(&username, Personal::default());
        self.lifecycle = Lifecycle::Deleted;
    }
}
