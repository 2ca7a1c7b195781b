//! What several commands put together alike: the route inside one process, readiness, the lines at the start.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use command_service::CommandQueues;
use domain::command::{Answer, Command, Failure};
use event_log::EventLog;
use graphql_gateway::commands::CommandRoute;
use log_model::Position;
use read_model::ReadModel;
use service_kit::operations::{Check, at_once};
use tokio::time::Instant;

/// The way from the gateway to the owners when both are in this process.
pub(crate) struct InProcess {
    pub(crate) door: CommandQueues,
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

/// How long one question for readiness waits for the views.
const CATCH_UP: Duration = Duration::from_secs(2);

/// First turns ready when every partition has an announced owner and the views have reached the end that the log has
/// when it is asked: whoever signs in then meets what was written before, by `muster init` too.
pub(crate) fn readiness(log: Arc<dyn EventLog>, views: &ReadModel) -> Check {
    let was_ready = Arc::new(AtomicBool::new(false));
    let progress = views.progress().clone();
    Arc::new(move || {
        let (log, progress, was_ready) = (log.clone(), progress.clone(), was_ready.clone());
        Box::pin(async move {
            if was_ready.load(Ordering::Acquire) {
                return Ok(());
            }
            let missing = {
                let owners = log.owners();
                let owners = owners.borrow();
                (0..log.partitions()).filter(|partition| !owners.contains_key(partition)).count()
            };
            if missing > 0 {
                return Err(format!("an owner of {missing} partitions"));
            }
            let mut end = Position::new();
            for (place, next) in log.ends().await.map_err(|error| error.to_string())? {
                if let Some(last) = next.checked_sub(1) {
                    end.cover(place, last);
                }
            }
            let caught_up = progress.wait(&end, Instant::now() + CATCH_UP).await;
            caught_up.map_err(|_| "the views to reach the end of the log".to_owned())?;
            if !was_ready.swap(true, Ordering::AcqRel) {
                tracing::info!("ready");
            }
            Ok(())
        })
    })
}

/// Ready while the views keep up with the log.
pub(crate) fn keeps_up(status: projection_service::Status) -> Check {
    at_once(move || status.ready())
}

/// Says a line to whoever started the process. That nobody listens any more is no reason to stop.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").ok();
}
