//! An embedded log with a writer, and exports of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use domain::actor::Client;
use domain::timestamp::Timestamp;
use event_log::envelope::Envelope;
use event_log::sqlite::SqliteLog;
use event_log::{Batch, EventLog, Read, Writer, every_record};
use log_archive::export::{ExportContent, ExportError, Exporter};
use log_archive::{LogCheckpoint, Signer, read_heads};
use log_model::record::Recorded;
use log_model::{LogId, Stream, StreamPartition};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) log: Arc<dyn EventLog>,
    writer: Arc<Mutex<Box<dyn Writer>>>,
    directory: TempDir,
}

impl World {
    /// A log with this many events of users.
    pub(crate) async fn with_events(count: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await.unwrap();
        let claiming = Arc::clone(&log);
        let claim = move || claiming.claim(0, &mut every_record(|_| Ok(()))).unwrap();
        let writer = Arc::new(Mutex::new(tokio::task::spawn_blocking(claim).await.unwrap()));
        let world = Self { log, writer, directory };
        world.append(1, count).await;
        world
    }

    /// Appends this many events of users, numbered from `first` in their `sequence`.
    pub(crate) async fn append(&self, first: u64, count: u64) {
        let writer = Arc::clone(&self.writer);
        let records = (first..first + count).map(|number| (Stream::UserEvents, event(number))).collect();
        let append = move || writer.lock().unwrap().append(Batch { records }).unwrap();
        tokio::task::spawn_blocking(append).await.unwrap();
    }

    /// Every chained record, one stream partition after the other.
    pub(crate) async fn records(&self) -> Vec<Recorded> {
        let mut all = Vec::new();
        for place in StreamPartition::all(self.log.partitions()).filter(|place| place.stream.is_chained()) {
            let mut follow = self.log.follow(vec![(place, 0)]);
            while let Some(Read::Records(_, records)) = follow.next().await {
                all.extend(records);
            }
        }
        all
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) async fn heads(&self) -> LogCheckpoint {
        read_heads(&*self.log).await.unwrap()
    }

    pub(crate) fn open(&self, name: &str, log: LogId) -> Result<Exporter, ExportError> {
        let places = StreamPartition::all(self.log.partitions()).filter(|place| place.stream.is_chained());
        Exporter::open(&self.path(name), log, places)
    }

    /// Exports what the file lacks of the log.
    pub(crate) async fn export(&self, name: &str) -> LogCheckpoint {
        self.export_signed(name, &signer()).await
    }

    pub(crate) async fn export_signed(&self, name: &str, signer: &Signer) -> LogCheckpoint {
        let mut exporter = self.open(name, self.heads().await.log).unwrap();
        for recorded in self.records().await {
            let known = exporter.verification().places.get(&recorded.place);
            if known.is_none_or(|found| found.next <= recorded.offset) {
                exporter.add(recorded).unwrap();
            }
        }
        exporter.finish(signer).unwrap()
    }

    /// Writes a file of these lines, each a part of its own.
    pub(crate) fn write(&self, name: &str, lines: &[String]) {
        let frames =
            lines.iter().flat_map(|line| zstd::encode_all(format!("{line}\n").as_bytes(), 1).unwrap());
        std::fs::write(self.path(name), frames.collect::<Vec<u8>>()).unwrap();
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = zstd::decode_all(&*std::fs::read(self.path(name)).unwrap()).unwrap();
        String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
    }

    pub(crate) fn read(&self, name: &str) -> Result<ExportContent, ExportError> {
        ExportContent::read(&self.path(name), &[signer().public_key()], &[])
    }
}

pub(crate) fn signer() -> Signer {
    Signer::new(&[7; 32])
}

/// What does not fit, if anything.
pub(crate) fn broken(content: &ExportContent) -> Option<String> {
    let places = content.verification.places.values();
    places.into_iter().find_map(|found| found.broken.clone())
}

fn event(number: u64) -> event_log::Record {
    let envelope = Envelope {
        id: Uuid::from_u128(number.into()),
        time: Timestamp::from_micros(i64::try_from(number).unwrap() * 1_000_000),
        subject: "user_1".to_owned(),
        sequence: number,
        command_id: "c".to_owned(),
        command_digest: "0a".to_owned(),
        correlation_id: "r".to_owned(),
        actor: "system".to_owned(),
        actor_name: "system".to_owned(),
        actor_role: None,
        client: Client::default(),
        traceparent: None,
    };
    envelope.record("muster.user.password_changed", br#"{"at":1.50}"#.to_vec())
}
