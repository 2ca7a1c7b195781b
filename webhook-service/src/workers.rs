//! The processes that deliver: which are alive, and how many webhooks each should hold.

use std::collections::HashMap;
use std::time::Duration;

use read_model::webhook_cursors::WebhookWorker;
use tokio::time::Instant;

/// The other processes as this one has seen them.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    seen: HashMap<String, (u64, Instant)>,
}

/// What follows from a look at them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Alive {
    /// How many are alive, this process included.
    pub(crate) number: usize,
    /// Those whose beat has stood still for a lease.
    pub(crate) dead: Vec<String>,
}

impl Workers {
    /// Looks at what is written down now. No clock but this process's own is used.
    pub(crate) fn look(&mut self, own: &str, all: &[WebhookWorker], lease: Duration, now: Instant) -> Alive {
        self.seen.retain(|id, _| all.iter().any(|worker| worker.id == *id));
        let mut dead = Vec::new();
        for worker in all.iter().filter(|worker| worker.id != own) {
            let seen = self.seen.entry(worker.id.clone()).or_insert((worker.beat, now));
            if seen.0 != worker.beat {
                *seen = (worker.beat, now);
            } else if now.duration_since(seen.1) >= lease {
                dead.push(worker.id.clone());
            }
        }
        let others = all.iter().filter(|worker| worker.id != own && !dead.contains(&worker.id)).count();
        Alive { number: others + 1, dead }
    }
}

/// The most webhooks that a process holds, so that all of them are held and shared evenly.
pub(crate) fn share(webhooks: usize, alive: usize) -> usize {
    webhooks.div_ceil(alive.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(20);

    fn worker(id: &str, beat: u64) -> WebhookWorker {
        WebhookWorker { id: id.to_owned(), beat }
    }

    #[test]
    fn a_process_is_dead_when_its_beat_stands_still_for_a_lease() {
        let (mut workers, begun) = (Workers::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        let one = [worker("own", 1), worker("other", 7)];
        assert_eq!(workers.look("own", &one, LEASE, at(0)), Alive { number: 2, dead: vec![] });
        assert_eq!(workers.look("own", &one, LEASE, at(19)), Alive { number: 2, dead: vec![] });
        let beaten = [worker("own", 1), worker("other", 8)];
        assert_eq!(workers.look("own", &beaten, LEASE, at(25)), Alive { number: 2, dead: vec![] });
        let dead = Alive { number: 1, dead: vec!["other".to_owned()] };
        assert_eq!(workers.look("own", &beaten, LEASE, at(45)), dead);
    }

    #[test]
    fn every_webhook_is_held_and_none_is_left_over() {
        assert_eq!((share(0, 2), share(3, 2), share(4, 2), share(1, 3), share(5, 0)), (0, 2, 2, 1, 5));
    }
}
