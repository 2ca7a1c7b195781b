//! The first administrator, written without a running service: claims the partitions that it writes, so it is safe beside one.

use std::sync::Arc;
use std::time::Duration;

use domain::actor::Role;
use domain::command::{Answer, Ask, Command};
use domain::deployment::Initialised;
use domain::id::{AddressId, ReservationId, UserId};
use domain::names::Username;
use domain::refusal::{Code, Refusal};
use domain::reservation_saga::{ReservationSaga, Transition};
use domain::timestamp::Timestamp;
use domain::user;
use event_log::{AppendError, Batch, ClaimError, EventLog};
use log_model::partition;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::batch_draft::BatchDraft;
use crate::decision_base::DecisionBase;
use crate::ledger::Ledger;

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

/// How often and after which pause a claim is tried again when the log could not be reached.
const ABSENCES: usize = 3;
const ABSENCE: Duration = Duration::from_millis(500);

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
    let fresh = Ledger::new(0, log.partitions());
    accept(BatchDraft::default().decide(DecisionBase::committed(&fresh), command, None, now()).into())
        .map_err(InitialiseError::Refused)?;
    let first = Initialised { user_id: id, username: username.to_string() };
    let known_before = write(log, 0, |ledger, draft, now| {
        draft.initialise(ledger, command, &first, now)?;
        Ok(ledger.deployment().is_some())
    })?;
    accept(run_saga(log, command)?).map_err(|refusal| {
        let is_there = known_before && refusal.code == Code::NameTaken;
        InitialiseError::Refused(if is_there {
            let message = format!("This deployment was initialised with the administrator `{username}`.");
            Refusal::new(Code::AlreadyInitialised, message)
        } else {
            refusal
        })
    })
}

/// Asks one owner after another, by being each of them, until the command has its answer.
fn run_saga(log: &Arc<dyn EventLog>, command: &Command) -> Result<Answer, InitialiseError> {
    let partitions = log.partitions();
    let decide = |question: &Command| {
        let own = question.ask.route_key().partition(partitions);
        write(log, own, |ledger, draft, now| {
            Ok(Answer::from(draft.decide(DecisionBase::committed(ledger), question, None, now)))
        })
    };
    let claim = || ReservationId::from_uuid(Uuid::now_v7());
    let share = |user: UserId, address: AddressId| {
        partition::of(user.uuid(), partitions) == partition::of(address.uuid(), partitions)
    };
    let Some(mut saga) = ReservationSaga::of(command, claim(), share) else { return decide(command) };
    loop {
        std::thread::sleep(saga.pause());
        saga = match saga.clone().on_answer(decide(&saga.next_command())?, claim()) {
            Transition::Continue(next) => *next,
            Transition::Done(answer) => return Ok(answer),
            Transition::GiveUp => return Err(AppendError::Fenced.into()),
        };
    }
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
        accept(draft.decide(DecisionBase::committed(ledger), command, None, now).into())
    })
}

/// Claims a partition and writes what is decided.
fn write<T>(
    log: &Arc<dyn EventLog>,
    partition: u32,
    decide: impl Fn(&Ledger, &mut BatchDraft, Timestamp) -> Result<T, Refusal>,
) -> Result<T, InitialiseError> {
    let mut last = AppendError::Fenced;
    for _ in 0..TRIES {
        let mut ledger = Ledger::new(partition, log.partitions());
        let mut writer = claim(log, partition, &mut ledger)?;
        let mut draft = BatchDraft::default();
        let decided = decide(&ledger, &mut draft, now()).map_err(InitialiseError::Refused)?;
        let (records, _) = draft.finish();
        if records.is_empty() {
            return Ok(decided);
        }
        match writer.append(Batch { records }) {
            Ok(_) => return Ok(decided),
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
    let (mut tries, mut absences) = (0, 0);
    loop {
        *ledger = Ledger::new(partition, log.partitions());
        match log.claim(partition, ledger) {
            Err(ClaimError::Fenced) if tries < TRIES => tries += 1,
            // Topics that were made a moment ago may have no leader yet.
            Err(ClaimError::Unavailable(_)) if absences < ABSENCES => {
                absences += 1;
                std::thread::sleep(ABSENCE);
            }
            claimed => {
                ledger.finish_replay();
                return claimed;
            }
        }
    }
}

fn accept(answer: Answer) -> Result<(), Refusal> {
    match answer {
        // Where an address is to be asked about first, nothing else stands against it.
        Answer::Accepted { .. } | Answer::OfAddress(_) => Ok(()),
        Answer::Refused(mut refusals) => Err(refusals.remove(0)),
        Answer::Forbidden => Err(Refusal::new(Code::NotApplicable, "Only an operator may do this.")),
    }
}

/// What `initialise` and `recover` ask, as a command of the operator.
pub fn ask(
    id: String,
    username: &Username,
    asked: user::Command,
    prepared: domain::decision_context::Prepared,
) -> Command {
    Command {
        correlation_id: id.clone(),
        id,
        actor: domain::actor::Actor::System,
        client: domain::actor::Client::default(),
        traceparent: None,
        ask: Ask::User { id: UserId::of(username), expected_version: None, command: asked },
        prepared: Some(prepared),
        reservation: None,
        seen: log_model::Position::new(),
    }
}
