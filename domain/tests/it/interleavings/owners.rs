//! Owners without a log: they decide as the command service does, on state that a test can clone.

use std::collections::{HashMap, HashSet};

use domain::actor::{Actor, Role, Roles};
use domain::address::{self, ReleaseDecision, ReservationHolder, ReservationReply, ReserveDecision};
use domain::aggregate::Aggregate;
use domain::command::{Answer, Ask, Command};
use domain::decision_context::{DecisionContext, Limits};
use domain::id::{AddressId, ReservationId, UserId};
use domain::names::Username;
use domain::patch::Patch;
use domain::testing;
use domain::timestamp::Timestamp;
use domain::user::{self, User, onboarding, profile};
use log_model::Position;

pub(super) const ADDRESS: &str = "wanted@example.com";

pub(super) fn now() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000)
}

/// The reservation with this number, made just now.
pub(super) fn reservation(number: u64) -> ReservationId {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    ReservationId::from_uuid(uuid::Builder::from_unix_timestamp_millis(1_700_000_000_000, &bytes).into_uuid())
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
        ..testing::command(Ask::User { id: id(name), expected_version: None, command: asked })
    }
}

pub(super) fn registration(name: &str, email: &str) -> user::Command {
    user::Command::RegisterUser(onboarding::RegisterUser {
        email: email.into(),
        ..testing::registration(name)
    })
}

pub(super) fn register(name: &str) -> Command {
    command(name, Actor::Anonymous, registration(name, ADDRESS))
}

pub(super) fn address_of(name: &str, email: Patch<String>) -> Command {
    let asked = profile::UpdateProfile { email, ..profile::UpdateProfile::default() };
    command(name, administrator(), user::Command::UpdateProfile(asked))
}

/// The state of all owners. Each question is decided and written in one step, as in a transaction.
#[derive(Clone, Default)]
pub(super) struct Owners {
    pub(super) known_holder: Option<ReservationHolder>,
    pub(super) users: HashMap<UserId, User>,
    pub(super) done: HashSet<(UserId, String)>,
    pub(super) void: HashSet<ReservationId>,
    /// Number of reservations made so far, which keeps them distinct.
    pub(super) reservations: u64,
}

impl Owners {
    pub(super) fn user(&mut self, id: UserId) -> &mut User {
        self.users.entry(id).or_insert_with(|| User::new(id))
    }

    pub(super) fn holders(&self) -> usize {
        self.users.values().filter(|user| user.holds_address(AddressId::of(ADDRESS))).count()
    }

    pub(super) fn write(&mut self, id: UserId, events: &[user::Event]) {
        for event in events {
            self.user(id).evolve(event, now());
        }
    }

    /// Decides as the command service does.
    pub(super) fn decide(&mut self, asked: &Command) -> Answer {
        match &asked.ask {
            Ask::ReserveAddress { reservation, holder, over, .. } => {
                Answer::OfAddress(match address::reserve(self.known_holder, *reservation, *holder, *over) {
                    ReserveDecision::Written(known_holder) => {
                        self.known_holder = Some(known_holder);
                        ReservationReply::Granted
                    }
                    ReserveDecision::Already => ReservationReply::Granted,
                    ReserveDecision::Contested(known_holder) => ReservationReply::Contested(known_holder),
                })
            }
            Ask::ReleaseAddress { id, address, reservation, to, insists } => {
                let is_void = reservation.is_some_and(|reservation| self.void.contains(&reservation));
                let to = (*to, &asked.actor);
                Answer::OfAddress(
                    match address::release(
                        self.user(*id),
                        *address,
                        *reservation,
                        is_void,
                        to,
                        *insists,
                        now(),
                    ) {
                        ReleaseDecision::Held => ReservationReply::Held,
                        ReleaseDecision::Undecided => ReservationReply::Undecided,
                        ReleaseDecision::Free { relinquished, void } => {
                            self.void.extend(void);
                            if let Some(decision) = relinquished {
                                self.write(*id, decision.events());
                            }
                            ReservationReply::Free
                        }
                    },
                )
            }
            Ask::User { id, command, .. } => self.decide_user(*id, command, asked),
            Ask::Group { .. } | Ask::Webhook { .. } | Ask::Barrier { .. } => {
                unreachable!("only users are asked here")
            }
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
        let moved = address::change(self.user(id), decision.events(), now());
        if let Some(address) = moved.and_then(address::AddressChange::taken)
            && !asked.reservation.is_some_and(|reservation| {
                reservation.is_for(address, now()) && !self.void.contains(&reservation.id)
            })
        {
            return Answer::OfAddress(ReservationReply::ReservationNeeded(address));
        }
        self.write(id, decision.events());
        self.done.insert((id, asked.id.clone()));
        accepted
    }
}
