//! The sockets of subscribers: how many are open, in all and of one session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use read_model::sessions::TokenHash;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most sockets of one session. A browser has one for each tab.
const OF_A_SESSION: usize = 20;

/// The open sockets of the process.
pub(crate) struct Sockets {
    most: u32,
    places: Arc<Semaphore>,
    of_sessions: Arc<Mutex<HashMap<TokenHash, usize>>>,
}

/// One socket that is open.
pub(crate) struct OpenSocket {
    of_sessions: Arc<Mutex<HashMap<TokenHash, usize>>>,
    session: Option<TokenHash>,
    _place: OwnedSemaphorePermit,
}

impl Sockets {
    pub(crate) fn new(most: usize) -> Self {
        let most = u32::try_from(most.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self { most, places: Arc::new(Semaphore::new(most as usize)), of_sessions: Arc::default() }
    }

    /// A place for one more socket; `None` while as many as may be are open.
    pub(crate) fn admit(&self) -> Option<OpenSocket> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        metrics::gauge!("muster_websockets").increment(1.0);
        Some(OpenSocket { of_sessions: Arc::clone(&self.of_sessions), session: None, _place: place })
    }

    /// Ready when every socket is closed, or the patience is over.
    pub(crate) async fn closed(&self, patience: Duration) {
        let _late = tokio::time::timeout(patience, self.places.acquire_many(self.most)).await;
    }
}

impl OpenSocket {
    /// Counts the socket among those of its session. Returns whether there may be one more.
    pub(crate) fn belongs_to(&mut self, session: TokenHash) -> bool {
        let mut of_sessions = self.of_sessions.lock().expect("nothing panics while it holds the lock");
        let count = of_sessions.entry(session).or_default();
        if *count >= OF_A_SESSION {
            return false;
        }
        *count += 1;
        self.session = Some(session);
        true
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        metrics::gauge!("muster_websockets").decrement(1.0);
        let Some(session) = self.session else { return };
        let mut of_sessions = self.of_sessions.lock().expect("nothing panics while it holds the lock");
        if let Some(count) = of_sessions.get_mut(&session) {
            *count -= 1;
            if *count == 0 {
                of_sessions.remove(&session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_so_many_sockets_and_gives_their_places_back() {
        let sockets = Sockets::new(100);
        let open = || {
            let mut socket = sockets.admit().unwrap();
            socket.belongs_to([1; 32]).then_some(socket)
        };
        let mut held: Vec<_> = (0..OF_A_SESSION).map(|_| open().unwrap()).collect();
        assert!(open().is_none());
        assert!(sockets.admit().unwrap().belongs_to([2; 32]), "another session");
        held.pop();
        assert!(open().is_some());
        drop(held);
        assert!(sockets.of_sessions.lock().unwrap().is_empty());
    }

    #[test]
    fn a_process_has_so_many_sockets() {
        let sockets = Sockets::new(1);
        let first = sockets.admit();
        assert!(first.is_some() && sockets.admit().is_none());
        drop(first);
        assert!(sockets.admit().is_some());
    }
}
