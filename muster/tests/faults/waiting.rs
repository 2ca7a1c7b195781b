//! Waiting for something to come true, with a deadline; and letting time pass where a fault has a duration.

use std::time::Duration;

use tokio::time::{Instant, interval, timeout};

/// How long anything may take to come true.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again at every tick of a clock. False when it did not come true within patience.
pub(crate) async fn comes_true(mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    let mut tick = interval(Duration::from_millis(25));
    while !is_so().await {
        if Instant::now() >= end {
            return false;
        }
        tick.tick().await;
    }
    true
}

/// The time that a fault lasts.
pub(crate) async fn lasting(duration: Duration) {
    let passed = timeout(duration, std::future::pending::<()>()).await;
    passed.expect_err("nothing but the time ends it");
}

/// Does what blocks, away from the clients.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}
