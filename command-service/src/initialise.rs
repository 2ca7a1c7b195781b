//! Writes the first administrator, and resets one's password, without a running service.
//!
//! Claims each partition it writes, so it is safe while services run (docs/adr/0001-one-writer-per-partition.md).

use std::collections::HashMap;
use std::sync::Arc;

use domain::actor::Role;
use domain::command::{Answer, Ask, Command};
use domain::deployment::Initialised;
use domain::id::{AddressId, ReservationId, UserId};
use domain::names::Username;
use domain::refusal::{Code, Refusal};
use domain::reservation_saga::{ReservationSaga, Transition};
use domain::timestamp::Timestamp;
use domain::user;
use event_log::{AppendError, Batch, ClaimError, EventLog, Skips, Unavailable, Writer};
use log_model::partition;
use time::OffsetDateTime;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::batch_draft::BatchDraft;
use crate::claiming::{ATTEMPTS, claim};
use crate::decision_base::DecisionBase;
use crate::ledger::Ledger;

/// Why the command was not written.
#[derive(Debug, thiserror::Error)]
pub enum InitialiseError {
    /// A rule refused it.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The log can't be claimed.
    #[error("the log can't be written")]
    Claim(#[from] ClaimError),
    /// The log can't be written.
    #[error("the log can't be written")]
    Append(#[from] AppendError),
}

/// Writes the first administrator. `command` asks [`user::Command::MakeFirstAdministrator`] of `username`.
///
/// If several processes try at the same time, one wins. An attempt that was cut off half-way is finished by the next one
/// with the same name. Blocks: not for async tasks.
pub fn initialise(
    log: &Arc<dyn EventLog>,
    username: &Username,
    command: &Command,
) -> Result<(), InitialiseError> {
    let id = UserId::of(username);
    // Invalid input is refused before the log names a first administrator.
    let fresh = Ledger::new(0, log.partitions());
    accept(BatchDraft::default().decide(DecisionBase::committed(&fresh), command, None, now()).into())
        .map_err(InitialiseError::Refused)?;
    let partitions = Some(log.partitions());
    let first = Initialised { user_id: id, username: username.to_string(), partitions };
    let mut claims = Claims::of(log);
    let known_before = claims.write(0, |ledger, draft, now| {
        draft.initialise(ledger, command, &first, now)?;
        Ok(ledger.deployment().is_some())
    })?;
    accept(run_saga(&mut claims, command)?).map_err(|refusal| {
        let is_there = known_before && refusal.code == Code::NameTaken;
        InitialiseError::Refused(if is_there {
            let message = format!("This deployment was initialised with the administrator `{username}`.");
            Refusal::new(Code::AlreadyInitialised, message)
        } else {
            refusal
        })
    })
}

/// Runs the command's reservation saga, if it needs one, by acting as each owner in turn
/// (docs/adr/0011-one-holder-of-an-address.md).
fn run_saga(claims: &mut Claims<'_>, command: &Command) -> Result<Answer, InitialiseError> {
    let partitions = claims.log.partitions();
    let mut decide = |question: &Command| {
        let own = question.ask.route_key().partition(partitions);
        claims.write(own, |ledger, draft, now| {
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
/// Blocks: not for async tasks.
pub fn recover(
    log: &Arc<dyn EventLog>,
    username: &Username,
    command: &Command,
) -> Result<(), InitialiseError> {
    let id = UserId::of(username);
    Claims::of(log).write(partition::of(id.uuid(), log.partitions()), |ledger, draft, now| {
        if !ledger.roles(id).is_some_and(|roles| roles.contains(Role::Administrator)) {
            return Err(Refusal::new(Code::UnknownUser, format!("`{username}` is not an administrator.")));
        }
        accept(draft.decide(DecisionBase::committed(ledger), command, None, now).into())
    })
}

/// The partitions that are claimed. Claiming one reads all of its users, so it is done once and not for each step.
struct Claims<'a> {
    log: &'a Arc<dyn EventLog>,
    claimed: HashMap<u32, Claimed>,
}

struct Claimed {
    ledger: Ledger,
    writer: Box<dyn Writer>,
}

impl<'a> Claims<'a> {
    fn of(log: &'a Arc<dyn EventLog>) -> Self {
        Self { log, claimed: HashMap::new() }
    }

    /// Decides on the state of a partition and writes the result. Claims the partition, and once more after a failed
    /// append.
    fn write<T>(
        &mut self,
        partition: u32,
        decide: impl Fn(&Ledger, &mut BatchDraft, Timestamp) -> Result<T, Refusal>,
    ) -> Result<T, InitialiseError> {
        let mut last = AppendError::Fenced;
        for _ in 0..ATTEMPTS {
            let mut claimed = match self.claimed.remove(&partition) {
                Some(claimed) => claimed,
                None => self.claim(partition)?,
            };
            let mut draft = BatchDraft::default();
            let decided = decide(&claimed.ledger, &mut draft, now());
            let (records, changes) = draft.finish();
            let written = if decided.is_ok() && !records.is_empty() {
                let appended = claimed.writer.append(Batch { records });
                appended.map(|position| claimed.ledger.commit(changes, &position))
            } else {
                // What was decided holds only if nobody else has written since the claim.
                claimed.writer.confirm().map(drop)
            };
            match written {
                Ok(()) => {
                    self.claimed.insert(partition, claimed);
                    return decided.map_err(InitialiseError::Refused);
                }
                // The log knows whether it was written. The next claim reads it, and the decision then finds it done.
                Err(error) => last = error,
            }
        }
        Err(last.into())
    }

    fn claim(&self, partition: u32) -> Result<Claimed, ClaimError> {
        let log = self.log;
        let fresh = || {
            let skips = Handle::current().block_on(Skips::read(&**log)).map_err(not_read)?;
            Ok(Ledger::new(partition, log.partitions()).skipping(skips))
        };
        let (writer, mut ledger) = claim(log, partition, fresh)?;
        ledger.finish_replay();
        Ok(Claimed { ledger, writer })
    }
}

fn not_read(Unavailable(reason): Unavailable) -> ClaimError {
    ClaimError::Unavailable(reason)
}

fn now() -> Timestamp {
    OffsetDateTime::now_utc().into()
}

fn accept(answer: Answer) -> Result<(), Refusal> {
    match answer {
        // An answer about the address means that no other rule stands against the command.
        Answer::Accepted { .. } | Answer::OfAddress(_) => Ok(()),
        Answer::Refused(mut refusals) => Err(refusals.remove(0)),
        Answer::Forbidden => Err(Refusal::new(Code::NotApplicable, "Only an operator may do this.")),
    }
}

/// The command that [`initialise`] or [`recover`] takes, with the operator as its actor.
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
