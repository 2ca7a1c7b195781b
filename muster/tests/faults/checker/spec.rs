//! The checker finds every kind of broken promise, and nothing in a history in which all were kept.

use std::sync::Arc;

use domain::actor::Actor;
use domain::command::{Ask, Command};
use domain::refusal::Code;
use domain::user::{self, onboarding};
use log_model::Stream;

use super::world::{World, command};
use super::{Kind, check};
use crate::history::{Attempt, Outcome};

const fn accepted(version: u64) -> Outcome {
    Outcome::Accepted { version, repeated: false }
}

const fn repeated(version: u64) -> Outcome {
    Outcome::Accepted { version, repeated: true }
}

#[test]
fn kept_promises_are_no_violation() {
    let mut world = World::new();
    let (edit, same) = (world.edit("edit", 7), world.edit("same", 7));
    world.accept(&edit);
    world.told(&edit, repeated(4));
    // Changes nothing.
    world.told(&same, accepted(4));
    world.claim();
    let suspend = world.suspend("suspend");
    world.write(&suspend);
    world.told(&suspend, Outcome::Unknown);
    world.told(&suspend, repeated(5));
    world.told(&world.suspend("again"), Outcome::Refused(vec![Code::NotActive]));
    world.told(
        &Command { ask: edit.ask.clone(), ..suspend.clone() },
        Outcome::Refused(vec![Code::CommandIdReused]),
    );
    world.told(&world.edit("never", 9), Outcome::Unknown);
    world.told(&world.edit("away", 9), Outcome::Unavailable);
    world.told(&suspend, Outcome::Unavailable);
    let stale =
        Ask::User { id: world.user.id(), expected_version: Some(2), command: user::Command::ReactivateUser };
    world.told(&command("stale", stale), Outcome::Refused(vec![Code::StaleVersion]));
    assert_eq!(check(&world.history, &world.records, 1), []);
}

#[test]
fn a_lost_command_is_found() {
    let mut world = World::new();
    world.told(&world.edit("edit", 7), accepted(4));
    assert_eq!(world.found(), [Kind::Lost]);
}

#[test]
fn a_repeat_of_a_lost_command_is_found() {
    let mut world = World::new();
    world.told(&world.edit("edit", 7), repeated(4));
    assert_eq!(world.found(), [Kind::Lost]);
}

#[test]
fn a_command_that_was_written_twice_is_found() {
    let mut world = World::new();
    let reset = world.reset("reset");
    world.accept(&reset);
    world.accept(&world.edit("between", 7));
    world.write(&reset);
    let found = world.found();
    assert!(found.contains(&Kind::WrittenTwice) && found.contains(&Kind::Gap), "{found:?}");
}

#[test]
fn a_command_that_was_written_twice_in_a_row_is_found() {
    let mut world = World::new();
    let reset = world.reset("reset");
    world.accept(&reset);
    world.write(&reset);
    assert!(!world.found().is_empty());
}

#[test]
fn an_unknown_command_that_was_written_twice_is_found() {
    let mut world = World::new();
    let reset = world.reset("reset");
    world.told(&reset, Outcome::Unknown);
    world.write(&reset);
    world.accept(&world.edit("between", 7));
    world.write(&reset);
    assert!(world.found().contains(&Kind::WrittenTwice));
}

#[test]
fn whatever_was_written_though_it_was_refused_is_found() {
    let refused = [Outcome::Refused(vec![Code::NotActive]), Outcome::Forbidden, Outcome::Unavailable];
    for outcome in refused {
        let mut world = World::new();
        let suspend = world.suspend("suspend");
        world.told(&suspend, outcome);
        world.write(&suspend);
        assert_eq!(world.found(), [Kind::WrittenAgainstAnswer]);
    }
}

#[test]
fn two_who_were_told_that_theirs_was_the_first_are_found() {
    let mut world = World::new();
    let suspend = world.suspend("suspend");
    world.accept(&suspend);
    let first = world.history.last().unwrap().clone();
    world.history.push(first);
    assert_eq!(world.found(), [Kind::AcknowledgedTwice]);
}

#[test]
fn a_wrong_version_is_found() {
    let mut world = World::new();
    let suspend = world.suspend("suspend");
    world.write(&suspend);
    world.told(&suspend, accepted(7));
    assert_eq!(world.found(), [Kind::WrongVersion]);
}

#[test]
fn an_answer_from_an_old_state_is_found() {
    let mut world = World::new();
    world.accept(&world.suspend("suspend"));
    // True until a moment ago.
    world.told(&world.ask("back", user::Command::ReactivateUser), Outcome::Refused(vec![Code::NotSuspended]));
    assert_eq!(world.found(), [Kind::Stale]);
}

#[test]
fn an_acceptance_without_events_from_an_old_state_is_found() {
    let mut world = World::new();
    world.accept(&world.edit("seven", 7));
    world.accept(&world.edit("eight", 8));
    world.told(&world.edit("seven again", 7), accepted(4));
    assert_eq!(world.found(), [Kind::Lost]);
}

#[test]
fn an_answer_may_come_from_any_state_since_it_was_asked() {
    let mut world = World::new();
    let back = world.ask("back", user::Command::ReactivateUser);
    world.accept(&world.suspend("suspend"));
    // Sent before the suspension was acknowledged.
    let asked = world.history.last().unwrap().asked;
    let outcome = Outcome::Refused(vec![Code::NotSuspended]);
    world.history.push(Attempt { command: Arc::new(back), asked, answered: world.now, outcome });
    assert_eq!(world.found(), []);
}

#[test]
fn a_gap_in_the_versions_is_found() {
    let mut world = World::new();
    world.accept(&world.edit("edit", 7));
    let removed = world.records.len() - 2;
    world.records.remove(removed);
    world.seal_again();
    assert!(world.found().contains(&Kind::Gap));
}

#[test]
fn a_broken_chain_is_found() {
    let mut world = World::new();
    let client = world.records.last_mut().unwrap();
    client.record.headers.iter_mut().find(|(name, _)| *name == "ce_client").unwrap().1 = "{}  ".to_owned();
    assert_eq!(world.found(), [Kind::BrokenChain]);
}

#[test]
fn an_event_that_the_rules_would_not_have_written_is_found() {
    let mut world = World::new();
    let reconsider = world.ask("reconsider", user::Command::ReconsiderUser);
    let event = user::Event::Reconsidered(onboarding::Reconsidered {});
    world.record(Stream::UserEvents, &reconsider, 4, event.wire_name(), event.to_json());
    world.told(&reconsider, accepted(4));
    assert_eq!(world.found(), [Kind::AgainstTheRules]);
}

#[test]
fn an_edit_of_another_version_than_the_caller_saw_is_found() {
    let mut world = World::new();
    let mut edit = world.edit("edit", 7);
    if let Ask::User { expected_version, .. } = &mut edit.ask {
        *expected_version = Some(2);
    }
    world.accept(&edit);
    assert_eq!(world.found(), [Kind::AgainstTheRules]);
}

#[test]
fn what_nobody_asked_and_what_stands_under_another_name_is_found() {
    let mut world = World::new();
    world.write(&world.edit("nobody's", 7));
    assert_eq!(world.found(), [Kind::Foreign]);
    let mut world = World::new();
    let edit = world.edit("edit", 7);
    world.write(&Command { actor: Actor::Anonymous, ..edit.clone() });
    world.told(&edit, accepted(4));
    assert_eq!(world.found(), [Kind::Foreign]);
}

#[test]
fn another_command_under_an_id_that_was_accepted_is_found() {
    let mut world = World::new();
    let suspend = world.suspend("suspend");
    world.accept(&suspend);
    world.told(&Command { ask: world.edit("x", 7).ask, ..suspend }, accepted(4));
    assert_eq!(world.found(), [Kind::WrittenAgainstAnswer]);
}
