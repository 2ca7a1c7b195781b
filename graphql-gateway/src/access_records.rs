//! Access records: what the audit log hears besides events, such as sign-ins, failures and denials.
//!
//! Requests never wait for them. Equal records of one second become one with a count, and a bounded spool holds them
//! while the log can't be reached.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::access;
use domain::actor::{Actor, Client};
use domain::timestamp::Timestamp;
use event_log::envelope::Envelope;
use event_log::{EventLog, Record};
use service_kit::causes::Causes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// For how long equal records are collected into one.
const COALESCE: Duration = Duration::from_secs(1);
/// Most records in the queue to the writer, and most different ones that it collects.
const QUEUE: usize = 4_096;
/// Most records that wait while the log can't be reached. The oldest are dropped first.
const SPOOL: usize = 10_000;
/// Records per write.
const BATCH: usize = 500;
/// Pause between two attempts to reach the log.
const RETRY: Duration = Duration::from_secs(1);

/// Something that happened at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessRecord {
    pub(crate) at: Timestamp,
    /// Key and subject: the id of a user, or the hex SHA-256 of a name that nobody has.
    pub(crate) subject: String,
    pub(crate) actor: Actor,
    pub(crate) client: Client,
    pub(crate) correlation_id: String,
    pub(crate) event: access::Event,
}

/// Takes records from requests. Never waits and never fails.
#[derive(Debug, Clone)]
pub(crate) struct AccessRecorder {
    sender: mpsc::Sender<AccessRecord>,
}

/// Writes the records to the log, in a task of its own.
pub(crate) struct AccessRecordWriter {
    receiver: mpsc::Receiver<AccessRecord>,
    log: Arc<dyn EventLog>,
    coalesced: Coalesced,
    spool: VecDeque<Record>,
}

impl AccessRecorder {
    /// Drops the record if the queue is full.
    pub(crate) fn record(&self, record: AccessRecord) {
        if self.sender.try_send(record).is_err() {
            metrics::counter!("muster_access_records_dropped_total").increment(1);
        }
    }
}

/// A recorder and the writer behind it. The writer ends once every clone of the recorder is gone.
pub(crate) fn access_recorder(log: Arc<dyn EventLog>) -> (AccessRecorder, AccessRecordWriter) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let writer =
        AccessRecordWriter { receiver, log, coalesced: Coalesced::default(), spool: VecDeque::new() };
    (AccessRecorder { sender }, writer)
}

impl AccessRecordWriter {
    /// Writes until every recorder is gone.
    pub(crate) async fn run(mut self) {
        let mut due: Option<Instant> = None;
        loop {
            tokio::select! {
                record = self.receiver.recv() => match record {
                    Some(record) => {
                        self.coalesced.add(record);
                        due.get_or_insert_with(|| Instant::now() + COALESCE);
                        if self.coalesced.records.len() >= QUEUE {
                            due = Some(Instant::now());
                        }
                    }
                    None => break,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = self.write().await.then_some(Instant::now() + RETRY);
                }
            }
        }
        // The last attempt: a shutdown does not wait until the log can be reached again.
        if self.write().await {
            report_dropped(self.spool.len());
        }
    }

    /// Writes what was collected. Returns whether something is left for later.
    async fn write(&mut self) -> bool {
        self.spool.extend(self.coalesced.drain().map(|record| record.to_log_record()));
        let excess = self.spool.len().saturating_sub(SPOOL);
        if excess > 0 {
            self.spool.drain(..excess);
            report_dropped(excess);
        }
        while !self.spool.is_empty() {
            let batch: Vec<Record> = self.spool.iter().take(BATCH).cloned().collect();
            let written = batch.len();
            if let Err(error) = self.log.append_access(batch).await {
                tracing::warn!(
                    spooled = self.spool.len(),
                    error = %Causes(&error),
                    "Access records wait for the log."
                );
                return true;
            }
            self.spool.drain(..written);
        }
        false
    }
}

/// Different records, in the order of their first occurrence.
#[derive(Debug, Default)]
struct Coalesced {
    records: Vec<AccessRecord>,
    /// Index of each record by what makes it equal to others.
    index: HashMap<String, usize>,
}

impl Coalesced {
    fn add(&mut self, record: AccessRecord) {
        let key = record.coalescing_key();
        if let Some(first) = self.index.get(&key).and_then(|index| self.records.get_mut(*index)) {
            increment(&mut first.event);
        } else {
            self.index.insert(key, self.records.len());
            self.records.push(record);
        }
    }

    fn drain(&mut self) -> impl Iterator<Item = AccessRecord> {
        self.index.clear();
        std::mem::take(&mut self.records).into_iter()
    }
}

impl AccessRecord {
    /// Equal for records of the same actor, subject, address and outcome.
    fn coalescing_key(&self) -> String {
        let event = String::from_utf8_lossy(&self.event.to_json()).into_owned();
        let address = self.client.address.as_deref().unwrap_or_default();
        let (actor, name) = (self.actor.id_text(), self.event.wire_name());
        format!("{actor}\n{}\n{address}\n{name}\n{event}", self.subject)
    }

    fn to_log_record(&self) -> Record {
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

/// Counts one more of the same. Sign-ins are not counted: those of one second are one record.
fn increment(event: &mut access::Event) {
    let count = match event {
        access::Event::SignedIn(_) => return,
        access::Event::SignInFailed(failed) => &mut failed.count,
        access::Event::CommandDenied(denied) => &mut denied.count,
        access::Event::CommandRefused(refused) => &mut refused.count,
    };
    *count = count.saturating_add(1);
}

fn report_dropped(records: usize) {
    metrics::counter!("muster_access_records_dropped_total").increment(records as u64);
    tracing::warn!(
        records,
        "Access records were dropped: too many at a time, or the log is away for too long."
    );
}
