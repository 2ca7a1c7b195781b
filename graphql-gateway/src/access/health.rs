//! Says whether access checks can be answered, to readiness, metrics and the log.

use std::time::Duration;

use read_model::ReadModel;
use service_kit::causes::Causes;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::freshness::Freshness;

/// How often the database is asked.
const PERIOD: Duration = Duration::from_secs(1);
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long after the start checks may fail before the log says so: services start in any order.
const START: Duration = Duration::from_mins(1);
/// No account. Asking for it reads and writes what a check would, and changes nothing.
const NOBODY: &str = "";

/// Whether access checks can be answered, as far as this gateway knows. Clones share what is known.
#[derive(Debug, Clone)]
pub struct AccessHealth {
    freshness: Freshness,
    database: watch::Receiver<Result<(), String>>,
}

impl AccessHealth {
    /// `Ok`, or what the checks lack while they answer 503.
    pub fn require_answers(&self) -> Result<(), String> {
        self.freshness.require_all().map_err(|error| error.to_string())?;
        self.database.borrow().clone()
    }
}

/// Asks the database, and reports.
pub(crate) struct AccessMonitor {
    health: AccessHealth,
    views: ReadModel,
    database: watch::Sender<Result<(), String>>,
    report: Report,
}

impl AccessMonitor {
    pub(crate) fn new(views: ReadModel, freshness: Freshness) -> Self {
        let (sender, receiver) = watch::channel(Err("the database of the views".to_owned()));
        let health = AccessHealth { freshness, database: receiver };
        Self { health, views, database: sender, report: Report::Starting { until: Instant::now() + START } }
    }

    pub(crate) fn health(&self) -> AccessHealth {
        self.health.clone()
    }

    /// Asks and reports as long as the gateway runs.
    pub(crate) async fn run(mut self) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let _before = self.database.send_replace(ask(&self.views).await);
            let answers = self.health.require_answers();
            metrics::gauge!("muster_access_checks_answerable").set(if answers.is_ok() { 1.0 } else { 0.0 });
            self.report = self.report.after(answers, Instant::now());
        }
    }
}

/// What the log has said so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    /// Nothing: checks may fail until then.
    Starting { until: Instant },
    /// That checks are answered, or nothing yet.
    Answered,
    /// That they are not.
    Failing,
}

impl Report {
    /// Writes one line whenever the answer changes.
    fn after(self, answers: Result<(), String>, now: Instant) -> Self {
        match (self, answers) {
            (Self::Failing, Ok(())) => {
                tracing::info!("access checks are answered again");
                Self::Answered
            }
            (Self::Starting { .. } | Self::Answered, Ok(())) => Self::Answered,
            (Self::Starting { until }, Err(_)) if now < until => self,
            (Self::Starting { .. } | Self::Answered, Err(reason)) => {
                tracing::error!(
                    reason,
                    "access checks can't be answered: nobody passes, and the gateway is not ready"
                );
                Self::Failing
            }
            (Self::Failing, Err(_)) => Self::Failing,
        }
    }
}

/// Reads a user and writes a throttle, as a check does. A connection that can only read would fail the check.
async fn ask(views: &ReadModel) -> Result<(), String> {
    let asking = async {
        views.holder_by_name(NOBODY).await?;
        views.sign_in_succeeded(NOBODY).await
    };
    match timeout(PATIENCE, asking).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("the database of the views: {}", Causes(&error))),
        Err(_) => Err("the database of the views, which does not answer".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f04_the_log_is_told_once_and_not_while_services_start() {
        let (start, failed) = (Instant::now(), || Err("the views".to_owned()));
        let starting = Report::Starting { until: start + START };
        assert_eq!(starting.after(failed(), start), starting);
        assert_eq!(starting.after(failed(), start + START), Report::Failing);
        assert_eq!(starting.after(Ok(()), start), Report::Answered);
        assert_eq!(Report::Answered.after(failed(), start), Report::Failing);
        assert_eq!(Report::Failing.after(failed(), start), Report::Failing);
        assert_eq!(Report::Failing.after(Ok(()), start), Report::Answered);
    }
}
