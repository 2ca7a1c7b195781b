//! Claims a partition for one write, while services may be running that claim it too.

use std::sync::Arc;
use std::time::Duration;

use event_log::{ClaimError, EventLog, Replay, Writer};

/// Most attempts to append, and most further attempts to claim, while others claim the same partition.
pub(crate) const ATTEMPTS: usize = 20;

/// Number of further attempts to claim from a log that can't be reached, and the pause before each.
const OUTAGE_RETRIES: usize = 3;
const OUTAGE_PAUSE: Duration = Duration::from_millis(500);

/// Claims a partition and replays it into what `fresh` makes for each attempt. What that can't read is
/// tried again like a claim. Blocks.
pub(crate) fn claim<R: Replay>(
    log: &Arc<dyn EventLog>,
    partition: u32,
    fresh: impl Fn() -> Result<R, ClaimError>,
) -> Result<(Box<dyn Writer>, R), ClaimError> {
    let (mut attempts, mut retries) = (0, 0);
    loop {
        let claimed = fresh().and_then(|mut replay| Ok((log.claim(partition, &mut replay)?, replay)));
        match claimed {
            Ok(claimed) => return Ok(claimed),
            Err(ClaimError::Fenced) if attempts < ATTEMPTS => attempts += 1,
            // Topics that were just created may have no leader yet.
            Err(ClaimError::Unavailable(_)) if retries < OUTAGE_RETRIES => {
                retries += 1;
                std::thread::sleep(OUTAGE_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}
