//! The owners, with a few facts in place of a log: what they decide is what the command service decides.

use std::collections::{HashMap, HashSet};

use domain::actor::{Actor, Client, Role, Roles};
use domain::address::{self, Asked, Claimed, Reply, Trace};
use domain::aggregate::{Aggregate, DecisionContext, Limits};
use domain::command::{Answer, Ask, Command, Patch};
use domain::id::{AddressId, ClaimId, UserId};
use domain::position::Position;
use domain::timestamp::Timestamp;
use domain::user::{self, User, onboarding, profile};
use domain::username::Username;

pub(super) const ADDRESS: &str = "wanted@example.com";

pub(super) fn now() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000)
}

/// The claim with this number, made just now.
pub(super) fn claim(number: u64) -> ClaimId {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    ClaimId::from_uuid(uuid::Builder::from_unix_timestamp_millis(1_700_000_000_000, &bytes).into_uuid())
}

pub(super) fn id(name: &str) -> UserId {
    UserId::of(&Username::parse(name).unwrap())
}

pub(super) fn administrator() -> Actor {
    Actor::User { id: id("ada"), name: "ada".into(), roles: Roles::BASE.with(Role::Administrator) }
}

pub(super) fn command(name: &str, actor: Actor, asked: user::Command) -> Command {
    Command {
        id: format!("{} of {name}", asked.name()),
        actor,
        client: Client::default(),
        correlation_id: String::new(),
        traceparent: None,
        ask: Ask::User { id: id(name), expected_version: None, command: asked },
        prepared: None,
        claim: None,
        seen: Position::new(),
    }
}

pub(super) fn registration(name: &str, email: &str) -> user::Command {
    user::Command::RegisterUser(onboarding::RegisterUser {
        username: name.into(),
        first_name: "A".into(),
        last_name: "B".into(),
        email: email.into(),
        phone: None,
    })
}

pub(super) fn register(name: &str) -> Command {
    command(name, Actor::Anonymous, registration(name, ADDRESS))
}

pub(super) fn address_of(name: &str, email: Patch<String>) -> Command {
    let asked = profile::UpdateProfile { email, ..profile::UpdateProfile::default() };
    command(name, administrator(), user::Command::UpdateProfile(asked))
}

/// What the owners hold. Each question is decided and written in one step, as in a transaction.
#[derive(Clone, Default)]
pub(super) struct Owners {
    pub(super) trace: Option<Trace>,
    pub(super) users: HashMap<UserId, User>,
    pub(super) done: HashSet<(UserId, String)>,
    pub(super) void: HashSet<ClaimId>,
    /// How many claims were made so far; no two are the same.
    pub(super) claims: u64,
}

impl Owners {
    pub(super) fn user(&mut self, id: UserId) -> &mut User {
        self.users.entry(id).or_insert_with(|| User::nobody(id))
    }

    pub(super) fn holders(&self) -> usize {
        self.users.values().filter(|user| user.holds_address(AddressId::of(ADDRESS))).count()
    }

    pub(super) fn write(&mut self, id: UserId, events: &[user::Event]) {
        for event in events {
            self.user(id).evolve(event, now());
        }
    }

    /// What the command service does, with these few facts in place of a log.
    pub(super) fn decide(&mut self, asked: &Command) -> Answer {
        match &asked.ask {
            Ask::Claim { claim, holder, over, .. } => {
                Answer::OfAddress(match address::claim(self.trace, *claim, *holder, *over) {
                    Claimed::Written(trace) => {
                        self.trace = Some(trace);
                        Reply::Granted
                    }
                    Claimed::Already => Reply::Granted,
                    Claimed::Contested(trace) => Reply::Contested(trace),
                })
            }
            Ask::LetGo { id, address, claim, to, insists } => {
                let is_void = claim.is_some_and(|claim| self.void.contains(&claim));
                let to = (*to, &asked.actor);
                Answer::OfAddress(
                    match address::let_go(self.user(*id), *address, *claim, is_void, to, *insists, now()) {
                        Asked::Held => Reply::Held,
                        Asked::Undecided => Reply::Undecided,
                        Asked::Free { gives_way, void } => {
                            self.void.extend(void);
                            if let Some(decision) = gives_way {
                                self.write(*id, decision.events());
                            }
                            Reply::Free
                        }
                    },
                )
            }
            Ask::User { id, command, .. } => self.decide_user(*id, command, asked),
            Ask::Group { .. } | Ask::Barrier { .. } => unreachable!("no group is asked here"),
        }
    }

    pub(super) fn decide_user(&mut self, id: UserId, what: &user::Command, asked: &Command) -> Answer {
        let accepted = Answer::Accepted { version: 0, position: Position::new(), repeated: false };
        if self.done.contains(&(id, asked.id.clone())) {
            return accepted;
        }
        let context = DecisionContext { now: now(), group: None, prepared: None, limits: Limits::default() };
        let decision = match self.user(id).decide(what, &context) {
            Ok(decision) => decision,
            Err(refusals) => return Answer::Refused(refusals),
        };
        let moved = address::moves(self.user(id), decision.events(), now());
        if let Some(address) = moved.and_then(address::Moved::taken)
            && !asked
                .claim
                .is_some_and(|claim| claim.is_for(address, now()) && !self.void.contains(&claim.id))
        {
            return Answer::OfAddress(Reply::ClaimNeeded(address));
        }
        self.write(id, decision.events());
        self.done.insert((id, asked.id.clone()));
        accepted
    }
}
