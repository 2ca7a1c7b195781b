//! How long a connection waits for its client, and how much of an unwanted body is read.

use std::time::Duration;

/// Limits of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionLimits {
    /// From the first byte of a request head to its last; of the first head from the opening of the connection.
    pub(super) head: Duration,
    /// Without a request, and without a byte of an answer that was taken.
    pub(super) idle: Duration,
    /// Bytes of a body that are read after the handler has left it, and how long that may take.
    pub(super) drain_bytes: usize,
    pub(super) drain: Duration,
    /// How long a closing connection reads what its client still writes: since the last byte, and in all.
    pub(super) linger_quiet: Duration,
    pub(super) linger: Duration,
}

impl ConnectionLimits {
    /// Idle connections live longer than those that proxies keep (60 s at most by default): it is for the client to
    /// close them, or it may send a request that nobody reads. The limits of lingering are those of nginx.
    pub(super) const DEFAULT: Self = Self {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        drain_bytes: 1 << 20,
        drain: Duration::from_secs(5),
        linger_quiet: Duration::from_secs(5),
        linger: Duration::from_secs(30),
    };
}
