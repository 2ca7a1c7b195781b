//! One WebSocket that speaks `graphql-transport-ws`, from its beginning to its close.
//!
//! The session is that of the handshake, or of the `authorization` in the payload of `connection_init`: browsers send no
//! header of a page's choice with a handshake, but they do send cookies. It is looked at again for as long as the socket is open.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::execution::{OperationAnswer, answers};
use super::message::{self, ClientMessage, Close};
use super::operations::{self, RunningOperations};
use crate::access::EventReader;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::headers::{Credentials, credentials};
use crate::http::parameters::Parameters;
use crate::http::prepared::PreparedOperation;
use crate::http::state::HttpState;
use crate::readers::{OpenSocket, ReaderRights};
use crate::request::RequestContext;
use crate::session_cookie::{CookieSession, is_from_own_page};

/// How long a client may take to begin.
const INIT: Duration = Duration::from_secs(10);
/// How often a client is asked for a sign of life.
const PING: Duration = Duration::from_secs(10);

/// Serves a socket until it is closed.
pub(super) async fn serve(
    state: Arc<HttpState>,
    context: RequestContext,
    headers: HeaderMap,
    mut websocket: WebSocket,
) {
    let close = match (state.gateway.readers.sockets.admit(), websocket.protocol()) {
        (None, _) => Some(Close::try_again_later()),
        (_, None) => Some(Close::subprotocol()),
        (Some(open), Some(_)) => {
            let socket = Socket { state, context, headers, open, rights: None, is_begun: false };
            socket.run(&mut websocket).await
        }
    };
    let Some(Close { code, reason }) = close else { return };
    tracing::debug!(code, reason, "A WebSocket is closed.");
    let frame = CloseFrame { code, reason: reason.into() };
    // A client that is gone needs no close.
    websocket.send(Message::Close(Some(frame))).await.ok();
}

struct Socket {
    state: Arc<HttpState>,
    context: RequestContext,
    /// The headers of the handshake, with the credentials that the client gave later.
    headers: HeaderMap,
    open: OpenSocket,
    /// The session, where there is one.
    rights: Option<ReaderRights>,
    is_begun: bool,
}

impl Socket {
    /// Runs until the socket has to be closed; `None` if the client has closed it, or is gone.
    async fn run(mut self, websocket: &mut WebSocket) -> Option<Close> {
        let mut operations = RunningOperations::default();
        let mut pings = interval(PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let begins_until = Instant::now() + INIT;
        let state = Arc::clone(&self.state);
        loop {
            let is_begun = self.is_begun;
            let answer = tokio::select! {
                biased;
                () = state.gateway.readers.stopped() => return Some(Close::restart()),
                () = over(&mut self.rights) => return Some(Close::unauthorized()),
                () = sleep_until(begins_until), if !is_begun => return Some(Close::init_timeout()),
                message = websocket.recv() => match message {
                    Some(Ok(Message::Text(text))) => match self.hear(&text, &mut operations).await {
                        Ok(answer) => answer.map(|text| Message::Text(text.into())),
                        Err(close) => return Some(close),
                    },
                    Some(Ok(Message::Binary(_))) => return Some(Close::invalid("Messages are texts")),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                },
                // What ends the socket also ends its operations, on any thread and at any time, and the close code has to come
                // first: clients don't come back after `complete`.
                text = operations.next() => match self.ending() {
                    None => Some(Message::Text(text.into())),
                    close => return close,
                },
                _ = pings.tick() => Some(Message::Ping(Vec::new().into())),
            };
            if let Some(answer) = answer
                && websocket.send(answer).await.is_err()
            {
                return None;
            }
        }
    }

    /// How the socket has to end, if it has to by now.
    fn ending(&self) -> Option<Close> {
        if self.state.gateway.readers.is_stopping() {
            return Some(Close::restart());
        }
        let is_over = self.rights.as_ref().is_some_and(ReaderRights::has_credential_ended);
        is_over.then(Close::unauthorized)
    }

    /// What a message of the client leads to: an answer, or the end of the socket.
    async fn hear(
        &mut self,
        text: &str,
        operations: &mut RunningOperations,
    ) -> Result<Option<String>, Close> {
        let message = serde_json::from_str(text).map_err(|_| Close::invalid("Invalid message received"))?;
        match message {
            ClientMessage::ConnectionInit { .. } if self.is_begun => Err(Close::too_many_inits()),
            ClientMessage::ConnectionInit { payload } => {
                self.begin(payload.as_ref()).await?;
                self.is_begun = true;
                Ok(Some(message::connection_ack()))
            }
            ClientMessage::Ping { payload } => Ok(Some(message::pong(payload))),
            ClientMessage::Pong { .. } => Ok(None),
            ClientMessage::Complete { id } => {
                operations.end(&id);
                Ok(None)
            }
            ClientMessage::Subscribe { .. } if !self.is_begun => Err(Close::unauthorized()),
            ClientMessage::Subscribe { id, .. } if operations.has(&id) => Err(Close::subscriber_exists(&id)),
            ClientMessage::Subscribe { id, payload } => {
                self.subscribe(id, payload, operations).await;
                Ok(None)
            }
        }
    }

    /// Finds the session. Without any credentials the caller is nobody, as in a request without them.
    async fn begin(&mut self, payload: Option<&Map<String, Value>>) -> Result<(), Close> {
        if let Some(value) = payload.and_then(authorization) {
            let mut value = HeaderValue::from_str(value).map_err(|_| Close::forbidden())?;
            value.set_sensitive(true);
            self.headers.insert(header::AUTHORIZATION, value);
        }
        let sessions = &self.state.gateway.sessions;
        let token = match credentials(&self.headers) {
            Credentials::Bearer(token) => token,
            Credentials::Basic(..) | Credentials::Unreadable => return Err(Close::forbidden()),
            Credentials::None => match sessions.cookie.read(&self.headers) {
                CookieSession::None => return Ok(()),
                CookieSession::Token(token) if is_from_own_page(&self.headers) => token,
                CookieSession::Token(_) | CookieSession::Ambiguous => return Err(Close::forbidden()),
            },
        };
        match sessions.find(&token).await {
            Ok(Some(session)) if self.open.belongs_to(session.token_hash()) => {
                let rights = &self.state.gateway.readers.rights;
                self.rights = Some(rights.watch(&EventReader::of_session(&session), |_| true));
                Ok(())
            }
            Ok(Some(_)) | Err(ApiError::Unavailable { .. }) => Err(Close::try_again_later()),
            Ok(None) | Err(_) => Err(Close::forbidden()),
        }
    }

    async fn subscribe(&self, id: String, parameters: Parameters, operations: &mut RunningOperations) {
        let refused = |error| {
            let answer = OperationAnswer::refused(error);
            futures_util::StreamExt::boxed(futures_util::stream::once(async { answer }))
        };
        let answers = if operations.len() >= operations::MOST {
            refused(ApiError::RateLimited { retry_after_ms: 1_000 }.to_server_error())
        } else {
            match PreparedOperation::read(&self.state.gateway.config, parameters) {
                Ok(prepared) => {
                    let context = self.context.clone();
                    let caller = Caller::identify(&self.state.gateway.sessions, &self.headers, context).await;
                    answers(&self.state, prepared, caller)
                }
                Err(error) => refused(error),
            }
        };
        operations.begin(id, answers);
    }
}

/// Ready when the session has ended; never without one.
async fn over(rights: &mut Option<ReaderRights>) {
    match rights {
        Some(rights) => rights.credential_ended().await,
        None => std::future::pending().await,
    }
}

/// The credentials in the payload of a beginning, under the name of the header in any case.
fn authorization(payload: &Map<String, Value>) -> Option<&str> {
    let found = payload.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    found.and_then(|(_, value)| value.as_str())
}
