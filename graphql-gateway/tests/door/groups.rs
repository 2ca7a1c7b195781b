//! Deletion of a group: which commands are sent, and what happens if somebody is in the group.

use std::sync::Arc;

use domain::actor::Roles;
use domain::command::{Answer, Ask, Command, Failure};
use domain::decision_context::Prepared;
use domain::group;
use domain::refusal::{Code, Refusal};
use domain::user::UserStatus;
use log_model::{Position, Stream, StreamPartition};
use read_model::apply::{Batch, Changed, Move};
use read_model::counts::CountKey;
use serde_json::{Value, json};

use crate::harness::{Door, eventually, in_group, user_row};

const DELETE: &str = "mutation($input: DeleteGroupInput!) { deleteGroup(input: $input) { \
    userErrors { code field } deletedGroupId } }";

fn yes(version: u64, position: &Position, repeated: bool) -> Answer {
    Answer::Accepted { version, position: position.clone(), repeated }
}

fn no(code: Code) -> Answer {
    Answer::Refused(Refusal::new(code, "No.").into())
}

fn names(asked: &[Command]) -> Vec<&str> {
    asked.iter().map(|command| command.ask.name()).collect()
}

/// A position that the views reach with [`enters`].
fn after_entering() -> Position {
    Position::at(StreamPartition::new(Stream::UserEvents, 0), 5)
}

/// Bob enters the group `north`.
fn enters(id: domain::id::GroupId, moves: Vec<Move>) -> Batch {
    let after = in_group(user_row("bob", Roles::BASE), id, "north");
    let counted = |group| (CountKey { partition: 0, state: UserStatus::Active, group }, 1);
    Batch {
        moves,
        users: vec![Changed { before: None, after }],
        counts: vec![counted(None), counted(Some(id))],
        ..Batch::default()
    }
}

#[tokio::test]
async fn a_group_is_closed_then_every_partition_knows_it_then_it_is_deleted() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let group = door.group("north").await;
    let mut closed = Position::new();
    closed.cover(StreamPartition::new(Stream::GroupEvents, 0), 0);
    let moves =
        vec![Move { place: StreamPartition::new(Stream::GroupEvents, 0), from: 0, to: 1, anchor: None }];
    door.apply(Batch { moves, ..Batch::default() }).await;
    door.owner.says(Ok(no(Code::GroupNotEmpty)));
    door.owner.says(Ok(yes(2, &closed, false)));
    let input = json!({ "groupId": group.to_string(), "commandId": "d", "expectedVersion": 1 });
    let answer = door.ask(Some(&token), DELETE, json!({ "input": input })).await;
    let expected = json!({ "userErrors": [], "deletedGroupId": group.to_string() });
    assert_eq!(answer, json!({ "data": { "deleteGroup": expected } }));
    let asked = door.owner.asked.lock().unwrap();
    assert_eq!(names(&asked), ["DeleteGroup", "CloseGroup", "Barrier", "DeleteGroup"]);
    let ids: Vec<_> = asked.iter().map(|command| command.id.as_str()).collect();
    assert_eq!(ids, ["d", "d close", "d barrier 0", "d"]);
    assert!(matches!(asked[1].ask, Ask::Group { expected_version: Some(1), .. }));
    assert_eq!((asked[2].ask.clone(), &asked[2].seen), (Ask::Barrier { partition: 0 }, &closed));
    assert_eq!((&asked[0].prepared, &asked[3].prepared), (&None, &Some(Prepared::Emptied { version: 2 })));
    assert_eq!(asked[0].ask, asked[3].ask, "for the owner it is the same command");
}

#[tokio::test]
async fn what_this_very_command_has_deleted_before_is_deleted() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let group = door.group("north").await;
    door.owner.says(Ok(yes(3, &Position::new(), true)));
    let input = json!({ "input": { "groupId": group.to_string(), "commandId": "d" } });
    let answer = door.ask(Some(&token), DELETE, input).await;
    assert_eq!(answer["data"]["deleteGroup"]["deletedGroupId"], group.to_string());
    assert_eq!(names(&door.owner.asked.lock().unwrap()), ["DeleteGroup"]);
}

#[tokio::test]
async fn a_group_whose_members_are_shown_is_not_closed() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let group = door.group("north").await;
    door.apply(enters(group, Vec::new())).await;
    for (own_close, then) in [(Code::StaleVersion, vec![]), (Code::CommandIdReused, vec!["ReopenGroup"])] {
        door.owner.says(Ok(no(Code::GroupNotEmpty)));
        door.owner.says(Ok(no(own_close)));
        let input = json!({ "groupId": group.to_string(), "commandId": "d" });
        let answer = door.ask(Some(&token), DELETE, json!({ "input": input })).await;
        assert_eq!(answer["data"]["deleteGroup"], not_empty());
        let asked = std::mem::take(&mut *door.owner.asked.lock().unwrap());
        // Only an earlier, aborted request of the same command can have closed it.
        assert_eq!(names(&asked), [vec!["DeleteGroup", "CloseGroup"], then].concat());
        assert!(is_question(&asked[1]), "{:?}", asked[1]);
    }
}

/// Whether the command only asks if the step `close` of the command `d` was written, and writes nothing.
fn is_question(command: &Command) -> bool {
    let Ask::Group { expected_version, command: asked, .. } = &command.ask else { return false };
    command.id == "d close" && *expected_version == Some(u64::MAX) && *asked == group::Command::CloseGroup
}

#[tokio::test]
async fn a_group_that_an_earlier_request_has_closed_is_closed_for_certain() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let group = door.group("north").await;
    door.owner.says(Ok(no(Code::GroupNotEmpty)));
    door.owner.says(Ok(yes(2, &Position::new(), true)));
    door.owner.says(Ok(yes(2, &Position::new(), false)));
    let input = json!({ "groupId": group.to_string(), "commandId": "d", "expectedVersion": 1 });
    let answer = door.ask(Some(&token), DELETE, json!({ "input": input })).await;
    assert_eq!(answer["data"]["deleteGroup"]["deletedGroupId"], group.to_string());
    let asked = door.owner.asked.lock().unwrap();
    assert_eq!(names(&asked), ["DeleteGroup", "CloseGroup", "CloseGroup", "Barrier", "DeleteGroup"]);
    assert!(asked[2].id.starts_with("d close ") && asked[2].id != asked[1].id);
    // The caller saw version 1, and the first close of this command made it 2.
    assert!(matches!(asked[2].ask, Ask::Group { expected_version: Some(2), .. }), "{:?}", asked[2]);
}

fn not_empty() -> Value {
    json!({ "userErrors": [{ "code": "group_not_empty", "field": ["groupId"] }], "deletedGroupId": null })
}

/// Somebody enters before the partition knows that the group is closed. `own_close` is the owner's answer to whether
/// this command has closed it. Returns the commands after the barrier.
async fn somebody_enters(own_close: Code) -> Vec<Command> {
    let door = Arc::new(Door::open().await);
    let token = door.administrator().await;
    let group = door.group("north").await;
    door.owner.says(Ok(no(Code::GroupNotEmpty)));
    door.owner.says(Ok(yes(2, &Position::new(), false)));
    door.owner.says(Ok(yes(0, &after_entering(), false)));
    door.owner.says(Ok(no(own_close)));
    let deleting = tokio::spawn({
        let door = door.clone();
        let input = json!({ "input": { "groupId": group.to_string(), "commandId": "d" } });
        async move { door.ask(Some(&token), DELETE, input).await }
    });
    eventually(|| async { (door.owner.asked.lock().unwrap().len() == 3).then_some(()) }).await;
    let moves =
        vec![Move { place: StreamPartition::new(Stream::UserEvents, 0), from: 0, to: 6, anchor: None }];
    door.apply(enters(group, moves)).await;
    assert_eq!(deleting.await.unwrap()["data"]["deleteGroup"], not_empty());
    door.owner.asked.lock().unwrap().split_off(3)
}

#[tokio::test]
async fn a_group_that_somebody_enters_meanwhile_is_opened_again() {
    let asked = somebody_enters(Code::CommandIdReused).await;
    assert_eq!(names(&asked), ["CloseGroup", "ReopenGroup"]);
    assert!(is_question(&asked[0]), "{:?}", asked[0]);
}

#[tokio::test]
async fn a_group_that_somebody_else_has_closed_stays_closed() {
    assert_eq!(names(&somebody_enters(Code::StaleVersion).await), ["CloseGroup"]);
}

#[tokio::test]
async fn a_partition_without_an_owner_keeps_the_group() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let group = door.group("north").await;
    door.owner.says(Ok(no(Code::GroupNotEmpty)));
    door.owner.says(Ok(yes(2, &Position::new(), false)));
    door.owner.says(Err(Failure::UnknownOutcome));
    door.owner.says(Ok(no(Code::CommandIdReused)));
    let answer = door.ask(Some(&token), DELETE, json!({ "input": { "groupId": group.to_string() } })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
    let asked = door.owner.asked.lock().unwrap();
    assert_eq!(names(&asked), ["DeleteGroup", "CloseGroup", "Barrier", "CloseGroup", "ReopenGroup"]);
}

#[tokio::test]
async fn nobody_but_administrators_deletes_groups() {
    let door = Door::open().await;
    let token = door.signed_in("bob", Roles::BASE).await;
    let group = door.group("north").await;
    let answer = door.ask(Some(&token), DELETE, json!({ "input": { "groupId": group.to_string() } })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    assert!(door.owner.asked.lock().unwrap().is_empty());
}
