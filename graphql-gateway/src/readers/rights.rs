//! Ends streams within a second after the right to read ends: the role, the session, the token or the user.
//!
//! Each credential with an open stream is looked at again every few hundred milliseconds, once for all of its streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::actor::Roles;
use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::access::{AccessCheck, EventReader, ReaderCredential};

/// How often credentials are looked at. With the lag of the views it stays below a second.
const EVERY: Duration = Duration::from_millis(400);
/// How many are looked at side by side.
const AT_ONCE: usize = 8;

/// Looks at the credentials of open streams.
pub(crate) struct RightsWatch {
    access: Arc<AccessCheck>,
    /// For how long a credential that can't be looked at counts as good.
    patience: Duration,
    watched: Mutex<HashMap<ReaderCredential, watch::Sender<CredentialCheck>>>,
    stopping: watch::Receiver<bool>,
}

/// What the last look at a credential said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CredentialCheck {
    /// It was good for these roles at this instant.
    Good(Roles, Instant),
    /// It has ended, or nobody has been able to tell for too long.
    Over,
}

/// The right of one stream to go on.
pub(crate) struct ReaderRights {
    standing: watch::Receiver<CredentialCheck>,
    stopping: watch::Receiver<bool>,
    may: fn(Roles) -> bool,
}

/// Why a stream ends that its client has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The session or token has ended, or its user may not sign in any more.
    Credential,
    /// The reader has lost the right.
    Rights,
    /// The process ends.
    Stopping,
}

impl RightsWatch {
    pub(crate) fn new(access: Arc<AccessCheck>, patience: Duration, stopping: watch::Receiver<bool>) -> Self {
        Self { access, patience, watched: Mutex::default(), stopping }
    }

    /// Watches a reader who was found to be good just now, for a stream that needs what `may` says.
    pub(crate) fn watch(&self, reader: &EventReader, may: fn(Roles) -> bool) -> ReaderRights {
        let good = CredentialCheck::Good(reader.roles, Instant::now());
        let mut watched = self.watched.lock().expect("nothing panics while it holds the lock");
        let sender = watched.entry(reader.credential).or_insert_with(|| watch::Sender::new(good));
        sender.send_replace(good);
        ReaderRights { standing: sender.subscribe(), stopping: self.stopping.clone(), may }
    }

    /// Looks until it is dropped.
    pub(crate) async fn run(&self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let watched: Vec<_> = {
                let mut watched = self.watched.lock().expect("nothing panics while it holds the lock");
                watched.retain(|_, sender| !sender.is_closed());
                watched.iter().map(|(credential, sender)| (*credential, sender.clone())).collect()
            };
            let looking = stream::iter(watched)
                .for_each_concurrent(AT_ONCE, |(credential, sender)| self.look(credential, sender));
            looking.await;
        }
    }

    async fn look(&self, credential: ReaderCredential, sender: watch::Sender<CredentialCheck>) {
        let found = self.access.roles_of(credential).await;
        let known = *sender.borrow();
        let standing = match (found, known) {
            (Ok(Some(roles)), _) => CredentialCheck::Good(roles, Instant::now()),
            (Err(_), CredentialCheck::Good(roles, at)) if at.elapsed() < self.patience => {
                CredentialCheck::Good(roles, at)
            }
            (Ok(None) | Err(_), _) => CredentialCheck::Over,
        };
        sender.send_if_modified(|known| {
            let is_news = match (*known, standing) {
                (CredentialCheck::Good(before, _), CredentialCheck::Good(after, _)) => before != after,
                (before, after) => before != after,
            };
            *known = standing;
            is_news
        });
    }
}

impl ReaderRights {
    /// Ready when the session or token has ended.
    pub(crate) async fn credential_ended(&mut self) {
        // Without a sender nobody looks any more.
        let _over = self.standing.wait_for(|standing| *standing == CredentialCheck::Over).await;
    }

    /// Whether the session or token has ended.
    pub(crate) fn has_credential_ended(&self) -> bool {
        *self.standing.borrow() == CredentialCheck::Over
    }

    /// Ready when the stream has to end.
    pub(crate) async fn ended(&mut self) -> Ended {
        let may = self.may;
        let is_over = |standing: &CredentialCheck| match standing {
            CredentialCheck::Good(roles, _) => !may(*roles),
            CredentialCheck::Over => true,
        };
        tokio::select! {
            over = self.standing.wait_for(is_over) => match over.map(|standing| *standing) {
                Ok(CredentialCheck::Good(..)) => Ended::Rights,
                // Without a sender nobody looks any more.
                Ok(CredentialCheck::Over) | Err(_) => Ended::Credential,
            },
            _stopped = self.stopping.wait_for(|stopping| *stopping) => Ended::Stopping,
        }
    }
}
