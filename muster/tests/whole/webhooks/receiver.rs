//! A receiver of webhooks on this machine: keeps what it is sent, and answers as a test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the receiver was sent.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) head: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    pub(super) event: Value,
}

impl Delivery {
    /// The number of the event among those of its user. It is text on the wire.
    pub(super) fn sequence(&self) -> u64 {
        self.event["sequence"].as_str().unwrap().parse().unwrap()
    }
}

/// How the receiver answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Status(u16),
    /// To itself, under another path.
    Redirect,
    /// Never.
    Stall,
    /// By closing the connection.
    Close,
}

type Behaviour = Arc<Mutex<Box<dyn FnMut(&Delivery) -> Reply + Send>>>;

/// The receiver. It listens until it is dropped.
pub(super) struct Receiver {
    pub(super) port: u16,
    got: Arc<Mutex<Vec<Delivery>>>,
    connections: Arc<Mutex<usize>>,
    behaviour: Behaviour,
    listening: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// A receiver that accepts everything.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (got, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let behaviour: Behaviour = Arc::new(Mutex::new(Box::new(|_| Reply::Status(204))));
        let (kept, counted, behaves) = (got.clone(), connections.clone(), behaviour.clone());
        let listening = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                *counted.lock().unwrap() += 1;
                tokio::spawn(serve(stream, kept.clone(), behaves.clone()));
            }
        });
        Self { port, got, connections, behaviour, listening }
    }

    /// The address of the receiver.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// From now on it answers like this.
    pub(super) fn answers(&self, behaviour: impl FnMut(&Delivery) -> Reply + Send + 'static) {
        *self.behaviour.lock().unwrap() = Box::new(behaviour);
    }

    /// Everything that it was sent so far.
    pub(super) fn got(&self) -> Vec<Delivery> {
        self.got.lock().unwrap().clone()
    }

    /// How many connections it has taken.
    pub(super) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// The sequence numbers that it was sent of a user, in order, repeats left out.
    pub(super) fn sequences(&self, user: &str) -> Vec<u64> {
        let mut sequences = Vec::new();
        for delivery in self.got().iter().filter(|delivery| delivery.event["subject"] == user) {
            let sequence = delivery.sequence();
            if !sequences.contains(&sequence) {
                sequences.push(sequence);
            }
        }
        sequences
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(mut stream: TcpStream, got: Arc<Mutex<Vec<Delivery>>>, behaviour: Behaviour) {
    let mut read = Vec::new();
    while let Some(delivery) = request(&mut stream, &mut read).await {
        let reply = behaviour.lock().unwrap()(&delivery);
        got.lock().unwrap().push(delivery);
        let answer = match reply {
            Reply::Status(status) => format!("HTTP/1.1 {status} Answer\r\ncontent-length: 0\r\n\r\n"),
            Reply::Redirect => {
                "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned()
            }
            Reply::Stall => std::future::pending().await,
            Reply::Close => return,
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request of a connection. `None` when it is closed.
async fn request(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<Delivery> {
    let end = loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(read[..end].to_vec()).unwrap();
    let headers: BTreeMap<String, String> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while read.len() < end + length {
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(read[end..end + length].to_vec()).unwrap();
    read.drain(..end + length);
    let event = serde_json::from_str(&body).unwrap_or(Value::Null);
    Some(Delivery { head, headers, body, event })
}
