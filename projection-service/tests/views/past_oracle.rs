//! Random histories of some users, and how each user was at any instant: folded by the rules of commands, not by views.

use std::collections::BTreeMap;

use domain::actor::Role;
use domain::aggregate::Aggregate;
use domain::decision_context::Prepared;
use domain::id::{GroupId, MailboxId, RuleId, TokenId, UserId};
use domain::patch::Patch;
use domain::testing::{creation, registration};
use domain::timestamp::Timestamp;
use domain::user::agent::EditUfaConfig;
use domain::user::lifecycle::SuspendUser;
use domain::user::mailboxes::{CreateMailbox, DEFAULT, DeleteMailbox};
use domain::user::onboarding::{ApproveUser, CreateUser, RejectUser};
use domain::user::password::ResetPassword;
use domain::user::past::PastUser;
use domain::user::profile::{ChangeGroup, UpdateProfile};
use domain::user::roles::{GrantRole, RevokeRole};
use domain::user::rules::{
    AckMode, AddAgentRule, EditAgentRule, NewKind, NewUpload, RemoveAgentRule, RuleChanges, UploadChanges,
};
use domain::user::tokens::{IssueAuthToken, RevokeAuthToken};
use domain::user::{Command as C, Event, User, UserStatus};
use event_log::envelope::Envelope;
use fastrand::Rng;
use log_model::Stream;

use crate::story::{Story, chosen, group_of, id_of, scopes, temporary, token_secret};

pub(crate) const GROUPS: [&str; 3] = ["acme", "globex", "north"];
const USERS: usize = 30;

/// What was told of each user: the events with their times, in order.
#[derive(Default)]
pub(crate) struct Oracle(BTreeMap<UserId, Vec<(Timestamp, Event)>>);

/// The user as the command side knows them, with the reason that it does not keep.
pub(crate) struct Known {
    user: User,
    reason: Option<String>,
    pub(crate) since: Timestamp,
}

impl Oracle {
    /// Learns what the story has told and nobody has written yet.
    pub(crate) fn listen(&mut self, story: &Story) {
        for (stream, record) in story.events.iter().filter(|(stream, _)| *stream == Stream::UserEvents) {
            let envelope = Envelope::read(record).unwrap();
            let event = Event::from_json(record.wire_name().unwrap(), record.body.as_deref().unwrap());
            let events = self.0.entry(envelope.subject.parse().unwrap()).or_default();
            events.push((envelope.time, event.unwrap()));
            assert_eq!((events.len() as u64, *stream), (envelope.sequence, Stream::UserEvents));
        }
    }

    /// The ids of all users.
    pub(crate) fn users(&self) -> Vec<UserId> {
        self.0.keys().copied().collect()
    }

    /// How many events were told.
    pub(crate) fn events(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// The earliest and the latest time.
    pub(crate) fn times(&self) -> (Timestamp, Timestamp) {
        let times = || self.0.values().flatten().map(|(time, _)| *time);
        (times().min().unwrap(), times().max().unwrap())
    }

    /// The user at this instant: after the events up to the first that is later.
    pub(crate) fn at(&self, id: UserId, at: Timestamp) -> Option<Known> {
        self.after(id, self.0[&id].iter().take_while(|(time, _)| *time <= at).count())
    }

    /// The user after the first events, this number of them.
    pub(crate) fn after(&self, id: UserId, events: usize) -> Option<Known> {
        let events = self.0[&id].iter().take(events);
        let mut known: Option<Known> = None;
        for (time, event) in events {
            let before =
                known.get_or_insert_with(|| Known { user: User::new(id), reason: None, since: *time });
            before.user.evolve(event, *time);
            before.since = before.since.max(*time);
            match event {
                Event::Rejected(rejected) => before.reason = Some(rejected.reason.clone()),
                Event::Suspended(suspended) => before.reason = Some(suspended.reason.clone()),
                Event::Registered(_)
                | Event::Reconsidered(_)
                | Event::Reactivated(_)
                | Event::Approved(_)
                | Event::Deleted(_) => before.reason = None,
                _ => {}
            }
        }
        known
    }

    /// Who was in any of these states, and in this group, at this instant. In the order of lists.
    pub(crate) fn list(&self, at: Timestamp, states: &[UserStatus], group: Option<GroupId>) -> Vec<UserId> {
        let mut found: Vec<_> = self
            .users()
            .into_iter()
            .filter_map(|id| Some((self.at(id, at)?, id)))
            .filter(|(known, _)| states.contains(&known.user.status().unwrap()))
            .filter(|(known, _)| group.is_none_or(|group| known.group() == Some(group)))
            .map(|(known, id)| (known.since, id))
            .collect();
        found.sort_unstable_by_key(|(since, id)| (*since, id.uuid()));
        found.into_iter().map(|(_, id)| id).collect()
    }
}

impl Known {
    fn group(&self) -> Option<GroupId> {
        Some(self.user.account()?.lifecycle.group()?.id)
    }

    /// Compares everything that both know.
    pub(crate) fn compare(&self, past: &PastUser) {
        let account = self.user.account().unwrap();
        let status = self.user.status().unwrap();
        assert_eq!((past.id, past.sequence), (self.user.id(), self.user.version()));
        assert_eq!((past.status, &past.status_reason), (status, &self.reason));
        assert_eq!(past.username, *account.username);
        assert_eq!((past.group.as_ref(), past.roles), (account.lifecycle.group(), account.roles));
        assert_eq!(past.personal, account.personal);
        assert_eq!(past.config, account.config.as_deref().cloned().unwrap_or_default());
        let mut rules = account.rules.clone();
        rules.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(past.rules, rules);
        let mut mailboxes: Vec<&str> = account.mailboxes.iter().map(|name| &**name).collect();
        mailboxes.extend((status != UserStatus::Deleted).then_some(DEFAULT));
        mailboxes.sort_unstable();
        assert_eq!(past.mailboxes.iter().map(|it| &*it.name).collect::<Vec<_>>(), mailboxes);
        let living =
            past.tokens.iter().rev().filter(|token| !token.revoked).map(|token| token.issued.token_id);
        assert_eq!(living.collect::<Vec<_>>(), account.tokens.iter().map(|it| it.id).collect::<Vec<_>>());
        let revoked = past.tokens.iter().filter(|token| token.revoked).map(|token| token.issued.token_id);
        let (mut revoked, mut known): (Vec<_>, _) = (revoked.collect(), account.revoked.clone());
        revoked.sort_unstable_by_key(|id| id.uuid());
        known.sort_unstable_by_key(|id| id.uuid());
        assert_eq!(revoked, known);
    }
}

/// Tells of this number of attempts to change random users. The clock goes back now and then.
pub(crate) fn tell(story: &mut Story, rng: &mut Rng, attempts: usize) {
    for _ in 0..attempts {
        match rng.u8(0..8) {
            0 => story.earlier(rng.u64(0..30)),
            1..=3 => story.later(rng.u64(0..20)),
            // The clock stands still.
            4 => story.earlier(1),
            _ => {}
        }
        let name = format!("user-{}", rng.usize(0..USERS));
        let (command, prepared) = command(story, rng, &name);
        // What the rules refuse changes nothing.
        drop(story.attempt(&name, &command, prepared));
    }
}

fn command(story: &Story, rng: &mut Rng, name: &str) -> (C, Option<Prepared>) {
    let id = id_of(name);
    let label = ["in", "out", "default"][rng.usize(0..3)];
    let group_id = group_of(GROUPS[rng.usize(0..GROUPS.len())]);
    let text = format!("text {}", rng.u16(..));
    let version = story.maybe_version(name);
    let token_id = TokenId::issued_at(id, rng.u64(1..version + 2));
    let plain = |command: C| (command, None);
    match rng.u8(0..26) {
        0..=2 => plain(C::RegisterUser(registration(name))),
        3 => (C::CreateUser(CreateUser { ..creation(name, group_id) }), Some(temporary())),
        4..=6 => (C::ApproveUser(ApproveUser { group_id }), Some(temporary())),
        7 => plain(C::RejectUser(RejectUser { reason: text })),
        8 => plain(C::ReconsiderUser),
        9 => plain(C::SuspendUser(SuspendUser { reason: text })),
        10 | 11 => plain(C::ReactivateUser),
        12 if rng.u8(0..3) == 0 => plain(C::DeleteUser),
        12 | 13 => {
            let email = rng.bool().then(|| format!("{}@mail.example", rng.u16(..)));
            let email = email.map_or(Patch::Keep, Patch::Set);
            let profile = UpdateProfile { first_name: Patch::Set(text), email, ..UpdateProfile::default() };
            plain(C::UpdateProfile(profile))
        }
        14 | 15 => plain(C::ChangeGroup(ChangeGroup { group_id })),
        16 => (C::ResetPassword(ResetPassword { revoke_tokens: rng.bool() }), Some(temporary())),
        17 => (C::ChangePassword, Some(chosen(rng.u64(1..version + 2)))),
        18 => {
            let max_jobs = Patch::Set(rng.i32(1..5));
            plain(C::EditUfaConfig(EditUfaConfig { max_jobs, ..EditUfaConfig::default() }))
        }
        19 => plain(rule(rng, id, label)),
        20 => plain(C::CreateMailbox(CreateMailbox { name: label.to_owned(), description: Some(text) })),
        21 => plain(C::DeleteMailbox(DeleteMailbox { mailbox_id: MailboxId::of(id, label) })),
        22 | 23 => {
            let (scopes, allowed_networks) = (scopes(), Vec::new());
            let token = IssueAuthToken { name: text, scopes, expires_at: None, allowed_networks };
            (C::IssueAuthToken(token), Some(token_secret()))
        }
        24 => plain(C::RevokeAuthToken(RevokeAuthToken { token_id })),
        _ if rng.bool() => plain(C::GrantRole(GrantRole { role: Role::Administrator })),
        _ => plain(C::RevokeRole(RevokeRole { role: Role::Administrator })),
    }
}

fn rule(rng: &mut Rng, user: UserId, name: &str) -> C {
    let rule_id = RuleId::of(user, name);
    match rng.u8(0..4) {
        0 => C::RemoveAgentRule(RemoveAgentRule { rule_id }),
        1 => C::EditAgentRule(EditAgentRule {
            rule_id,
            active: Patch::Keep,
            poll_interval: Patch::Set(rng.i32(1..100)),
            subscribers: Patch::Keep,
            changes: RuleChanges::Upload(UploadChanges::default()),
        }),
        _ => C::AddAgentRule(AddAgentRule {
            name: name.to_owned(),
            active: true,
            poll_interval: 300,
            subscribers: 5,
            kind: NewKind::Upload(NewUpload {
                match_pattern: "./uploads/*".to_owned(),
                regex: false,
                upload_format: String::new(),
                metadata: Vec::new(),
                ack_mode: AckMode::None,
            }),
        }),
    }
}
