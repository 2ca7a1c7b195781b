//! What a connection is doing: what its socket and the handlers of its requests know together.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::limits::ConnectionLimits;

/// The activity of one connection. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct SharedActivity(Arc<Mutex<Activity>>);

#[derive(Debug)]
struct Activity {
    phase: Phase,
    /// Whether the client may still write what nobody reads.
    has_unread: bool,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// A request head is awaited or arrives.
    Head { since: Instant, has_begun: bool },
    /// A request is answered. Its handler has limits of its own.
    Busy,
    /// An answer is given, and perhaps still being written; no further request has begun.
    Idle { since: Instant },
    /// An answer without a foreseeable end is written, or the connection is no longer HTTP. It ends when the client has taken
    /// no byte of what is there for this long.
    Open { blocked: Option<Instant>, limit: Duration },
}

/// While it lives, a request is being answered.
pub(super) struct BusyGuard(SharedActivity);

/// Until it is dropped, an answer without a foreseeable end is written.
pub(super) struct OpenGuard(pub(super) SharedActivity);

impl SharedActivity {
    pub(super) fn opened() -> Self {
        let phase = Phase::Head { since: Instant::now(), has_begun: false };
        Self(Arc::new(Mutex::new(Activity { phase, has_unread: false })))
    }

    pub(super) fn begin_request(&self) -> BusyGuard {
        self.lock().phase = Phase::Busy;
        BusyGuard(self.clone())
    }

    /// From now on the connection has no other limit than this one, for a client who takes nothing.
    pub(super) fn stay_open(&self, limit: Duration) {
        self.lock().phase = Phase::Open { blocked: None, limit };
    }

    /// Bytes came in.
    pub(super) fn received(&self) {
        let mut activity = self.lock();
        activity.phase = match activity.phase {
            Phase::Head { since, .. } => Phase::Head { since, has_begun: true },
            Phase::Busy => Phase::Busy,
            Phase::Idle { .. } => Phase::Head { since: Instant::now(), has_begun: true },
            open @ Phase::Open { .. } => open,
        };
    }

    /// The client took bytes of an answer.
    pub(super) fn sent(&self) {
        match &mut self.lock().phase {
            Phase::Idle { since } => *since = Instant::now(),
            Phase::Open { blocked, .. } => *blocked = None,
            Phase::Head { .. } | Phase::Busy => {}
        }
    }

    /// Bytes of an answer wait for the client to take them.
    pub(super) fn waits(&self) {
        if let Phase::Open { blocked, .. } = &mut self.lock().phase {
            blocked.get_or_insert_with(Instant::now);
        }
    }

    /// The body of a request stays unread.
    pub(super) fn leave_unread(&self) {
        self.lock().has_unread = true;
    }

    /// Whether the client may still write: a body, or something that is no request.
    pub(super) fn has_unread(&self) -> bool {
        let activity = self.lock();
        activity.has_unread || matches!(activity.phase, Phase::Head { has_begun: true, .. })
    }

    /// When to give the connection up.
    pub(super) fn deadline(&self, limits: ConnectionLimits) -> Option<Instant> {
        match self.lock().phase {
            Phase::Head { since, .. } => Some(since + limits.head),
            Phase::Busy => None,
            Phase::Idle { since } => Some(since + limits.idle),
            Phase::Open { blocked, limit } => blocked.map(|since| since + limit),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Activity> {
        self.0.lock().expect("nothing panics while it holds the lock")
    }
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        let mut activity = self.0.lock();
        if matches!(activity.phase, Phase::Busy) {
            activity.phase = Phase::Idle { since: Instant::now() };
        }
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.lock().phase = Phase::Idle { since: Instant::now() };
    }
}
