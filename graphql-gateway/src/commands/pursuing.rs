//! Commands that take an e-mail address, brought from owner to owner; all others pass straight through.

use std::sync::Arc;

use async_trait::async_trait;
use domain::address::{Next, Pursuit};
use domain::command::{Answer, Command, Failure};
use domain::id::{AddressId, ClaimId, UserId};
use event_log::partition;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::CommandRoute;

/// When asking again makes sense, for callers.
const RETRY_AFTER_MS: u64 = 1_000;

/// A route that knows the way of an address.
pub struct Pursuing {
    route: Arc<dyn CommandRoute>,
    partitions: u32,
}

impl Pursuing {
    /// Takes `route` from owner to owner, over so many partitions.
    pub fn over(route: Arc<dyn CommandRoute>, partitions: u32) -> Self {
        Self { route, partitions }
    }

    fn share_partition(&self, user: UserId, address: AddressId) -> bool {
        partition::of(user.uuid(), self.partitions) == partition::of(address.uuid(), self.partitions)
    }
}

#[async_trait]
impl CommandRoute for Pursuing {
    async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        let share = |user, address| self.share_partition(user, address);
        let Some(mut pursuit) = Pursuit::of(&command, fresh(), share) else {
            return self.route.submit(command, deadline).await;
        };
        loop {
            let pause = pursuit.pause();
            if Instant::now() + pause >= deadline {
                return Err(Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS });
            }
            sleep(pause).await;
            let answer = match self.route.submit(pursuit.question(), deadline).await {
                Ok(answer) => answer,
                Err(failure) => return pursuit.without_answer(failure),
            };
            pursuit = match pursuit.heard(answer, fresh()) {
                Next::Ask(next) => *next,
                Next::Over(answer) => return Ok(answer),
                Next::GiveUp => return Err(Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS }),
            };
        }
    }
}

fn fresh() -> ClaimId {
    ClaimId::from_uuid(Uuid::now_v7())
}
