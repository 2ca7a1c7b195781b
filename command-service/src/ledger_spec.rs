//! An owner that begins with a snapshot ends up with the same state as one that replays everything, and an owner that
//! decides ahead decides the same as one that waits.

use std::collections::BTreeMap;

use domain::actor::{Actor, Role};
use domain::address::{EmailReservation, ReservationReply};
use domain::command::{Answer, Ask, Command};
use domain::decision_context::Prepared;
use domain::group::{GroupRef, KnownGroup};
use domain::id::{AddressId, ReservationId};
use domain::names::GroupName;
use domain::names::Username;
use domain::patch::Patch;
use domain::testing;
use domain::timestamp::Timestamp;
use domain::user::{self, onboarding, profile};
use event_log::envelope::Stamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::batch_draft::BatchDraft;
use crate::decision_base::DecisionBase;
use crate::outcome::CommandOutcome;

/// One step of a history, about one of three users and one of three addresses.
#[derive(Debug, Clone, Copy)]
struct Step {
    user: usize,
    address: usize,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Register,
    Approve,
    Reject,
    Delete,
    ChangeEmail,
    Reserve,
    LetGo,
}

fn step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![
        3 => Just(What::Register),
        2 => Just(What::Approve),
        1 => Just(What::Reject),
        1 => Just(What::Delete),
        4 => Just(What::ChangeEmail),
        2 => Just(What::Reserve),
        2 => Just(What::LetGo),
    ];
    (0..3_usize, 0..3_usize, what).prop_map(|(user, address, what)| Step { user, address, what })
}

/// The time of every step, in microseconds: one second after the reservations were made.
const NOW: i64 = 0x0190_0000_0000 * 1_000 + 1_000_000;

/// The reservation made in a step has the step's number.
fn reservation(number: usize) -> ReservationId {
    ReservationId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128))
}

/// The command of a step, and its group. `granted` is the reservation of this address granted to this user.
fn command(number: usize, step: Step, granted: Option<ReservationId>) -> (Command, Option<KnownGroup>) {
    let Step { user, address, what } = step;
    let name = ["alice", "bob", "carol"][user];
    let email = ["a@x.example", "b@x.example", "c@x.example"][address];
    let (id, address) = (UserId::of(&Username::parse(name).unwrap()), AddressId::of(email));
    let group = GroupRef { id: GroupId::of(&GroupName::parse("staff").unwrap()), name: "staff".to_owned() };
    let of_user = |command| Ask::User { id, expected_version: None, command };
    let ask = match what {
        What::Register => of_user(user::Command::RegisterUser(onboarding::RegisterUser {
            email: email.to_owned(),
            ..testing::registration(name)
        })),
        What::Approve => of_user(user::Command::ApproveUser(onboarding::ApproveUser { group_id: group.id })),
        What::Reject => {
            of_user(user::Command::RejectUser(onboarding::RejectUser { reason: "no".to_owned() }))
        }
        What::Delete => of_user(user::Command::DeleteUser),
        What::ChangeEmail => of_user(user::Command::UpdateProfile(profile::UpdateProfile {
            email: Patch::Set(email.to_owned()),
            ..profile::UpdateProfile::default()
        })),
        What::Reserve => {
            Ask::ReserveAddress { address, reservation: reservation(number), holder: id, over: None }
        }
        What::LetGo => Ask::ReleaseAddress {
            id,
            address,
            reservation: granted.or(Some(reservation(number))),
            to: UserId::from_uuid(Uuid::nil()),
            insists: number.is_multiple_of(2),
        },
    };
    let administrator = Actor::User { id, name: "ada".into(), roles: Roles::BASE.with(Role::Administrator) };
    let actor = if let What::Register = what { Actor::Anonymous } else { administrator };
    let command = Command {
        id: format!("command {number}"),
        actor,
        prepared: Some(Prepared::TemporaryPassword { digest: "00".into(), expires_at: Timestamp::MAX }),
        reservation: granted.map(|id| EmailReservation { id, address }),
        ..testing::command(ask)
    };
    (command, Some(KnownGroup { group, closed: false }))
}

/// What happens after a step is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    /// What was decided is handed to the log, unless it is still writing.
    Launch,
    /// The batch in flight is committed.
    Land,
}

fn then() -> impl Strategy<Value = Then> {
    prop_oneof![Just(Then::Nothing), Just(Then::Launch), Just(Then::Land)]
}

/// An owner and the records it has written.
struct Written {
    ledger: Ledger,
    /// The reservation granted to a user for an address.
    granted: HashMap<(usize, usize), ReservationId>,
    in_flight: Option<LedgerChanges>,
    records: Vec<Recorded>,
}

impl Written {
    /// By an owner that decides each step in a batch of its own.
    fn one_by_one(steps: &[Step]) -> Self {
        let mut written = Self::nothing();
        for (number, step) in steps.iter().enumerate() {
            let mut draft = BatchDraft::default();
            written.decide(&mut draft, number, *step);
            written.launch(&mut draft);
            written.land();
        }
        written
    }

    /// By an owner that decides while it writes.
    fn ahead(steps: &[(Step, Then)]) -> Self {
        let mut written = Self::nothing();
        let mut draft = BatchDraft::default();
        for (number, (step, then)) in steps.iter().enumerate() {
            written.decide(&mut draft, number, *step);
            match then {
                Then::Launch if written.in_flight.is_none() => written.launch(&mut draft),
                Then::Nothing | Then::Launch => {}
                Then::Land => written.land(),
            }
        }
        written.land();
        written.launch(&mut draft);
        written.land();
        written
    }

    fn nothing() -> Self {
        Self { ledger: Ledger::new(0, 1), granted: HashMap::new(), in_flight: None, records: Vec::new() }
    }

    fn decide(&mut self, draft: &mut BatchDraft, number: usize, step: Step) {
        let (of_whom, what) = ((step.user, step.address), step.what);
        let (command, known) = command(number, step, self.granted.get(&of_whom).copied());
        let base =
            DecisionBase { in_flight: self.in_flight.as_ref(), ..DecisionBase::committed(&self.ledger) };
        let outcome = draft.decide(base, &command, known, Timestamp::from_micros(NOW));
        if let CommandOutcome::Answered(Answer::OfAddress(ReservationReply::Granted)) = outcome
            && let What::Reserve = what
        {
            self.granted.insert(of_whom, reservation(number));
        }
    }

    fn launch(&mut self, draft: &mut BatchDraft) {
        let (records, changes) = std::mem::take(draft).finish();
        for (stream, record) in records {
            let offset = self.records.len() as u64;
            self.records.push(Recorded { place: StreamPartition::new(stream, 0), offset, record });
        }
        self.in_flight = Some(changes);
    }

    fn land(&mut self) {
        if let Some(changes) = self.in_flight.take() {
            self.ledger.commit(changes, &Position::new());
        }
    }

    /// The records that a claim replays.
    fn replayed(&self) -> Vec<Recorded> {
        let is_replayed = |recorded: &&Recorded| recorded.place.stream != Stream::Credentials;
        self.records.iter().filter(is_replayed).cloned().collect()
    }

    /// What was written, without the ids and times that differ each time.
    fn texts(&self) -> Vec<String> {
        let text = |Recorded { place, record, .. }: &Recorded| {
            let body = String::from_utf8_lossy(record.body.as_deref().unwrap_or(b"nothing"));
            let what = record.wire_name().ok();
            let sequence = Stamp::read(record).ok().map(|stamp| stamp.sequence);
            format!("{place} {} {what:?} {sequence:?} {body}", record.key)
        };
        self.records.iter().map(text).collect()
    }
}

fn replay(mut ledger: Ledger, records: &[Recorded]) -> Ledger {
    for recorded in records {
        ledger.replay(recorded).unwrap();
    }
    ledger.finish_replay();
    ledger
}

/// Everything known from the log, in a comparable form.
fn known(ledger: &Ledger) -> impl PartialEq + std::fmt::Debug {
    let (blocks, _) = ledger.users.blocks();
    let users: BTreeMap<_, _> = blocks.map(|(id, _)| (id, ledger.users.load(id).unwrap())).collect();
    (users, ledger.addresses.known(&ledger.users))
}

proptest! {
    #[test]
    fn a_snapshot_and_the_records_after_it_yield_the_same_state_as_all_records(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let written = Written::one_by_one(&steps);
        let (records, ledger) = (written.replayed(), &written.ledger);
        let whole = replay(Ledger { key: ledger.key, ..Ledger::new(0, 1) }, &records);
        prop_assert_eq!(known(&whole), known(ledger));
        for at in 0..=records.len() {
            let before = replay(Ledger { key: ledger.key, ..Ledger::new(0, 1) }, &records[..at]);
            let mut after = Ledger::new(0, 1);
            after.restore(&mut before.snapshot().into_iter().map(Ok)).unwrap();
            let after = replay(after, &records[at..]);
            prop_assert_eq!(known(&after), known(&whole));
        }
    }

    #[test]
    fn what_is_decided_while_a_batch_is_written_is_what_would_be_decided_after_it(
        steps in proptest::collection::vec((step(), then()), 1..40),
    ) {
        let ahead = Written::ahead(&steps);
        let steps: Vec<_> = steps.into_iter().map(|(step, _)| step).collect();
        prop_assert_eq!(ahead.texts(), Written::one_by_one(&steps).texts());
        let whole = replay(Ledger { key: ahead.ledger.key, ..Ledger::new(0, 1) }, &ahead.replayed());
        prop_assert_eq!(known(&whole), known(&ahead.ledger));
    }
}
