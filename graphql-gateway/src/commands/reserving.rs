//! Reserves e-mail addresses for the commands that need it, by taking them from owner to owner.
//!
//! The protocol is in `docs/adr/0011-one-holder-of-an-address.md`, its steps in `domain::reservation_saga`.

use std::sync::Arc;

use async_trait::async_trait;
use domain::command::{Answer, Command, Failure};
use domain::id::{AddressId, ReservationId, UserId};
use domain::reservation_saga::{ReservationSaga, Transition};
use log_model::partition;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::route::CommandRoute;

/// When callers are told to try again, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// Runs the reservation saga around another route. Commands that take no address pass straight through.
pub struct ReservingRoute {
    route: Arc<dyn CommandRoute>,
    partitions: u32,
}

impl ReservingRoute {
    /// Runs over `route`, to owners of `partitions` partitions.
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
        let Some(mut saga) = ReservationSaga::of(&command, new_id(), share) else {
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
            saga = match saga.on_answer(answer, new_id()) {
                Transition::Continue(next) => *next,
                Transition::Done(answer) => return Ok(answer),
                Transition::GiveUp => return Err(Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS }),
            };
        }
    }
}

fn new_id() -> ReservationId {
    ReservationId::from_uuid(Uuid::now_v7())
}
