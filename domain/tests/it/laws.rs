//! Laws of every history: each command is answered, invariants hold, replay gives the same state.

use domain::aggregate::{Aggregate, CredentialChange};
use domain::decision_context::Limits;
use domain::timestamp::Timestamp;
use domain::user::{Event, Lifecycle, User, mailboxes, rules};
use proptest::prelude::*;

use crate::histories::{command, context, id};

/// The invariants of every reachable state.
fn check(user: &User, limits: Limits) {
    let Some(account) = user.account() else { return };
    assert!(account.rules.len() <= limits.rules && account.mailboxes.len() < limits.mailboxes);
    assert!(account.tokens.len() <= limits.tokens);
    if matches!(account.lifecycle, Lifecycle::Active(_) | Lifecycle::Suspended(_)) {
        assert!(account.password_version > 0, "nobody is active without a password");
    } else {
        assert!(account.tokens.is_empty(), "only approved users have tokens");
    }
    for rule in &account.rules {
        if let rules::Kind::Download(download) = &rule.kind {
            let known = download.mailbox == mailboxes::DEFAULT
                || account.mailboxes.iter().any(|name| **name == *download.mailbox);
            assert!(known, "every rule's mailbox exists");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_history_of_commands_keeps_every_law(commands in proptest::collection::vec(command(), 1..40)) {
        let mut user = User::new(id());
        let mut written: Vec<Event> = Vec::new();
        for command in &commands {
            let context = context(command, &user);
            let Ok(decision) = user.decide(command, &context) else { continue };
            for event in decision.events() {
                let json = event.to_json();
                let read = Event::from_json(event.wire_name(), &json).unwrap();
                prop_assert_eq!(&read, event, "an event reads back as it was written");
                user.evolve(event, context.now);
                written.push(read);
            }
            for change in decision.credential_changes() {
                if let CredentialChange::Put(_, credential) = change {
                    prop_assert!(credential.version <= user.version());
                }
            }
            prop_assert_eq!(user.version(), written.len() as u64, "versions have no gaps");
            check(&user, context.limits);
        }
        let mut replayed = User::new(id());
        for event in &written {
            replayed.evolve(event, Timestamp::MIN);
        }
        prop_assert_eq!(replayed, user, "replay gives the same state");
    }
}
