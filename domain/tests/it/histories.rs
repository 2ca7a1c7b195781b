//! Random histories: strategies for commands, and the context in which each is decided.

use domain::actor::Role;
use domain::credential::Scope;
use domain::decision_context::{DecisionContext, Limits, Prepared};
use domain::group::{GroupRef, KnownGroup};
use domain::id::{GroupId, MailboxId, RuleId, TokenId, UserId};
use domain::names::GroupName;
use domain::names::Username;
use domain::patch::Patch;
use domain::testing;
use domain::timestamp::Timestamp;
use domain::user::{
    Command, User, agent, lifecycle, mailboxes, onboarding, password, profile, roles, rules, tokens,
};
use proptest::prelude::*;

/// The user of every history.
pub(crate) fn id() -> UserId {
    UserId::of(&Username::parse("alice").unwrap())
}

fn group() -> GroupRef {
    GroupRef { id: GroupId::of(&GroupName::parse("staff").unwrap()), name: "staff".into() }
}

/// Valid and invalid names, so that rules both accept and refuse.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("alice".to_owned()),
        Just("a b".to_owned()),
        Just(String::new()),
        "[a-c]{1,2}",
        "\\PC{0,4}"
    ]
}

fn patch<T: std::fmt::Debug + Clone + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Patch<T>> {
    prop_oneof![Just(Patch::Keep), Just(Patch::Clear), value.prop_map(Patch::Set)].boxed()
}

fn upload() -> impl Strategy<Value = rules::NewKind> {
    name().prop_map(|text| {
        rules::NewKind::Upload(rules::NewUpload {
            match_pattern: text.clone(),
            regex: text.len() % 2 == 0,
            upload_format: text,
            metadata: vec![],
            ack_mode: rules::AckMode::None,
        })
    })
}

fn download() -> impl Strategy<Value = rules::NewKind> {
    prop_oneof![Just("default".to_owned()), name()].prop_map(|mailbox| {
        rules::NewKind::Download(rules::NewDownload {
            mailbox,
            deliver_policy: rules::DeliverPolicy::New,
            start_time: None,
            download_path: "./d".into(),
            max_files: 1,
        })
    })
}

fn onboarding() -> impl Strategy<Value = Command> {
    let register = (name(), name()).prop_map(|(username, first_name)| {
        let last_name = first_name.clone();
        let registration = testing::registration(&username);
        let email = "a@b.example".to_owned();
        Command::RegisterUser(onboarding::RegisterUser { first_name, last_name, email, ..registration })
    });
    let create = name().prop_map(|username| Command::CreateUser(testing::creation(&username, group().id)));
    prop_oneof![
        register,
        create,
        Just(Command::ApproveUser(onboarding::ApproveUser { group_id: group().id })),
        name().prop_map(|reason| Command::RejectUser(onboarding::RejectUser { reason })),
        Just(Command::ReconsiderUser),
        name().prop_map(|reason| Command::SuspendUser(lifecycle::SuspendUser { reason })),
        Just(Command::ReactivateUser),
        Just(Command::ChangeGroup(profile::ChangeGroup { group_id: group().id })),
    ]
}

fn editing() -> impl Strategy<Value = Command> {
    let profile = (patch(name()), patch(name()), patch(name()), patch(name())).prop_map(
        |(first_name, last_name, phone, email)| {
            Command::UpdateProfile(profile::UpdateProfile { first_name, last_name, phone, email })
        },
    );
    let config =
        (patch(any::<bool>()), patch(name()), patch(0..100_i32)).prop_map(|(debug, log_file, jobs)| {
            let max_jobs = jobs;
            Command::EditUfaConfig(agent::EditUfaConfig { debug, log_file, max_jobs, ..Default::default() })
        });
    let rule =
        (name(), 0..3_i32, prop_oneof![upload(), download()]).prop_map(|(name, poll_interval, kind)| {
            Command::AddAgentRule(rules::AddAgentRule {
                name,
                active: true,
                poll_interval,
                subscribers: 5,
                kind,
            })
        });
    let token = (name(), any::<bool>()).prop_map(|(name, agent)| {
        let scopes = if agent { vec![Scope::Agent] } else { vec![] };
        Command::IssueAuthToken(tokens::IssueAuthToken {
            name,
            scopes,
            expires_at: None,
            allowed_networks: vec![],
        })
    });
    prop_oneof![
        profile,
        config,
        rule,
        name()
            .prop_map(|n| Command::RemoveAgentRule(rules::RemoveAgentRule { rule_id: RuleId::of(id(), &n) })),
        name().prop_map(|name| Command::CreateMailbox(mailboxes::CreateMailbox { name, description: None })),
        name().prop_map(|n| Command::DeleteMailbox(mailboxes::DeleteMailbox {
            mailbox_id: MailboxId::of(id(), &n)
        })),
        token,
        (1..9_u64).prop_map(|n| {
            Command::RevokeAuthToken(tokens::RevokeAuthToken { token_id: TokenId::issued_at(id(), n) })
        }),
        any::<bool>()
            .prop_map(|revoke_tokens| { Command::ResetPassword(password::ResetPassword { revoke_tokens }) }),
        Just(Command::ChangePassword),
        Just(Command::GrantRole(roles::GrantRole { role: Role::Administrator })),
        Just(Command::RevokeRole(roles::RevokeRole { role: Role::Administrator })),
    ]
}

/// Any command.
pub(crate) fn command() -> impl Strategy<Value = Command> {
    prop_oneof![4 => onboarding(), 8 => editing(), 1 => Just(Command::DeleteUser)]
}

/// The context in which a command is decided.
pub(crate) fn context(command: &Command, user: &User) -> DecisionContext {
    let now = Timestamp::parse("2026-01-01T12:00:00Z").unwrap();
    let checked = user.account().map_or(0, |account| account.password_version);
    let prepared = match command {
        Command::ChangePassword | Command::RehashPassword => {
            Prepared::ChosenPassword { phc: "phc".into(), checked }
        }
        Command::IssueAuthToken(_) => Prepared::TokenSecret { digest: "digest".into() },
        _ => Prepared::TemporaryPassword { digest: "digest".into(), expires_at: now },
    };
    let limits = Limits { rules: 3, tokens: 3, mailboxes: 3 };
    DecisionContext {
        now,
        group: Some(KnownGroup { group: group(), closed: false }),
        prepared: Some(prepared),
        limits,
    }
}
