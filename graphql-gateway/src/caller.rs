//! The caller of a request: their session, address and request id.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::HeaderMap;
use domain::actor::{Actor, Client};

use crate::authentication::SignInAttempt;
use crate::error::ApiError;
use crate::headers::{Credentials, credentials};
use crate::request::RequestContext;
use crate::sessions::{ActiveSession, Sessions};

/// The caller of a request.
pub(crate) struct Caller {
    session: PresentedSession,
    /// Set when a mutation ends the session: the rest of the document is anonymous.
    signed_out: AtomicBool,
    pub(crate) client: Client,
    pub(crate) correlation_id: String,
    pub(crate) traceparent: Option<String>,
}

/// What the `Authorization` header names.
enum PresentedSession {
    /// Nothing.
    None,
    /// Not a valid session.
    Invalid,
    /// Something that can't be looked up now.
    Failed(ApiError),
    /// A valid session.
    Active(Box<ActiveSession>),
}

impl Caller {
    /// Looks up the session that a request presents.
    pub(crate) async fn identify(sessions: &Sessions, headers: &HeaderMap, context: RequestContext) -> Self {
        let session = match credentials(headers) {
            Credentials::None => PresentedSession::None,
            Credentials::Bearer(token) => match sessions.find(&token).await {
                Ok(Some(session)) => PresentedSession::Active(Box::new(session)),
                Ok(None) => PresentedSession::Invalid,
                Err(error) => PresentedSession::Failed(error),
            },
            Credentials::Basic(..) | Credentials::Unreadable => PresentedSession::Invalid,
        };
        let RequestContext { correlation_id, traceparent, client } = context;
        Self { session, signed_out: AtomicBool::new(false), client, correlation_id, traceparent }
    }

    /// The session, even one that may only change the password; `None` when nothing was presented.
    pub(crate) fn any_session(&self) -> Result<Option<&ActiveSession>, ApiError> {
        match &self.session {
            PresentedSession::Active(_) if self.has_signed_out() => Err(ApiError::Unauthenticated),
            PresentedSession::None => Ok(None),
            PresentedSession::Invalid => Err(ApiError::Unauthenticated),
            PresentedSession::Failed(error) => Err(error.clone()),
            PresentedSession::Active(session) => Ok(Some(session)),
        }
    }

    /// Requires a session that may do more than change the password.
    pub(crate) fn require_session(&self) -> Result<&ActiveSession, ApiError> {
        let session = self.any_session()?.ok_or(ApiError::Unauthenticated)?;
        if session.must_change_password { Err(ApiError::PasswordChangeRequired) } else { Ok(session) }
    }

    /// The caller, as commands name them.
    pub(crate) fn actor(&self) -> Actor {
        match &self.session {
            PresentedSession::Active(session) if !self.has_signed_out() => session.actor(),
            _ => Actor::Anonymous,
        }
    }

    /// Forgets the session, after it was ended.
    pub(crate) fn sign_out(&self) {
        self.signed_out.store(true, Ordering::Release);
    }

    fn has_signed_out(&self) -> bool {
        self.signed_out.load(Ordering::Acquire)
    }

    /// The caller as somebody who signs in at the portal.
    pub(crate) fn sign_in_attempt(&self) -> SignInAttempt<'_> {
        SignInAttempt { service: "portal", client: &self.client, correlation_id: &self.correlation_id }
    }

    /// The network address, if it is known.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.client.address.as_deref()?.parse().ok()
    }
}
