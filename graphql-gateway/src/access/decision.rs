//! The access decision, whole: what is asked, in which order it is judged, what each denial means.
//!
//! A service passes on the credential that somebody showed to it, and says its own name. Each kind of credential is
//! judged in the order given here, and the first step that fails decides.
//!
//! - **Token** (HTTP Basic, the user is a token id): the secret is right and has not expired; the views are fresh; the
//!   user is active; the token has the service's scope, of which `portal` has none; the client's address lies in the
//!   token's networks. A token that fails the first step is refused only while the views of all partitions are fresh.
//! - **Password** (HTTP Basic, the user is a username): the views are fresh; the sign-in succeeds
//!   ([`crate::authentication`]), for which the user must be active; the password is not a temporary one; the service is
//!   not `agent`.
//! - **Session** (HTTP Bearer): the session is valid ([`crate::sessions`]), for which the user must be active; the views
//!   are fresh; it is a full session, not one that may only replace a temporary password; the service is not `agent`.
//! - **Nothing**, or a header that can't be read: refused at once, as unauthenticated.
//!
//! # Answers
//!
//! The metric `muster_access_checks_total` counts each answer under the name in the last column.
//!
//! | answer | status | meaning | counted as |
//! | --- | --- | --- | --- |
//! | [`AccessGranted`] | 200 | the credential is good for the service | `passed` |
//! | [`AccessDenied::Unauthenticated`] | 401 | unknown, wrong or expired; one answer for all, which does not tell who exists | `unproved` |
//! | [`AccessDenied::Forbidden`] | 403 | the secret is right and does not open this service, or its user is not active | `forbidden` |
//! | [`AccessDenied::Throttled`] | 429 | too many wrong passwords came before | `delayed` |
//! | [`AccessDenied::Unavailable`] | 503 | it can't be known now | `unknown` |
//!
//! It can't be known now if the views can't be read or are not fresh, or if too many passwords wait to be hashed.
//!
//! # Fresh views
//!
//! Views are fresh if they stood at the end of the log within the last `--access-staleness`. If they were fresh when the
//! projection lost the log, they count as fresh for `--access-grace` from then on: what the log holds meanwhile is
//! unknown, and denying everybody at once would be worse. Halted views are never fresh.
//!
//! # Access records
//!
//! Every denied token and password leaves an access record, and so does every password that passes. A token that passes
//! only updates its last use. Sessions leave no record, whether they pass or not. An answer of 503 leaves one only for
//! a token that failed its first step.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use domain::access::SignInFailureReason;
use domain::actor::{Client, Roles};
use domain::credential::Kind;
use domain::group::GroupRef;
use domain::id::{TokenId, UserId};
use domain::names::Username;
use domain::network;
use domain::user::UserStatus;
use ipnet::IpNet;
use log_model::partition;
use read_model::ReadModel;
use read_model::credentials::Holder;
use secrecy::SecretString;

use super::freshness::{Freshness, NotFresh};
use super::service::Service;
use crate::authentication::{Authenticated, Authenticator, SignInAttempt, SignInError};
use crate::error::ApiError;
use crate::headers::{Credentials, credentials};
use crate::request::RequestContext;
use crate::sessions::Sessions;
use crate::token_uses::TokenUses;

/// The user who may use the service.
#[derive(Debug)]
pub(crate) struct AccessGranted {
    pub(crate) user: UserId,
    pub(crate) username: String,
    pub(crate) roles: Roles,
    pub(crate) group: Option<GroupRef>,
    pub(crate) token: Option<TokenId>,
}

/// Why a credential is not good for the service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AccessDenied {
    /// 401: unknown, wrong or expired; one answer for all.
    Unauthenticated,
    /// 403: the secret is right, but it does not open this service, or its user is not active.
    Forbidden,
    /// 429: too many failures before.
    Throttled { retry_after_ms: u64 },
    /// 503: it can't be known now.
    Unavailable { retry_after_ms: u64 },
}

impl AccessDenied {
    /// Unavailable for about a second.
    pub(crate) const UNAVAILABLE: Self = Self::Unavailable { retry_after_ms: 1_000 };
}

/// Decides whether credentials are good for services.
pub(crate) struct AccessCheck {
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) sessions: Arc<Sessions>,
    token_uses: TokenUses,
    partitions: u32,
    pub(super) freshness: Freshness,
}

impl AccessCheck {
    /// A check for users in this number of partitions.
    pub(crate) fn new(
        views: ReadModel,
        authenticator: Arc<Authenticator>,
        sessions: Arc<Sessions>,
        partitions: u32,
        freshness: Freshness,
    ) -> Self {
        let token_uses = TokenUses::new(views);
        Self { authenticator, sessions, token_uses, partitions, freshness }
    }

    /// Whether the credentials of a request are good for a service.
    pub(crate) async fn check_access(
        &self,
        headers: &HeaderMap,
        context: &RequestContext,
        service: Service,
    ) -> Result<AccessGranted, AccessDenied> {
        let RequestContext { client, correlation_id, .. } = context;
        let attempt = SignInAttempt { service: service.name(), client, correlation_id };
        match credentials(headers) {
            Credentials::Basic(name, secret) => match name.parse::<TokenId>() {
                Ok(id) => self.check_token(id, &secret, service, &attempt).await,
                Err(_) => self.check_password(&name, &secret, service, &attempt).await,
            },
            Credentials::Bearer(token) => self.check_session(&token, service).await,
            Credentials::None | Credentials::Unreadable => Err(AccessDenied::Unauthenticated),
        }
    }

    async fn check_token(
        &self,
        id: TokenId,
        secret: &SecretString,
        service: Service,
        attempt: &SignInAttempt<'_>,
    ) -> Result<AccessGranted, AccessDenied> {
        let user = match self.authenticator.token(id, secret, attempt).await {
            Ok(user) => user,
            Err(error) => {
                // An outdated view may lack the token or its end. An unknown token may belong to any partition, so all of
                // them must be fresh to refuse one.
                self.freshness.require_all()?;
                return Err(error.into());
            }
        };
        self.freshness.require(user.holder.partition)?;
        if let Some(reason) = token_obstacle(&user, service, attempt.client) {
            self.authenticator.record_failure(user.holder.id.to_string(), reason, attempt);
            return Err(AccessDenied::Forbidden);
        }
        self.token_uses.record(id, attempt.client, service.scope());
        Ok(AccessGranted::new(user.holder, Some(id)))
    }

    async fn check_password(
        &self,
        name: &str,
        password: &SecretString,
        service: Service,
        attempt: &SignInAttempt<'_>,
    ) -> Result<AccessGranted, AccessDenied> {
        if let Ok(username) = Username::parse(name) {
            self.freshness.require(partition::of(UserId::of(&username).uuid(), self.partitions))?;
        }
        let user = self.authenticator.password(name, password, attempt).await?;
        let reason = match service {
            _ if user.credential.kind.must_change() => Some(SignInFailureReason::MustChange),
            Service::Agent => Some(SignInFailureReason::WrongScope),
            _ => None,
        };
        if let Some(reason) = reason {
            self.authenticator.record_failure(user.holder.id.to_string(), reason, attempt);
            return Err(AccessDenied::Forbidden);
        }
        self.authenticator.record_sign_in(&user, attempt);
        Ok(AccessGranted::new(user.holder, None))
    }

    async fn check_session(
        &self,
        token: &SecretString,
        service: Service,
    ) -> Result<AccessGranted, AccessDenied> {
        let session = self.sessions.find(token).await?.ok_or(AccessDenied::Unauthenticated)?;
        self.freshness.require(session.partition)?;
        if session.must_change_password || service == Service::Agent {
            return Err(AccessDenied::Forbidden);
        }
        let (user, username, roles, group) =
            (session.user_id, session.username, session.roles, session.group);
        Ok(AccessGranted { user, username, roles, group, token: None })
    }
}

/// Why a right token and secret are not good for this service from this address.
fn token_obstacle(user: &Authenticated, service: Service, client: &Client) -> Option<SignInFailureReason> {
    let Kind::Token { scopes, allowed_networks, .. } = &user.credential.kind else {
        return Some(SignInFailureReason::WrongScope);
    };
    if user.holder.state != UserStatus::Active {
        Some(SignInFailureReason::NotActive)
    } else if !service.scope().is_some_and(|scope| scopes.contains(&scope)) {
        Some(SignInFailureReason::WrongScope)
    } else if !is_within(client, allowed_networks) {
        Some(SignInFailureReason::WrongNetwork)
    } else {
        None
    }
}

/// Whether the client's address lies in one of the networks. No networks means every network. Tokens of earlier releases
/// may have IPv4-mapped ones.
fn is_within(client: &Client, networks: &[IpNet]) -> bool {
    let address: Option<IpAddr> = client.address.as_deref().and_then(|text| text.parse().ok());
    networks.is_empty()
        || address
            .is_some_and(|address| networks.iter().any(|known| network::canonical(*known).contains(&address)))
}

impl AccessGranted {
    fn new(holder: Holder, token: Option<TokenId>) -> Self {
        let Holder { id, username, roles, group, .. } = holder;
        Self { user: id, username, roles, group, token }
    }
}

impl From<SignInError> for AccessDenied {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Rejected(SignInFailureReason::NotActive) => Self::Forbidden,
            SignInError::Rejected(_) => Self::Unauthenticated,
            SignInError::Delayed { retry_after_ms } => Self::Throttled { retry_after_ms },
            SignInError::Failed(error) => error.into(),
        }
    }
}

impl From<NotFresh> for AccessDenied {
    fn from(_: NotFresh) -> Self {
        Self::UNAVAILABLE
    }
}

/// Whatever failed, nobody can say now whether the credential is good.
impl From<ApiError> for AccessDenied {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Unavailable { retry_after_ms } => Self::Unavailable { retry_after_ms },
            _ => Self::UNAVAILABLE,
        }
    }
}
