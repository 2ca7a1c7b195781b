//! A WebSocket client that sees every message and the code with which the socket is closed.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::harness::Door;

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What comes over a socket.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Message(Value),
    Closed(u16),
    Gone,
}

impl Socket {
    /// A handshake with these headers.
    pub(crate) async fn try_open(door: &Door, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let url = format!("{}/graphql", door.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        Ok(Self(connect_async(request).await?.0))
    }

    pub(crate) async fn open(door: &Door) -> Self {
        Self::try_open(door, &[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap()
    }

    /// A socket that has begun, for the holder of this session.
    pub(crate) async fn begun(door: &Door, session: Option<&str>) -> Self {
        let mut socket = Self::open(door).await;
        let payload = session.map(|session| json!({ "Authorization": format!("Bearer {session}") }));
        socket.say(&json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.hear().await, Heard::Message(json!({ "type": "connection_ack" })));
        socket
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        self.0.send(Message::Text(text.to_owned().into())).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(&json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    /// The next message of the protocol, or how the socket ends.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            let heard = tokio::time::timeout(Duration::from_secs(15), self.0.next());
            match heard.await.expect("something comes in time") {
                Some(Ok(Message::Text(text))) => return Heard::Message(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    return Heard::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Gone,
            }
        }
    }

    /// The data of the next answer to the operation.
    pub(crate) async fn data(&mut self, id: &str) -> Value {
        match self.hear().await {
            Heard::Message(mut message) => {
                assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message}");
                assert_eq!(message["payload"].get("errors"), None, "{message}");
                message["payload"]["data"].take()
            }
            other => panic!("{other:?}"),
        }
    }
}
