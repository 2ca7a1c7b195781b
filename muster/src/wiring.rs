//! What several commands put together alike: the route inside one process, readiness, the lines at the start.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use command_service::Door;
use domain::command::{Answer, Command, Failure};
use domain::position::Position;
use event_log::EventLog;
use graphql_gateway::commands::CommandRoute;
use read_model::ReadModel;
use service_kit::operations::Check;
use tokio::time::Instant;

/// The way from the gateway to the owners when both are in this process.
pub(crate) struct InProcess {
    pub(crate) door: Door,
    pub(crate) log: Arc<dyn EventLog>,
}

#[async_trait]
impl CommandRoute for InProcess {
    async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        let mut owners = self.log.owners();
        loop {
            // Seen before asking, so that an announcement between the two is not missed.
            owners.borrow_and_update();
            match self.door.submit(command.clone(), deadline).await {
                Err(Failure::NotOwner) => {}
                answer => return answer,
            }
            if !matches!(tokio::time::timeout_at(deadline, owners.changed()).await, Ok(Ok(()))) {
                return Err(Failure::Unavailable { retry_after_ms: 1_000 });
            }
        }
    }
}

/// Turns ready once every partition has an announced owner and the views have reached the end that the log had at
/// the start: whoever signs in then meets what was written before.
pub(crate) fn readiness(log: Arc<dyn EventLog>, views: &ReadModel) -> Check {
    let waiting = Arc::new(Mutex::new(Some("the log")));
    let says = waiting.clone();
    let progress = views.progress().clone();
    tokio::spawn(async move {
        let say = |what| *waiting.lock().expect("nobody panics while holding it") = what;
        let mut at_start = Position::new();
        loop {
            match log.ends().await {
                Ok(ends) => {
                    let written = ends.into_iter().filter(|(_, next)| *next > 0);
                    written.for_each(|(place, next)| at_start.cover(place, next - 1));
                    break;
                }
                Err(error) => {
                    tracing::info!(%error, "waiting for the log");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
        say(Some("an owner of every partition"));
        let partitions = log.partitions();
        let everybody =
            |owners: &event_log::Owners| (0..partitions).all(|partition| owners.contains_key(&partition));
        if log.owners().wait_for(everybody).await.is_err() {
            return;
        }
        say(Some("the views to reach the end of the log"));
        while progress.wait(&at_start, Instant::now() + Duration::from_mins(1)).await.is_err() {
            tracing::info!("waiting for the views to reach the end of the log");
        }
        say(None);
        tracing::info!("ready");
    });
    Arc::new(move || match *says.lock().expect("nobody panics while holding it") {
        None => Ok(()),
        Some(what) => Err(what.to_owned()),
    })
}

/// Ready while the views keep up with the log.
pub(crate) fn keeps_up(status: projection_service::Status) -> Check {
    Arc::new(move || status.ready())
}

/// Says a line to whoever started the process.
#[expect(clippy::print_stdout, reason = "a person at a terminal reads this")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
