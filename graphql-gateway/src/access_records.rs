//! What is told to the audit log beside the facts: sign-ins, failures, denials. Coalesced, batched, off the way of
//! requests; a bounded spool outlives a log that is away.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::access;
use domain::actor::{Actor, Client};
use domain::timestamp::Timestamp;
use event_log::envelope::Envelope;
use event_log::{EventLog, Record};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// How long alike notes are gathered into one record.
const GATHER: Duration = Duration::from_secs(1);
/// Most notes that wait for the gathering task, and most different ones that it gathers at a time.
const WAITING: usize = 4_096;
/// Most records that wait for a log that is away; the oldest go first.
const SPOOLED: usize = 10_000;
/// Records of one write.
const BATCH: usize = 500;
/// How long to wait until a log that is away is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Something that happened at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) at: Timestamp,
    /// Key and subject: the id of a user, or the hex SHA-256 of a name that nobody has.
    pub(crate) subject: String,
    pub(crate) actor: Actor,
    pub(crate) client: Client,
    pub(crate) correlation_id: String,
    pub(crate) event: access::Event,
}

/// Where notes are dropped. Never waits and never fails for the caller.
#[derive(Debug, Clone)]
pub(crate) struct Notes {
    sender: mpsc::Sender<Note>,
}

/// What writes the notes down; runs beside the door.
pub(crate) struct Scribe {
    receiver: mpsc::Receiver<Note>,
    log: Arc<dyn EventLog>,
    gathered: Gathered,
    spool: VecDeque<Record>,
}

impl Notes {
    pub(crate) fn take(&self, note: Note) {
        if self.sender.try_send(note).is_err() {
            metrics::counter!("muster_access_records_dropped_total").increment(1);
        }
    }
}

/// Notes and what writes them to the log. The scribe ends when every `Notes` is gone and all is written or given up.
pub(crate) fn notes(log: Arc<dyn EventLog>) -> (Notes, Scribe) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let scribe = Scribe { receiver, log, gathered: Gathered::default(), spool: VecDeque::new() };
    (Notes { sender }, scribe)
}

impl Scribe {
    /// Writes until there is nobody left who could take a note.
    pub(crate) async fn run(mut self) {
        let mut due: Option<Instant> = None;
        loop {
            tokio::select! {
                note = self.receiver.recv() => match note {
                    Some(note) => {
                        self.gathered.add(note);
                        due.get_or_insert_with(|| Instant::now() + GATHER);
                        if self.gathered.order.len() >= WAITING {
                            due = Some(Instant::now());
                        }
                    }
                    None => break,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = self.write().await.then_some(Instant::now() + AGAIN);
                }
            }
        }
        // The last try: whoever stops does not wait for a log that is away.
        if self.write().await {
            dropped(self.spool.len());
        }
    }

    /// Writes what was gathered. Whether something is left for later.
    async fn write(&mut self) -> bool {
        self.spool.extend(self.gathered.drain().map(|note| note.record()));
        let excess = self.spool.len().saturating_sub(SPOOLED);
        if excess > 0 {
            self.spool.drain(..excess);
            dropped(excess);
        }
        while !self.spool.is_empty() {
            let batch: Vec<Record> = self.spool.iter().take(BATCH).cloned().collect();
            let written = batch.len();
            if let Err(error) = self.log.append_access(batch).await {
                tracing::warn!(
                    spooled = self.spool.len(),
                    error = &error as &dyn std::error::Error,
                    "Access records wait for the log."
                );
                return true;
            }
            self.spool.drain(..written);
        }
        false
    }
}

/// Notes by what makes them alike, in order of their first.
#[derive(Debug, Default)]
struct Gathered {
    order: Vec<Note>,
    places: HashMap<String, usize>,
}

impl Gathered {
    fn add(&mut self, note: Note) {
        let kind = note.kind();
        if let Some(first) = self.places.get(&kind).and_then(|place| self.order.get_mut(*place)) {
            count(&mut first.event, 1);
        } else {
            self.places.insert(kind, self.order.len());
            self.order.push(note);
        }
    }

    fn drain(&mut self) -> impl Iterator<Item = Note> {
        self.places.clear();
        std::mem::take(&mut self.order).into_iter()
    }
}

impl Note {
    /// What makes two notes alike: who, to whom, from where, what became of it.
    fn kind(&self) -> String {
        let event = String::from_utf8_lossy(&self.event.to_json()).into_owned();
        let address = self.client.address.as_deref().unwrap_or_default();
        let (actor, name) = (self.actor.id_text(), self.event.wire_name());
        format!("{actor}\n{}\n{address}\n{name}\n{event}", self.subject)
    }

    fn record(&self) -> Record {
        let envelope = Envelope {
            id: Uuid::now_v7(),
            time: self.at,
            subject: self.subject.clone(),
            // Access records belong to no aggregate and no command.
            sequence: 0,
            command_id: String::new(),
            command_digest: String::new(),
            correlation_id: self.correlation_id.clone(),
            actor: String::new(),
            actor_name: String::new(),
            actor_role: None,
            client: self.client.clone(),
            traceparent: None,
        };
        envelope.asked_by(&self.actor).record(self.event.wire_name(), self.event.to_json())
    }
}

/// One more of the same; sign-ins that succeed are alike within a second and not counted.
fn count(event: &mut access::Event, more: u32) {
    let count = match event {
        access::Event::SignedIn(_) => return,
        access::Event::SignInFailed(failed) => &mut failed.count,
        access::Event::CommandDenied(denied) => &mut denied.count,
        access::Event::CommandRefused(refused) => &mut refused.count,
    };
    *count = count.saturating_add(more);
}

fn dropped(records: usize) {
    metrics::counter!("muster_access_records_dropped_total").increment(records as u64);
    tracing::warn!(
        records,
        "Access records were dropped: too many at a time, or the log is away for too long."
    );
}
