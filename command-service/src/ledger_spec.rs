//! An owner that begins with a snapshot knows what one knows that has read everything.

use domain::actor::{Actor, Client, Role};
use domain::aggregate::Made;
use domain::command::{Ask, Command, Patch};
use domain::group::{GroupName, GroupRef, Known};
use domain::id::{AddressId, ClaimId};
use domain::timestamp::Timestamp;
use domain::user::{onboarding, profile};
use domain::username::Username;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// One step of a history: of one of three users, with one of three addresses.
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
    Claim,
    LetGo,
}

fn step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![
        3 => Just(What::Register),
        2 => Just(What::Approve),
        1 => Just(What::Reject),
        1 => Just(What::Delete),
        4 => Just(What::ChangeEmail),
        2 => Just(What::Claim),
        2 => Just(What::LetGo),
    ];
    (0..3_usize, 0..3_usize, what).prop_map(|(user, address, what)| Step { user, address, what })
}

/// Every claim of a history that is made has a number of its own.
fn claim(number: usize) -> ClaimId {
    ClaimId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128))
}

fn command(number: usize, Step { user, address, what }: Step) -> (Command, Option<Known>) {
    let name = ["alice", "bob", "carol"][user];
    let email = ["a@x.example", "b@x.example", "c@x.example"][address];
    let (id, address) = (UserId::of(&Username::parse(name).unwrap()), AddressId::of(email));
    let group = GroupRef { id: GroupId::of(&GroupName::parse("staff").unwrap()), name: "staff".to_owned() };
    let of_user = |command| Ask::User { id, expected_version: None, command };
    let ask = match what {
        What::Register => of_user(user::Command::RegisterUser(onboarding::RegisterUser {
            username: name.to_owned(),
            first_name: "First".to_owned(),
            last_name: "Last".to_owned(),
            email: email.to_owned(),
            phone: None,
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
        What::Claim => Ask::Claim { address, claim: claim(number), holder: id, over: None },
        What::LetGo => Ask::LetGo {
            id,
            address,
            claim: Some(claim(number)),
            to: UserId::from_uuid(Uuid::nil()),
            insists: true,
        },
    };
    let administrator = Actor::User { id, name: "ada".into(), roles: Roles::BASE.with(Role::Administrator) };
    let actor = if let What::Register = what { Actor::Anonymous } else { administrator };
    let command = Command {
        id: format!("command {number}"),
        actor,
        client: Client::default(),
        correlation_id: String::new(),
        traceparent: None,
        ask,
        made: Some(Made::TemporaryPassword { digest: "00".into(), expires_at: Timestamp::MAX }),
        claim: None,
        seen: Position::new(),
    };
    (command, Some(Known { group, closed: false }))
}

/// What an owner writes that is asked all of this, and what it knows in the end.
fn written(steps: &[Step]) -> (Vec<Recorded>, Ledger) {
    let mut ledger = Ledger::of(0, 1);
    let mut written = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let (command, known) = command(number, *step);
        let mut draft = ledger.draft(Limits::default());
        draft.decide(&command, known, Timestamp::from_micros(1_700_000_000_000_000));
        let (records, changes) = draft.finish();
        for (stream, record) in records {
            let offset = written.len() as u64;
            written.push(Recorded { place: Place::new(stream, 0), offset, record });
        }
        ledger.commit(changes, &Position::new());
    }
    written.retain(|recorded| recorded.place.stream != Stream::Credentials);
    (written, ledger)
}

fn replay(mut ledger: Ledger, records: &[Recorded]) -> Ledger {
    for recorded in records {
        ledger.replay(recorded).unwrap();
    }
    ledger.replayed();
    ledger
}

/// Everything that is known, in an order.
fn known(ledger: &Ledger) -> (Vec<(UserId, Slot<domain::user::User>)>, &Addresses) {
    let (blocks, _) = ledger.users.at_rest();
    let mut users: Vec<_> = blocks.map(|(id, _)| (id, ledger.users.wake(id).unwrap())).collect();
    users.sort_unstable_by_key(|(id, _)| *id);
    (users, &ledger.addresses)
}

proptest! {
    #[test]
    fn a_snapshot_and_the_records_after_it_come_to_the_same_as_all_records(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let (records, ledger) = written(&steps);
        let whole = replay(Ledger { key: ledger.key, ..Ledger::of(0, 1) }, &records);
        prop_assert_eq!(known(&whole), known(&ledger));
        for at in 0..=records.len() {
            let before = replay(Ledger { key: ledger.key, ..Ledger::of(0, 1) }, &records[..at]);
            let mut after = Ledger::of(0, 1);
            after.restore(&before.image()).unwrap();
            let after = replay(after, &records[at..]);
            prop_assert_eq!(known(&after), known(&whole));
        }
    }
}
