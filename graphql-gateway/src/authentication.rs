//! Checks what callers prove themselves with: passwords and token secrets; one timing for every no.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Duration;

use domain::access::{FailedBecause, SignInFailed, SignedIn};
use domain::actor::{Actor, Client};
use domain::credential::{Credential, Kind};
use domain::id::{TokenId, UserId};
use domain::names::Username;
use domain::user::UserStatus;
use read_model::credentials::Holder;
use secrecy::SecretString;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::access_records::Note;
use crate::clock::now;
use crate::error::api::Fault;
use crate::gateway::{Gateway, asked};
use crate::secrets::{digest, matches};

/// Failures in a row that cost nothing.
const FREE_FAILURES: u32 = 4;
/// Longest delay after a failure. Nobody is ever locked out for good by strangers.
const LONGEST_DELAY: Duration = Duration::from_mins(1);
/// How many attempts on one account may run at a time: so few get through before their failures are counted.
const AT_A_TIME: usize = 4;
const STRIPES: usize = 256;

/// Somebody tries to get in.
pub(crate) struct Attempt<'a> {
    /// `portal`, or the service that asks.
    pub(crate) service: &'static str,
    pub(crate) client: &'a Client,
    pub(crate) correlation_id: &'a str,
}

/// Somebody who proved who they are, and with what.
#[derive(Debug, Clone)]
pub(crate) struct Proved {
    pub(crate) holder: Holder,
    pub(crate) credential: Credential,
}

/// Why somebody did not get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum No {
    /// They did not prove it, or may not.
    Because(FailedBecause),
    /// There were too many failures before; it was not even tried.
    Delayed { retry_after_ms: u64 },
    /// It can't be known at the moment.
    Failed(Fault),
}

impl From<Fault> for No {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

/// Keeps attempts on one account from overtaking the count of its failures.
pub(crate) struct Turnstile {
    stripes: Vec<Semaphore>,
}

impl Turnstile {
    pub(crate) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Semaphore::new(AT_A_TIME)).collect() }
    }

    async fn pass(&self, account: &str) -> SemaphorePermit<'_> {
        let mut hasher = DefaultHasher::new();
        account.hash(&mut hasher);
        let stripe = usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or_default();
        self.stripes[stripe].acquire().await.expect("the semaphore is never closed")
    }
}

impl Gateway {
    /// Who has this name and password. Every answer but the delay takes one argon2 run, whoever exists.
    pub(crate) async fn password(
        &self,
        name: &str,
        password: &SecretString,
        attempt: &Attempt<'_>,
    ) -> Result<Proved, No> {
        let Ok(username) = Username::parse(name) else {
            self.hasher.pretend(password).await.map_err(Fault::from)?;
            self.failed(digest(name), FailedBecause::Unknown, attempt);
            return Err(No::Because(FailedBecause::Unknown));
        };
        let account = UserId::of(&username).to_string();
        let _turn = self.turnstile.pass(&account).await;
        let throttle = self.views.throttle(&account).await.map_err(asked)?;
        let now = now();
        if let Some(wait) = throttle.filter(|throttle| throttle.next_allowed_at > now) {
            let micros = wait.next_allowed_at.micros() - now.micros();
            let is_known = self.views.holder_by_name(username.as_str()).await.map_err(asked)?.is_some();
            let subject = if is_known { account } else { digest(username.as_str()) };
            self.failed(subject, FailedBecause::Delayed, attempt);
            return Err(No::Delayed {
                retry_after_ms: u64::try_from(micros / 1_000).unwrap_or_default().max(1),
            });
        }
        let found = self.views.holder_by_name(username.as_str()).await.map_err(asked)?;
        let subject = if found.is_some() { account.clone() } else { digest(username.as_str()) };
        match self.compare(found, password).await? {
            Ok(proved) => {
                if throttle.is_some() {
                    self.views.sign_in_succeeded(&account).await.map_err(asked)?;
                }
                Ok(proved)
            }
            Err(because) => {
                self.views.sign_in_failed(&account, now, delay).await.map_err(asked)?;
                self.failed(subject, because, attempt);
                Err(No::Because(because))
            }
        }
    }

    /// Compares a password with the one that was found, or with none in the same time.
    async fn compare(
        &self,
        found: Option<(Holder, Option<Credential>)>,
        password: &SecretString,
    ) -> Result<Result<Proved, FailedBecause>, Fault> {
        let Some((holder, Some(credential))) = found else {
            self.hasher.pretend(password).await?;
            return Ok(Err(FailedBecause::Unknown));
        };
        let is_right = match &credential.kind {
            Kind::Permanent { phc } => self.hasher.verify(password, phc).await?,
            Kind::Temporary { digest, .. } => {
                self.hasher.pretend(password).await?;
                matches(password, digest)
            }
            Kind::Token { .. } => {
                self.hasher.pretend(password).await?;
                false
            }
        };
        Ok(match &credential.kind {
            _ if !is_right => Err(FailedBecause::WrongSecret),
            _ if holder.state != UserStatus::Active => Err(FailedBecause::NotActive),
            Kind::Temporary { expires_at, .. } if *expires_at <= now() => Err(FailedBecause::Expired),
            _ => Ok(Proved { holder, credential }),
        })
    }

    /// Who has this token and secret. Whether the token passes here is another question.
    pub(crate) async fn token(
        &self,
        id: TokenId,
        secret: &SecretString,
        attempt: &Attempt<'_>,
    ) -> Result<Proved, No> {
        let found = self.views.holder_by_token(id).await.map_err(asked)?;
        let expected = found.as_ref().and_then(|(_, credential)| match &credential.kind {
            Kind::Token { digest, expires_at, .. } => Some((digest.as_str(), *expires_at)),
            _ => None,
        });
        let is_right = matches(secret, expected.map_or("", |(digest, _)| digest));
        let no = match expected {
            None => FailedBecause::Unknown,
            Some(_) if !is_right => FailedBecause::WrongSecret,
            Some((_, Some(end))) if end <= now() => FailedBecause::Expired,
            Some(_) => match found {
                Some((holder, credential)) => return Ok(Proved { holder, credential }),
                None => FailedBecause::Unknown,
            },
        };
        let subject = found.map_or_else(|| digest(&id.to_string()), |(holder, _)| holder.id.to_string());
        self.failed(subject, no, attempt);
        Err(No::Because(no))
    }

    /// Notes that somebody did not get in.
    pub(crate) fn failed(&self, subject: String, reason: FailedBecause, attempt: &Attempt<'_>) {
        let event = SignInFailed { service: attempt.service.to_owned(), reason, count: 1 };
        self.notes.take(Note {
            at: now(),
            subject,
            actor: Actor::Anonymous,
            client: attempt.client.clone(),
            correlation_id: attempt.correlation_id.to_owned(),
            event: event.into(),
        });
    }

    /// Notes that somebody signed in with a password.
    pub(crate) fn signed_in(&self, proved: &Proved, attempt: &Attempt<'_>) {
        self.notes.take(Note {
            at: now(),
            subject: proved.holder.id.to_string(),
            actor: proved.actor(),
            client: attempt.client.clone(),
            correlation_id: attempt.correlation_id.to_owned(),
            event: SignedIn { service: attempt.service.to_owned() }.into(),
        });
    }
}

impl Proved {
    /// The user as commands and notes carry them.
    pub(crate) fn actor(&self) -> Actor {
        let Holder { id, username, roles, .. } = &self.holder;
        Actor::User { id: *id, name: username.clone(), roles: *roles }
    }
}

/// How long nothing is tried after so many failures in a row: nothing up to the fourth, then 1, 2, 4 … 60 seconds.
fn delay(failures: u32) -> Duration {
    match failures.checked_sub(FREE_FAILURES + 1) {
        None => Duration::ZERO,
        Some(doublings) => Duration::from_secs(1_u64 << doublings.min(6)).min(LONGEST_DELAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_from_the_fifth_failure_and_never_locks_out() {
        let seconds: Vec<u64> = (0..14).map(|failures| delay(failures).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(delay(u32::MAX), LONGEST_DELAY);
    }

    #[tokio::test]
    async fn few_attempts_on_one_account_run_at_a_time() {
        let turnstile = Turnstile::new();
        let mut turns = Vec::new();
        for _ in 0..AT_A_TIME {
            turns.push(turnstile.pass("alice").await);
        }
        let more = tokio::time::timeout(Duration::from_millis(20), turnstile.pass("alice"));
        assert!(more.await.is_err());
        turns.clear();
        drop(turnstile.pass("alice").await);
    }
}
