//! Commands that take an e-mail address, brought from owner to owner; all others pass straight through.

use std::sync::Arc;

use async_trait::async_trait;
use domain::command::{Answer, Command, Failure};
use domain::id::{AddressId, ReservationId, UserId};
use domain::reservation_saga::{ReservationSaga, Transition};
use log_model::partition;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::CommandRoute;

/// When asking again makes sense, for callers.
const RETRY_AFTER_MS: u64 = 1_000;

/// A route that knows the way of an address.
pub struct ReservingRoute {
    route: Arc<dyn CommandRoute>,
    partitions: u32,
}

impl ReservingRoute {
    /// Takes `route` from owner to owner, over so many partitions.
    pub fn over(route: Arc<dyn CommandRoute>, partitions: u32) -> Self {
        Self { route, partitions }
    }

    fn share_partition(&self, user: UserId, address: AddressId) -> bool {
        partition::of(user.uuid(), self.partitions) == partition::of(address.uuid(), self.partitions)
    }
}

#[async_trait]
impl CommandRoute for ReservingRoute {
    async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        let share = |user, address| self.share_partition(user, address);
        let Some(mut saga) = ReservationSaga::of(&command, fresh(), share) else {
            return self.route.submit(command, deadline).await;
        };
        loop {
            let pause = saga.pause();
            if Instant::now() + pause >= deadline {
                return Err(Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS });
            }
            sleep(pause).await;
            let answer = match self.route.submit(saga.next_command(), deadline).await {
                Ok(answer) => answer,
                Err(failure) => return saga.on_failure(failure),
            };
            saga = match saga.on_answer(answer, fresh()) {
                Transition::Continue(next) => *next,
                Transition::Done(answer) => return Ok(answer),
                Transition::GiveUp => return Err(Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS }),
            };
        }
    }
}

fn fresh() -> ReservationId {
    ReservationId::from_uuid(Uuid::now_v7())
}
