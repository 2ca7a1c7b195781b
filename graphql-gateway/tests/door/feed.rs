//! A feed as a test reads it: a log with events, and answers that are read while they are written.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::actor::{Client, Role, Roles};
use domain::credential::Scope;
use event_log::envelope::Envelope;
use event_log::{Batch, Writer, every_record};
use log_model::Stream;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{Door, id, now, user_row};

pub(crate) const SECRET: &str = "mst_secret";

/// A gateway, the writer of its log, and a token of somebody who may read.
pub(crate) struct Feed {
    pub(crate) door: Door,
    writer: Arc<Mutex<Box<dyn Writer>>>,
    pub(crate) token: String,
}

impl Feed {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    pub(crate) async fn open_with(flags: &[&str]) -> Self {
        let door = Door::open_with(flags).await;
        door.user(user_row("ada", Roles::BASE.with(Role::Administrator))).await;
        let token = door.token("ada", SECRET, &[Scope::Events], &[]).await.to_string();
        let log = Arc::clone(&door.log);
        let claim = move || log.claim(0, &mut every_record(|_| Ok(()))).unwrap();
        let writer = Arc::new(Mutex::new(tokio::task::spawn_blocking(claim).await.unwrap()));
        Self { door, writer, token }
    }

    /// Appends events of this type about Alice, numbered from `first` in their `sequence`.
    pub(crate) async fn append(&self, event_type: &str, first: u64, count: u64) {
        let record = |number: u64| {
            let envelope = Envelope {
                id: Uuid::from_u128(number.into()),
                time: now(),
                subject: id("alice").to_string(),
                sequence: number,
                command_id: "c".to_owned(),
                command_digest: "0a".to_owned(),
                correlation_id: "r".to_owned(),
                actor: "system".to_owned(),
                actor_name: "system".to_owned(),
                actor_role: None,
                client: Client { address: Some("10.9.8.7".to_owned()), agent: None },
                traceparent: None,
            };
            (Stream::UserEvents, envelope.record(event_type, b"{}".to_vec()))
        };
        let records = (first..first + count).map(record).collect();
        let writer = Arc::clone(&self.writer);
        let append = move || writer.lock().unwrap().append(Batch { records }).unwrap();
        tokio::task::spawn_blocking(append).await.unwrap();
    }

    /// A request by the token.
    pub(crate) fn get(&self, path: &str, accept: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.door.url);
        self.door.http.get(url).basic_auth(&self.token, Some(SECRET)).header("accept", accept)
    }

    /// An event stream, begun.
    pub(crate) async fn stream(&self, path: &str) -> Frames {
        Frames::of(self.get(path, "text/event-stream").send().await.unwrap())
    }
}

/// The number of an event.
pub(crate) fn sequence(event: &Value) -> u64 {
    event["sequence"].as_str().unwrap().parse().unwrap()
}

/// The frames of an event stream.
pub(crate) struct Frames {
    pub(crate) response: Response,
    text: String,
}

impl Frames {
    pub(crate) fn of(response: Response) -> Self {
        Self { response, text: String::new() }
    }

    /// The next whole frame without the empty line behind it; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(frame);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.response.chunk());
            let Some(chunk) = chunk.await.expect("a frame comes in time").unwrap() else {
                assert_eq!(self.text, "", "a stream ends between frames");
                return None;
            };
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event: its JSON and the id of its frame. Positions are passed over.
    pub(crate) async fn event(&mut self) -> (Value, String) {
        loop {
            let frame = self.next().await.expect("the stream goes on");
            let lines: Vec<&str> = frame.lines().collect();
            if lines.contains(&"event: muster.position") {
                continue;
            }
            let [event, data, id] = lines.as_slice() else { panic!("{frame}") };
            let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(event.strip_prefix("event: ").unwrap(), data["type"]);
            let id = id.strip_prefix("id: ").unwrap().to_owned();
            assert_eq!(data["position"], id.as_str());
            return (data, id);
        }
    }

    /// The numbers of the next events.
    pub(crate) async fn numbers(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(sequence(&self.event().await.0));
        }
        numbers
    }
}
