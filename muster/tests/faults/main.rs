//! The write side under faults: a Kafka broker and three command services that are killed, ended and paused while
//! clients send commands; afterwards everything that the clients were told is compared with the log.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that can't be")]

mod broker;
mod checker;
mod deck;
mod evidence;
mod figures;
mod fleet;
mod history;
mod load;
mod plan;
mod suite;
mod waiting;

use plan::Plan;

/// Short by default; `dev/faults` makes it long.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_every_answer_is_true() {
    if let Some(plan) = Plan::from_environment() {
        suite::run(&plan).await;
    }
}
