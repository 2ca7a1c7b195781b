//! The caller of a request: their session, address and request id.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::HeaderMap;
use domain::actor::{Actor, Client};
use secrecy::SecretString;

use crate::authentication::SignInAttempt;
use crate::error::ApiError;
use crate::headers::{Credentials, credentials};
use crate::request::RequestContext;
use crate::session_cookie::{CookieSession, is_from_own_page};
use crate::sessions::{ActiveSession, Sessions};

/// The caller of a request.
pub(crate) struct Caller {
    session: PresentedSession,
    /// Set when a mutation ends the session: the rest of the document is anonymous.
    signed_out: AtomicBool,
    /// Whether a page of ours sent the request. No other page may begin or use a session in a cookie.
    pub(crate) is_own_page: bool,
    /// Whether the session came in a cookie.
    pub(crate) has_cookie: bool,
    pub(crate) client: Client,
    pub(crate) correlation_id: String,
    pub(crate) traceparent: Option<String>,
}

/// What the `Authorization` header names, or without one the session cookie.
enum PresentedSession {
    /// Nothing.
    None,
    /// Not a valid session.
    Invalid,
    /// The cookie of a session, sent by a page of somebody else.
    OtherPage,
    /// Something that can't be looked up now.
    Failed(ApiError),
    /// A valid session.
    Active(Box<ActiveSession>),
}

impl Caller {
    /// Looks up the session that a request presents.
    pub(crate) async fn identify(sessions: &Sessions, headers: &HeaderMap, context: RequestContext) -> Self {
        let is_own_page = is_from_own_page(headers);
        let mut has_cookie = false;
        let session = match credentials(headers) {
            Credentials::Bearer(token) => PresentedSession::find(sessions, &token).await,
            Credentials::Basic(..) | Credentials::Unreadable => PresentedSession::Invalid,
            Credentials::None => match sessions.cookie.read(headers) {
                CookieSession::None => PresentedSession::None,
                CookieSession::Ambiguous => PresentedSession::Invalid,
                CookieSession::Token(_) if !is_own_page => PresentedSession::OtherPage,
                CookieSession::Token(token) => {
                    has_cookie = true;
                    PresentedSession::find(sessions, &token).await
                }
            },
        };
        let RequestContext { correlation_id, traceparent, client } = context;
        let signed_out = AtomicBool::new(false);
        Self { session, signed_out, is_own_page, has_cookie, client, correlation_id, traceparent }
    }

    /// Requires that no other page sends our cookie along. Checked before anything of the request runs.
    pub(crate) fn require_own_page(&self) -> Result<(), ApiError> {
        match self.session {
            PresentedSession::OtherPage => Err(ApiError::Forbidden),
            _ => Ok(()),
        }
    }

    /// The session, even one that may only change the password; `None` when nothing was presented.
    pub(crate) fn any_session(&self) -> Result<Option<&ActiveSession>, ApiError> {
        match &self.session {
            PresentedSession::Active(_) if self.has_signed_out() => Err(ApiError::Unauthenticated),
            PresentedSession::None => Ok(None),
            PresentedSession::Invalid => Err(ApiError::Unauthenticated),
            PresentedSession::OtherPage => Err(ApiError::Forbidden),
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

impl PresentedSession {
    async fn find(sessions: &Sessions, token: &SecretString) -> Self {
        match sessions.find(token).await {
            Ok(Some(session)) => Self::Active(Box::new(session)),
            Ok(None) => Self::Invalid,
            Err(error) => Self::Failed(error),
        }
    }
}
