//! The first administrator, written without a running service: claims the partitions that it writes, so it is safe beside one.

use std::cell::Cell;
use std::sync::Arc;

use domain::actor::Role;
use domain::aggregate::Limits;
use domain::command::{Answer, Ask, Command};
use domain::deployment::Initialised;
use domain::id::UserId;
use domain::refusal::{Code, Refusal};
use domain::timestamp::Timestamp;
use domain::user;
use domain::username::Username;
use event_log::{AppendError, Batch, ClaimError, EventLog, partition};
use time::OffsetDateTime;

use crate::ledger::{Draft, Ledger, Outcome};

/// Why there is no administrator now who was not there before.
#[derive(Debug, thiserror::Error)]
pub enum InitialiseError {
    /// A rule said no.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The log can't be claimed.
    #[error("the log can't be written")]
    Claim(#[from] ClaimError),
    /// The log can't be written.
    #[error("the log can't be written")]
    Append(#[from] AppendError),
}

/// How often a claim is tried again when others claim at the same time.
const TRIES: usize = 20;

/// Writes the first administrator. `command` asks [`user::Command::MakeFirstAdministrator`] of `username`.
///
/// Of several that try at once, one wins. One that was cut off half-way is finished by the next with the same name.
/// Blocks: call it on a thread that may.
pub fn initialise(
    log: &Arc<dyn EventLog>,
    username: &Username,
    command: &Command,
) -> Result<(), InitialiseError> {
    let id = UserId::of(username);
    // What is wrong with the input is found before anybody stands in the log as the first.
    let fresh = Ledger::default();
    accept(fresh.draft(Limits::default()).decide(command, None, now())).map_err(InitialiseError::Refused)?;
    let first = Initialised { user_id: id, username: username.to_string() };
    let known_before = Cell::new(false);
    write(log, 0, |ledger, draft, now| {
        known_before.set(ledger.deployment().is_some());
        draft.initialise(command, &first, now)
    })?;
    let own = partition::of(id.uuid(), log.partitions());
    write(log, own, |_, draft, now| {
        accept(draft.decide(command, None, now)).map_err(|refusal| {
            let is_there = known_before.get() && refusal.code == Code::NameTaken;
            if !is_there {
                return refusal;
            }
            let message = format!("This deployment was initialised with the administrator `{username}`.");
            Refusal::new(Code::AlreadyInitialised, message)
        })
    })
}

/// Gives an administrator a new temporary password. `command` asks [`user::Command::ResetPassword`] of `username`.
///
/// Blocks: call it on a thread that may.
pub fn recover(
    log: &Arc<dyn EventLog>,
    username: &Username,
    command: &Command,
) -> Result<(), InitialiseError> {
    let id = UserId::of(username);
    write(log, partition::of(id.uuid(), log.partitions()), |ledger, draft, now| {
        if !ledger.roles(id).is_some_and(|roles| roles.contains(Role::Administrator)) {
            return Err(Refusal::new(Code::UnknownUser, format!("`{username}` is not an administrator.")));
        }
        accept(draft.decide(command, None, now))
    })
}

fn write(
    log: &Arc<dyn EventLog>,
    partition: u32,
    decide: impl Fn(&Ledger, &mut Draft<'_>, Timestamp) -> Result<(), Refusal>,
) -> Result<(), InitialiseError> {
    let mut last = AppendError::Fenced;
    for _ in 0..TRIES {
        let mut ledger = Ledger::default();
        let mut writer = claim(log, partition, &mut ledger)?;
        let mut draft = ledger.draft(Limits::default());
        decide(&ledger, &mut draft, now()).map_err(InitialiseError::Refused)?;
        let (records, _) = draft.finish();
        if records.is_empty() {
            return Ok(());
        }
        match writer.append(Batch { records }) {
            Ok(_) => return Ok(()),
            // Whether it was written stands in the log, and the next claim reads it.
            Err(error) => last = error,
        }
    }
    Err(last.into())
}

fn now() -> Timestamp {
    OffsetDateTime::now_utc().into()
}

fn claim(
    log: &Arc<dyn EventLog>,
    partition: u32,
    ledger: &mut Ledger,
) -> Result<Box<dyn event_log::Writer>, ClaimError> {
    let mut tries = 0;
    loop {
        *ledger = Ledger::default();
        match log.claim(partition, &mut |recorded| ledger.replay(recorded)) {
            Err(ClaimError::Fenced) if tries < TRIES => tries += 1,
            other => return other,
        }
    }
}

fn accept(outcome: Outcome) -> Result<(), Refusal> {
    match outcome {
        Outcome::Written { .. } | Outcome::Repeated { .. } | Outcome::Answered(Answer::Accepted { .. }) => {
            Ok(())
        }
        Outcome::Answered(Answer::Refused(mut refusals)) => Err(refusals.remove(0)),
        Outcome::Answered(Answer::Forbidden) => {
            Err(Refusal::new(Code::NotApplicable, "Only an operator may do this."))
        }
    }
}

/// What `initialise` and `recover` ask, as a command of the operator.
pub fn ask(id: String, username: &Username, asked: user::Command, made: domain::aggregate::Made) -> Command {
    Command {
        correlation_id: id.clone(),
        id,
        actor: domain::actor::Actor::System,
        client: domain::actor::Client::default(),
        traceparent: None,
        ask: Ask::User { id: UserId::of(username), expected_version: None, command: asked },
        made: Some(made),
        seen: domain::position::Position::new(),
    }
}
