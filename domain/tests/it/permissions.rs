//! What the policy says beforehand is what a command then answers: portals offer exactly what would be accepted.

use domain::actor::{Actor, Role, Roles};
use domain::aggregate::Aggregate;
use domain::credential::Scope;
use domain::decision_context::{DecisionContext, Limits};
use domain::group::GroupRef;
use domain::id::{GroupId, MailboxId, UserId};
use domain::names::{GroupName, Username};
use domain::patch::Patch;
use domain::policy::{Denial, Subject, may, may_now};
use domain::refusal::Refusals;
use domain::user::{
    Account, Action, Command, User, agent, lifecycle, mailboxes, onboarding, password, profile, roles, rules,
    tokens,
};
use proptest::prelude::*;

use crate::histories::{command, context, id};

/// Actions about a name, whoever holds it. Portals don't offer them for a user.
const ABOUT_NAMES: [Action; 3] = [Action::RegisterUser, Action::CreateUser, Action::MakeFirstAdministrator];

/// What an owner answers: nothing, or why not.
fn answer(actor: &Actor, user: &User, command: &Command) -> Result<(), Denied> {
    may(actor, command.action(), user.id(), user.roles()).map_err(Denied::from)?;
    let context = DecisionContext { limits: Limits::default(), ..context(command, user) };
    user.decide(command, &context).map(drop).map_err(Denied::Refused)
}

#[derive(Debug, PartialEq, Eq)]
enum Denied {
    Forbidden,
    Refused(Refusals),
}

impl From<Denial> for Denied {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Forbidden => Self::Forbidden,
            Denial::Refused(refusal) => Self::Refused(refusal.into()),
        }
    }
}

/// A command that asks for nothing wrong. `None` if the user has nothing that it could be about.
fn harmless(action: Action, account: &Account) -> Option<Command> {
    let staff = GroupId::of(&GroupName::parse("staff").unwrap());
    let group = GroupRef { id: staff, name: "staff".into() };
    Some(match action {
        Action::RegisterUser | Action::CreateUser | Action::MakeFirstAdministrator => return None,
        Action::ApproveUser => Command::ApproveUser(onboarding::ApproveUser { group_id: group.id }),
        Action::RejectUser => Command::RejectUser(onboarding::RejectUser { reason: "r".into() }),
        Action::ReconsiderUser => Command::ReconsiderUser,
        Action::SuspendUser => Command::SuspendUser(lifecycle::SuspendUser { reason: "r".into() }),
        Action::ReactivateUser => Command::ReactivateUser,
        Action::DeleteUser => Command::DeleteUser,
        Action::UpdateProfile => Command::UpdateProfile(profile::UpdateProfile::default()),
        Action::ChangeGroup => Command::ChangeGroup(profile::ChangeGroup { group_id: group.id }),
        Action::ResetPassword => Command::ResetPassword(password::ResetPassword::default()),
        Action::ChangePassword => Command::ChangePassword,
        Action::RehashPassword => Command::RehashPassword,
        Action::EditUfaConfig => Command::EditUfaConfig(agent::EditUfaConfig::default()),
        Action::AddAgentRule => Command::AddAgentRule(rules::AddAgentRule {
            name: "fresh-rule".into(),
            active: true,
            poll_interval: 300,
            subscribers: 5,
            kind: rules::NewKind::Upload(rules::NewUpload {
                match_pattern: "*".into(),
                regex: false,
                upload_format: String::new(),
                metadata: vec![],
                ack_mode: rules::AckMode::None,
            }),
        }),
        Action::EditAgentRule => {
            let rule = account.rules.first()?;
            let changes = match rule.kind {
                rules::Kind::Upload(_) => rules::RuleChanges::Upload(rules::UploadChanges::default()),
                rules::Kind::Download(_) => rules::RuleChanges::Download(rules::DownloadChanges::default()),
            };
            let (active, poll_interval, subscribers) = (Patch::Keep, Patch::Keep, Patch::Keep);
            let rule_id = rule.id;
            Command::EditAgentRule(rules::EditAgentRule {
                rule_id,
                active,
                poll_interval,
                subscribers,
                changes,
            })
        }
        Action::RemoveAgentRule => {
            Command::RemoveAgentRule(rules::RemoveAgentRule { rule_id: account.rules.first()?.id })
        }
        Action::CreateMailbox => Command::CreateMailbox(mailboxes::CreateMailbox {
            name: "fresh-mailbox".into(),
            description: None,
        }),
        Action::DeleteMailbox => {
            let is_used = |name: &str| {
                account
                    .rules
                    .iter()
                    .any(|rule| matches!(&rule.kind, rules::Kind::Download(it) if it.mailbox == name))
            };
            let unused = account.mailboxes.iter().find(|name| !is_used(name))?;
            let mailbox_id = MailboxId::of(id(), unused);
            Command::DeleteMailbox(mailboxes::DeleteMailbox { mailbox_id })
        }
        Action::IssueAuthToken => Command::IssueAuthToken(tokens::IssueAuthToken {
            name: "fresh-token".into(),
            scopes: vec![Scope::Sftp],
            expires_at: None,
            allowed_networks: vec![],
        }),
        Action::RevokeAuthToken => {
            let token_id = account.tokens.first()?.id;
            Command::RevokeAuthToken(tokens::RevokeAuthToken { token_id })
        }
        Action::GrantRole => Command::GrantRole(roles::GrantRole { role: Role::Administrator }),
        Action::RevokeRole => Command::RevokeRole(roles::RevokeRole { role: Role::Administrator }),
    })
}

/// Nobody, the system, the user, and others with every set of roles that there is.
fn actors(user: &User) -> Vec<Actor> {
    let other = UserId::of(&Username::parse("other").unwrap());
    let named = |id, roles| Actor::User { id, name: "somebody".into(), roles };
    vec![
        Actor::Anonymous,
        Actor::System,
        named(user.id(), user.roles()),
        named(other, Roles::BASE),
        named(other, Roles::EVERY),
        named(other, Roles::EVERY.without(Role::User)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn an_action_is_allowed_exactly_if_its_command_is_accepted(
        commands in proptest::collection::vec(command(), 1..40),
    ) {
        let mut user = User::new(id());
        for command in &commands {
            let context = context(command, &user);
            if let Ok(decision) = user.decide(command, &context) {
                for event in decision.events() {
                    user.evolve(event, context.now);
                }
            }
            let Some(account) = user.account() else { continue };
            let subject =
                Subject { id: user.id(), roles: account.roles, status: account.lifecycle.status() };
            for action in Action::ALL.iter().copied().filter(|action| !ABOUT_NAMES.contains(action)) {
                let Some(command) = harmless(action, account) else { continue };
                prop_assert_eq!(command.action(), action);
                for actor in actors(&user) {
                    let said = may_now(&actor, action, &subject).map_err(Denied::from);
                    prop_assert_eq!(said, answer(&actor, &user, &command), "{:?} by {:?}", action, &actor);
                }
            }
        }
    }
}
