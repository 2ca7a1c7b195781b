//! Commands to owners in the same process.

use std::sync::Arc;

use async_trait::async_trait;
use domain::command::{Answer, Command, Failure};
use event_log::EventLog;
use tokio::time::{Instant, timeout_at};

use super::route::CommandRoute;

/// When callers are told to try again, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// Hands each command to the owners of this process, and waits for the next owner while there is none.
pub struct OwnersInProcess {
    door: Arc<dyn CommandRoute>,
    log: Arc<dyn EventLog>,
}

impl OwnersInProcess {
    /// A route through `door`. While this process does not own the partition, `door` answers [`Failure::NotOwner`].
    /// `log` announces the present owner.
    pub fn new(door: Arc<dyn CommandRoute>, log: Arc<dyn EventLog>) -> Self {
        Self { door, log }
    }
}

#[async_trait]
impl CommandRoute for OwnersInProcess {
    async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        let mut owners = self.log.owners();
        loop {
            // Marked as seen before the command is handed over: an announcement during that then counts as new.
            owners.borrow_and_update();
            match self.door.submit(command.clone(), deadline).await {
                Err(Failure::NotOwner) => {}
                answer => return answer,
            }
            if !matches!(timeout_at(deadline, owners.changed()).await, Ok(Ok(()))) {
                return Err(Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::time::Duration;

    use domain::actor::{Actor, Client};
    use domain::command::Ask;
    use event_log::testing::Wrapped;
    use log_model::Position;

    use super::*;
    use crate::testing::QuietLog;

    /// Answers as scripted, then never owns the partition.
    struct ScriptedDoor(Mutex<VecDeque<Result<Answer, Failure>>>);

    #[async_trait]
    impl CommandRoute for ScriptedDoor {
        async fn submit(&self, _: Command, _: Instant) -> Result<Answer, Failure> {
            self.0.lock().unwrap().pop_front().unwrap_or(Err(Failure::NotOwner))
        }
    }

    fn route(
        answers: impl IntoIterator<Item = Result<Answer, Failure>>,
    ) -> (OwnersInProcess, Arc<Wrapped<QuietLog>>) {
        let log = Arc::new(QuietLog::new());
        let door = ScriptedDoor(Mutex::new(answers.into_iter().collect()));
        (OwnersInProcess::new(Arc::new(door), Arc::clone(&log) as Arc<dyn EventLog>), log)
    }

    fn command() -> Command {
        Command {
            id: "c-1".to_owned(),
            actor: Actor::System,
            client: Client::default(),
            correlation_id: "r".to_owned(),
            traceparent: None,
            ask: Ask::Barrier { partition: 0 },
            prepared: None,
            reservation: None,
            seen: Position::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_owner_is_waited_for() {
        let (route, log) = route([Err(Failure::NotOwner), Ok(Answer::Forbidden)]);
        let deadline = Instant::now() + Duration::from_secs(5);
        let announce = async { log.announce(0, String::new(), 1) };
        let (answer, ()) = tokio::join!(route.submit(command(), deadline), announce);
        assert_eq!(answer, Ok(Answer::Forbidden));
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_owner_nothing_is_written_by_the_deadline() {
        let (route, _log) = route([]);
        let answer = route.submit(command(), Instant::now() + Duration::from_secs(5)).await;
        assert_eq!(answer, Err(Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS }));
    }
}
