//! The messages of `graphql-transport-ws`, and the codes with which a socket is closed.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::http::parameters::Parameters;

/// The name of the protocol in the handshake.
pub(super) const PROTOCOL: &str = "graphql-transport-ws";

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    /// Begins. Everything else has to wait for the answer.
    ConnectionInit {
        /// May hold the session.
        #[serde(default)]
        payload: Option<Map<String, Value>>,
    },
    /// Asks for a sign of life.
    Ping {
        /// Comes back.
        #[serde(default)]
        payload: Option<Map<String, Value>>,
    },
    /// A sign of life.
    Pong {
        /// Says nothing.
        #[serde(default, rename = "payload")]
        _payload: Option<Map<String, Value>>,
    },
    /// Begins an operation.
    Subscribe {
        /// Names it, among those of the socket.
        id: String,
        /// What is asked.
        payload: Parameters,
    },
    /// Ends an operation.
    Complete {
        /// Which.
        id: String,
    },
}

/// Why a socket is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// What the client said is no message of the protocol.
    pub(super) fn invalid(reason: &str) -> Self {
        Self::new(4400, reason)
    }

    /// An operation came before the acknowledgement, or the session has ended.
    pub(super) fn unauthorized() -> Self {
        Self::new(4401, "Unauthorized")
    }

    /// The session that the client presents is none.
    pub(super) fn forbidden() -> Self {
        Self::new(4403, "Forbidden")
    }

    /// The client doesn't speak the protocol.
    pub(super) fn subprotocol() -> Self {
        Self::new(4406, "Subprotocol not acceptable")
    }

    /// The client didn't begin in time.
    pub(super) fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    /// An operation of this id is running.
    pub(super) fn subscriber_exists(id: &str) -> Self {
        // A reason has room for 123 bytes.
        let id: String = id.chars().take(20).collect();
        Self::new(4409, format!("Subscriber for {id} already exists"))
    }

    /// The client began twice.
    pub(super) fn too_many_inits() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }

    /// The process ends; another one takes over.
    pub(super) fn restart() -> Self {
        Self::new(1012, "Service restart")
    }

    /// There is no room now.
    pub(super) fn try_again_later() -> Self {
        Self::new(1013, "Try again later")
    }
}

/// The answer to a beginning.
pub(super) fn connection_ack() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

/// The answer to a ping.
pub(super) fn pong(payload: Option<Map<String, Value>>) -> String {
    match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }).to_string(),
        None => json!({ "type": "pong" }).to_string(),
    }
}

/// An answer of an operation. `payload` is JSON.
pub(super) fn next(id: &str, payload: &str) -> String {
    format!(r#"{{"type":"next","id":{},"payload":{payload}}}"#, Value::from(id))
}

/// The end of an operation that did not begin. `errors` is a JSON array.
pub(super) fn error(id: &str, errors: &str) -> String {
    format!(r#"{{"type":"error","id":{},"payload":{errors}}}"#, Value::from(id))
}

/// The end of an operation.
pub(super) fn complete(id: &str) -> String {
    json!({ "type": "complete", "id": id }).to_string()
}
