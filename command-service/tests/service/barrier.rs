//! Barriers: an owner passes one only after it has read the groups, and the next owner keeps what was promised
//! (docs/adr/0010-deleting-a-group.md).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::command::{Answer, Ask, Command, Failure};
use domain::decision_context::Prepared;
use domain::group;
use domain::id::GroupId;
use domain::names::GroupName;
use domain::names::Username;
use domain::refusal::Code;
use domain::user::{self, onboarding};
use event_log::sqlite::SqliteLog;
use event_log::testing::{LogOverrides, Wrapped};
use event_log::{EventLog, Follow, Unavailable};
use log_model::{Position, Stream, StreamPartition};
use tokio::sync::watch;

use crate::{Service, accepted, administrator, codes, command, create_group, plain, register};

/// A real log that delivers group events to its followers only while the dam is open.
struct Dammed {
    log: Arc<SqliteLog>,
    open: watch::Receiver<bool>,
    /// Number of calls of `ends`. A new owner makes one after it has claimed its partition.
    asked: watch::Sender<u32>,
}

#[async_trait]
impl LogOverrides for Dammed {
    fn inner(&self) -> &dyn EventLog {
        &*self.log
    }

    fn follow(&self, from: Vec<(StreamPartition, u64)>) -> Follow {
        if from.iter().all(|(place, _)| place.stream != Stream::GroupEvents) {
            return self.log.follow(from);
        }
        let (sender, below) = Follow::channel(1);
        let (mut above, mut open) = (self.log.follow(from), self.open.clone());
        tokio::spawn(async move {
            while let Some(read) = above.next().await {
                if open.wait_for(|open| *open).await.is_err() || sender.send(read).await.is_err() {
                    return;
                }
            }
        });
        below
    }

    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable> {
        let ends = self.log.ends().await;
        self.asked.send_modify(|asked| *asked += 1);
        ends
    }
}

async fn dammed(directory: &Path) -> (Arc<Wrapped<Dammed>>, watch::Sender<bool>) {
    let (dam, open) = watch::channel(true);
    (
        Arc::new(Wrapped(Dammed {
            log: SqliteLog::open(directory).await.unwrap(),
            open,
            asked: watch::Sender::new(0),
        })),
        dam,
    )
}

fn staff() -> GroupId {
    GroupId::of(&GroupName::parse("staff").unwrap())
}

fn close(id: &str) -> Command {
    let asked = group::Command::CloseGroup;
    command(id, administrator(), Ask::Group { id: staff(), expected_version: None, command: asked })
}

pub(crate) fn barrier(id: &str, seen: &Position) -> Command {
    Command { seen: seen.clone(), ..command(id, administrator(), Ask::Barrier { partition: 0 }) }
}

/// An approval by a caller that has seen nothing, so that the owner decides by what it has read itself.
fn approve(id: &str, name: &str) -> Command {
    let asked = user::Command::ApproveUser(onboarding::ApproveUser { group_id: staff() });
    let user = domain::id::UserId::of(&Username::parse(name).unwrap());
    command(id, administrator(), Ask::User { id: user, expected_version: None, command: asked })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lags_passes_no_barrier_and_who_passed_lets_nobody_into_a_closed_group() {
    let directory = tempfile::tempdir().unwrap();
    let (log, dam) = dammed(directory.path()).await;
    let service = Service::start_on(log, None, &[]).await;
    let (_, seen, _) = accepted(service.ask(create_group("c1")).await);
    for name in ["alice", "bob"] {
        accepted(service.ask(register(&format!("r-{name}"), name)).await);
    }
    accepted(service.ask(barrier("b1", &seen)).await);
    dam.send_replace(false);
    let (_, closed, _) = accepted(service.ask(close("c2")).await);
    let lagging = service.ask(barrier("b2", &closed)).await;
    assert!(matches!(lagging, Err(Failure::Unavailable { .. })), "{lagging:?}");
    let (_, entered, _) = accepted(service.ask(approve("a1", "alice")).await);

    dam.send_replace(true);
    let (_, passed, _) = accepted(service.ask(barrier("b3", &closed)).await);
    let users = StreamPartition::new(Stream::UserEvents, 0);
    assert!(
        passed.covered(users) >= entered.covered(users),
        "what was decided before lies before the barrier"
    );
    assert_eq!(codes(service.ask(approve("a2", "bob")).await), [Code::GroupClosed]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_administrators_asks_for_barriers() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    let asked = Command { actor: plain("alice"), ..barrier("b1", &Position::new()) };
    assert_eq!(service.ask(asked).await, Ok(Answer::Forbidden));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_owner_serves_once_it_has_read_the_groups_to_their_end() {
    let directory = tempfile::tempdir().unwrap();
    let (log, dam) = dammed(directory.path()).await;
    let service = Service::start_on(log.clone(), None, &[]).await;
    accepted(service.ask(create_group("c1")).await);
    accepted(service.ask(register("r1", "alice")).await);
    accepted(service.ask(close("c2")).await);
    service.stop().await;

    dam.send_replace(false);
    let (mut asked, mut owners) = (log.asked.subscribe(), log.owners());
    asked.mark_unchanged();
    owners.mark_unchanged();
    let next = tokio::spawn(Service::start_on(log, None, &[]));
    asked.changed().await.unwrap();
    let announced = tokio::time::timeout(Duration::from_millis(500), owners.changed()).await;
    assert!(
        announced.is_err(),
        "it has claimed the partition, and does not serve before the groups are known"
    );
    dam.send_replace(true);
    let service = next.await.unwrap();
    assert_eq!(codes(service.ask(approve("a1", "alice")).await), [Code::GroupClosed]);
    service.stop().await;
}

/// The commands a gateway sends to the owner of the groups for one deletion, and the answers to repeated ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_done_once_and_its_close_is_known_by_its_id() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    accepted(service.ask(create_group("c1")).await);
    let of_staff = |id: &str, expected_version: Option<u64>, asked: group::Command| {
        let ask = Ask::Group { id: staff(), expected_version, command: asked };
        Command { prepared: None, ..command(id, administrator(), ask) }
    };
    let delete = |version: Option<u64>| {
        let prepared = version.map(|version| Prepared::Emptied { version });
        Command { prepared, ..of_staff("d", None, group::Command::DeleteGroup) }
    };
    assert_eq!(codes(service.ask(delete(None)).await), [Code::GroupNotEmpty]);
    let never = |id: &str| of_staff(id, Some(u64::MAX), group::Command::CloseGroup);
    assert_eq!(codes(service.ask(never("d close")).await), [Code::StaleVersion]);
    let (closed, _, _) =
        accepted(service.ask(of_staff("d close", Some(1), group::Command::CloseGroup)).await);
    assert_eq!(codes(service.ask(never("d close")).await), [Code::CommandIdReused]);
    assert_eq!(codes(service.ask(never("e close")).await), [Code::StaleVersion]);
    let (version, _, repeated) = accepted(service.ask(delete(Some(closed))).await);
    assert_eq!((version, repeated), (3, false));
    let (version, _, _) = accepted(service.ask(create_group("c2")).await);
    assert_eq!(version, 4);
    let (version, _, repeated) = accepted(service.ask(delete(None)).await);
    assert_eq!((version, repeated), (3, true), "the same deletion leaves the new group alone");
    service.stop().await;
}
