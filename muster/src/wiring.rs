//! What several commands share: the route inside one process, readiness, lines on standard output.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use command_service::CommandQueues;
use domain::command::{Answer, Command, Failure};
use event_log::EventLog;
use graphql_gateway::AccessHealth;
use graphql_gateway::commands::{CommandRoute, OwnersInProcess};
use log_model::Position;
use read_model::ReadModel;
use service_kit::operations::{Check, at_once};
use tokio::sync::watch;
use tokio::time::Instant;

/// The route from the gateway to the owners when both are in this process.
pub(crate) fn in_process(queues: CommandQueues, log: Arc<dyn EventLog>) -> Arc<dyn CommandRoute> {
    Arc::new(OwnersInProcess::new(Arc::new(LocalOwners(queues)), log))
}

/// The owners' queues as the gateway's `CommandRoute`. It lives here because neither crate may depend on the other.
struct LocalOwners(CommandQueues);

#[async_trait]
impl CommandRoute for LocalOwners {
    async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        self.0.submit(command, deadline).await
    }
}

/// How long one readiness check waits for the views.
const CATCH_UP: Duration = Duration::from_secs(2);

/// Ready once every partition has an announced owner and the views have reached the end that the log had at the check. A
/// user who signs in then finds everything written earlier, including what `muster init` wrote. From then on ready while
/// access checks can be answered.
pub(crate) fn readiness(log: Arc<dyn EventLog>, views: &ReadModel, access: AccessHealth) -> Check {
    let was_ready = Arc::new(AtomicBool::new(false));
    let progress = views.progress().clone();
    Arc::new(move || {
        let (log, progress, was_ready) = (log.clone(), progress.clone(), was_ready.clone());
        let access = access.clone();
        Box::pin(async move {
            if was_ready.load(Ordering::Acquire) {
                return access.require_answers();
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
            access.require_answers()?;
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

/// Ready once a service has begun to work.
pub(crate) fn works(ready: watch::Receiver<bool>) -> Check {
    at_once(move || if *ready.borrow() { Ok(()) } else { Err("the webhooks to be read".to_owned()) })
}

/// Writes a line to standard output. The process goes on when nobody reads it any more.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").ok();
}
