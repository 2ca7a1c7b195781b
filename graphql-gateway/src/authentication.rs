//! Sign-in: who has this username and password, or this token and secret?
//!
//! A password is judged in this order. Every judgement costs exactly one argon2 run, so the time of an answer does not
//! tell who exists. Only a delayed attempt costs none.
//!
//! 1. A text that can't be a username is unknown.
//! 2. The attempt waits until few enough others run on the same account ([`AttemptLimiter`]).
//! 3. After too many failures in a row it is delayed: nothing is compared, whatever the password.
//! 4. The password is compared with the user's, then the user must be active, and a temporary password in time.
//! 5. A wrong password counts towards the next delay; a success forgets the failures. The right password of somebody who
//!    may not sign in is neither: nobody guesses there.
//!
//! Failures count against one password of an account. After a reset or a change they don't delay the new one.
//!
//! Every failure goes to the audit log, under the user's id or, for a name that nobody has, under its digest.
//! Which secrets exist and how they are stored: `docs/adr/0005-secrets-stay-at-the-gateway.md`.

mod attempt_limiter;

use std::sync::Arc;

use domain::access::{self, SignInFailed, SignInFailureReason, SignedIn};
use domain::actor::{Actor, Client};
use domain::credential::{Credential, Kind};
use domain::id::{TokenId, UserId};
use domain::names::Username;
use domain::user::UserStatus;
use read_model::ReadModel;
use read_model::credentials::Holder;
use secrecy::SecretString;

use crate::access_records::{AccessRecord, AccessRecorder};
use crate::clock::now;
use crate::error::ApiError;
use crate::secrets::{Hasher, HashingQueueFull, digest, matches};
use attempt_limiter::{AttemptLimiter, delay};

/// An attempt to sign in or to pass an access check, for the audit log.
pub(crate) struct SignInAttempt<'a> {
    /// `portal`, or the service that asks.
    pub(crate) service: &'static str,
    pub(crate) client: &'a Client,
    pub(crate) correlation_id: &'a str,
}

/// A user whose identity is proved, and the credential that proved it.
#[derive(Debug, Clone)]
pub(crate) struct Authenticated {
    pub(crate) holder: Holder,
    pub(crate) credential: Credential,
}

impl Authenticated {
    /// The user, as commands and the audit log name them.
    pub(crate) fn actor(&self) -> Actor {
        let Holder { id, username, roles, .. } = &self.holder;
        Actor::User { id: *id, name: username.clone(), roles: *roles }
    }
}

/// Why somebody is not signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignInError {
    /// The credential was checked and does not do.
    Rejected(SignInFailureReason),
    /// Nothing was checked: there were too many failures before.
    Delayed { retry_after_ms: u64 },
    /// Nothing could be checked.
    Failed(ApiError),
}

impl From<ApiError> for SignInError {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<read_model::Error> for SignInError {
    fn from(error: read_model::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<HashingQueueFull> for SignInError {
    fn from(error: HashingQueueFull) -> Self {
        Self::Failed(error.into())
    }
}

/// Under which text failures count: the account and its present password, so that a new password starts without any.
fn counted_as(account: &str, password: Option<&Credential>) -> String {
    password.map_or_else(|| account.to_owned(), |password| format!("{account}/{}", password.version))
}

/// Whether a failure may be a guess. With the right password it is not, whatever else is wrong.
fn is_guess(reason: SignInFailureReason) -> bool {
    !matches!(reason, SignInFailureReason::NotActive | SignInFailureReason::Expired)
}

/// Checks passwords and token secrets against the views.
pub(crate) struct Authenticator {
    views: ReadModel,
    hasher: Arc<Hasher>,
    recorder: AccessRecorder,
    limiter: AttemptLimiter,
}

impl Authenticator {
    pub(crate) fn new(views: ReadModel, hasher: Arc<Hasher>, recorder: AccessRecorder) -> Self {
        Self { views, hasher, recorder, limiter: AttemptLimiter::new() }
    }

    /// The user who has this name and password.
    pub(crate) async fn password(
        &self,
        name: &str,
        password: &SecretString,
        attempt: &SignInAttempt<'_>,
    ) -> Result<Authenticated, SignInError> {
        let Ok(username) = Username::parse(name) else {
            self.hasher.verify_nothing(password).await?;
            self.record_failure(digest(name), SignInFailureReason::Unknown, attempt);
            return Err(SignInError::Rejected(SignInFailureReason::Unknown));
        };
        let account = UserId::of(&username).to_string();
        let _permit = self.limiter.acquire(&account).await;
        let found = self.views.holder_by_name(username.as_str()).await?;
        let subject = if found.is_some() { account.clone() } else { digest(username.as_str()) };
        let counted = counted_as(&account, found.as_ref().and_then(|(_, credential)| credential.as_ref()));
        let throttle = self.views.throttle(&counted).await?;
        let now = now();
        if let Some(wait) = throttle.filter(|throttle| throttle.next_allowed_at > now) {
            let micros = wait.next_allowed_at.micros() - now.micros();
            self.record_failure(subject, SignInFailureReason::Delayed, attempt);
            return Err(SignInError::Delayed {
                retry_after_ms: u64::try_from(micros / 1_000).unwrap_or_default().max(1),
            });
        }
        match self.compare(found, password).await? {
            Ok(authenticated) => {
                if throttle.is_some() {
                    self.views.sign_in_succeeded(&counted).await?;
                }
                Ok(authenticated)
            }
            Err(reason) => {
                if is_guess(reason) {
                    self.views.sign_in_failed(&counted, now, delay).await?;
                }
                self.record_failure(subject, reason, attempt);
                Err(SignInError::Rejected(reason))
            }
        }
    }

    /// Compares a password with what was found. One argon2 run in every case.
    async fn compare(
        &self,
        found: Option<(Holder, Option<Credential>)>,
        password: &SecretString,
    ) -> Result<Result<Authenticated, SignInFailureReason>, HashingQueueFull> {
        let Some((holder, Some(credential))) = found else {
            self.hasher.verify_nothing(password).await?;
            return Ok(Err(SignInFailureReason::Unknown));
        };
        let is_right = match &credential.kind {
            Kind::Permanent { phc } => self.hasher.verify(password, phc).await?,
            Kind::Temporary { digest, .. } => {
                self.hasher.verify_nothing(password).await?;
                matches(password, digest)
            }
            Kind::Token { .. } | Kind::WebhookSecret { .. } => {
                self.hasher.verify_nothing(password).await?;
                false
            }
        };
        Ok(match &credential.kind {
            _ if !is_right => Err(SignInFailureReason::WrongSecret),
            _ if holder.state != UserStatus::Active => Err(SignInFailureReason::NotActive),
            Kind::Temporary { expires_at, .. } if *expires_at <= now() => Err(SignInFailureReason::Expired),
            _ => Ok(Authenticated { holder, credential }),
        })
    }

    /// The user who has this token and secret. Whether the token is good for a service is for the access check to say.
    pub(crate) async fn token(
        &self,
        id: TokenId,
        secret: &SecretString,
        attempt: &SignInAttempt<'_>,
    ) -> Result<Authenticated, SignInError> {
        let found = self.views.holder_by_token(id).await?;
        let expected = found.as_ref().and_then(|(_, credential)| match &credential.kind {
            Kind::Token { digest, expires_at, .. } => Some((digest.as_str(), *expires_at)),
            _ => None,
        });
        let is_right = matches(secret, expected.map_or("", |(digest, _)| digest));
        let reason = match expected {
            None => SignInFailureReason::Unknown,
            Some(_) if !is_right => SignInFailureReason::WrongSecret,
            Some((_, Some(end))) if end <= now() => SignInFailureReason::Expired,
            Some(_) => match found {
                Some((holder, credential)) => return Ok(Authenticated { holder, credential }),
                None => SignInFailureReason::Unknown,
            },
        };
        let subject = found.map_or_else(|| digest(&id.to_string()), |(holder, _)| holder.id.to_string());
        self.record_failure(subject, reason, attempt);
        Err(SignInError::Rejected(reason))
    }

    /// The holder of a token, without a look at its secret: for a stream that was opened with it.
    pub(crate) async fn holder(&self, id: TokenId) -> Result<Option<(Holder, Credential)>, ApiError> {
        Ok(self.views.holder_by_token(id).await?)
    }

    /// Tells the audit log that somebody did not get in. `subject` is a user id, or the digest of an unknown name.
    pub(crate) fn record_failure(
        &self,
        subject: String,
        reason: SignInFailureReason,
        attempt: &SignInAttempt<'_>,
    ) {
        let event = SignInFailed { service: attempt.service.to_owned(), reason, count: 1 };
        self.record(subject, Actor::Anonymous, attempt, event.into());
    }

    /// Tells the audit log that somebody signed in with a password.
    pub(crate) fn record_sign_in(&self, user: &Authenticated, attempt: &SignInAttempt<'_>) {
        let event = SignedIn { service: attempt.service.to_owned() };
        self.record(user.holder.id.to_string(), user.actor(), attempt, event.into());
    }

    fn record(&self, subject: String, actor: Actor, attempt: &SignInAttempt<'_>, event: access::Event) {
        self.recorder.record(AccessRecord {
            at: now(),
            subject,
            actor,
            client: attempt.client.clone(),
            correlation_id: attempt.correlation_id.to_owned(),
            event,
        });
    }
}
