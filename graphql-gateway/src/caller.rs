//! Who is asking: session, rights, address.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::HeaderMap;
use domain::actor::{Actor, Client};

use crate::authentication::Attempt;
use crate::error::api::Fault;
use crate::gateway::Gateway;
use crate::headers::{Authorization, authorization};
use crate::http::Frame;
use crate::sessions::SignedIn;

/// Whoever sent a request.
pub(crate) struct Caller {
    session: Presented,
    /// Set when a mutation of the document ends the session; the rest of the document is nobody's.
    signed_out: AtomicBool,
    pub(crate) client: Client,
    pub(crate) correlation_id: String,
    pub(crate) traceparent: Option<String>,
}

/// What came as `Authorization: Bearer`.
enum Presented {
    /// Nothing.
    Nothing,
    /// A session that is unknown or has ended.
    Ended,
    /// Something that can't be looked up at the moment.
    Unknown(Fault),
    /// A session.
    Session(Arc<SignedIn>),
}

impl Caller {
    /// Looks up the session that a request shows.
    pub(crate) async fn of(gateway: &Gateway, headers: &HeaderMap, frame: Frame) -> Self {
        let session = match authorization(headers) {
            Authorization::None => Presented::Nothing,
            Authorization::Bearer(token) => match gateway.sessions().find(&token).await {
                Ok(Some(session)) => Presented::Session(Arc::new(session)),
                Ok(None) => Presented::Ended,
                Err(fault) => Presented::Unknown(fault),
            },
            Authorization::Basic(..) | Authorization::Other => Presented::Ended,
        };
        let Frame { correlation_id, traceparent, client } = frame;
        Self { session, signed_out: AtomicBool::new(false), client, correlation_id, traceparent }
    }

    /// The session, whatever it may do; none when nothing was shown.
    pub(crate) fn any_session(&self) -> Result<Option<&SignedIn>, Fault> {
        match &self.session {
            Presented::Session(_) if self.has_signed_out() => Err(Fault::Unauthenticated),
            Presented::Nothing => Ok(None),
            Presented::Ended => Err(Fault::Unauthenticated),
            Presented::Unknown(fault) => Err(fault.clone()),
            Presented::Session(session) => Ok(Some(session)),
        }
    }

    /// The session of somebody who may do more than change the password.
    pub(crate) fn session(&self) -> Result<&SignedIn, Fault> {
        let session = self.any_session()?.ok_or(Fault::Unauthenticated)?;
        if session.must_change_password { Err(Fault::PasswordChangeRequired) } else { Ok(session) }
    }

    /// The caller as commands carry them.
    pub(crate) fn actor(&self) -> Actor {
        match &self.session {
            Presented::Session(session) if !self.has_signed_out() => session.actor(),
            _ => Actor::Anonymous,
        }
    }

    /// Forgets the session, which has ended.
    pub(crate) fn sign_out(&self) {
        self.signed_out.store(true, Ordering::Release);
    }

    fn has_signed_out(&self) -> bool {
        self.signed_out.load(Ordering::Acquire)
    }

    /// The caller as somebody who tries to get in at the portal.
    pub(crate) fn attempt(&self) -> Attempt<'_> {
        Attempt { service: "portal", client: &self.client, correlation_id: &self.correlation_id }
    }

    /// The network address, where it is known.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.client.address.as_deref()?.parse().ok()
    }
}
