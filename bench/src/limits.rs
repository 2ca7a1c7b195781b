//! The limits: what the log's servers can do when nothing is decided, with records of the same size and shape.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rdkafka::config::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, QueryBuilder, Sqlite};
use tokio::sync::{mpsc, oneshot};

/// Bytes of key, headers and body of a registration, as both adapters write them.
pub const KEY: usize = 41;
/// Bytes of all header values.
pub const HEADERS: usize = 430;
/// Bytes of the body.
pub const BODY: usize = 170;
/// Pause after a commit on Kafka: shorter ones meet a back-off of the client library.
const GAP: Duration = Duration::from_millis(2);

/// A record that waits to be written, and the way back.
type Job = oneshot::Sender<()>;

/// Writers that commit whatever waits, as an owner does.
#[derive(Clone)]
pub struct Limit {
    lanes: Arc<Vec<mpsc::Sender<Job>>>,
}

impl Limit {
    /// Has one record written and waits for the commit.
    pub async fn write(&self, number: u64) -> Result<()> {
        let (done, wait) = oneshot::channel();
        let lane = usize::try_from(number)? % self.lanes.len();
        self.lanes[lane].send(done).await.context("the writer ended")?;
        wait.await.context("the writer ended")
    }
}

/// One SQLite file, one writer, multi-row INSERTs, WAL with full fsync.
pub async fn sqlite(directory: &Path) -> Result<Limit> {
    let mut connection = SqliteConnectOptions::new()
        .filename(directory.join("raw.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    sqlx::query("create table record (stream integer, at integer, key text, headers text, body blob, primary key (stream, at)) without rowid")
        .execute(&mut connection)
        .await?;
    let (sender, mut jobs) = mpsc::channel::<Job>(4_096);
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let (key, headers, body) = ("k".repeat(KEY), "h".repeat(HEADERS), vec![b'b'; BODY]);
        let mut at = 0_i64;
        while let Some(batch) = waiting(&mut jobs) {
            let mut insert =
                QueryBuilder::<Sqlite>::new("insert into record (stream, at, key, headers, body) ");
            insert.push_values(&batch, |mut row, _| {
                row.push_bind(0_i64).push_bind(at).push_bind(&key).push_bind(&headers).push_bind(&body);
                at += 1;
            });
            let written = runtime.block_on(async {
                let mut transaction = connection.begin().await?;
                insert.build().execute(&mut *transaction).await?;
                transaction.commit().await
            });
            if written.is_err() {
                return;
            }
            answer(batch);
        }
    });
    Ok(Limit { lanes: Arc::new(vec![sender]) })
}

/// Raw transactions on Kafka: one producer per partition, one topic, the settings that were measured to be best.
pub fn kafka(brokers: &str, topic: &str, partitions: u32) -> Result<Limit> {
    let mut lanes = Vec::new();
    for partition in 0..partitions {
        let producer: ThreadedProducer<_> = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("transactional.id", format!("{topic}-{partition}"))
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "0")
            .set("compression.type", "lz4")
            .create()?;
        let timeout = Duration::from_secs(30);
        producer.init_transactions(timeout)?;
        let (sender, mut jobs) = mpsc::channel::<Job>(4_096);
        let topic = topic.to_owned();
        std::thread::spawn(move || {
            let (key, body) = ("k".repeat(KEY), vec![b'b'; BODY]);
            let header = "h".repeat(HEADERS / 16);
            let mut free_at = Instant::now();
            while let Some(batch) = waiting(&mut jobs) {
                std::thread::sleep(free_at.saturating_duration_since(Instant::now()));
                if producer.begin_transaction().is_err() {
                    return;
                }
                for _ in &batch {
                    let headers = (0..16).fold(OwnedHeaders::new(), |headers, _| {
                        headers.insert(Header { key: "ce_attribute", value: Some(&header) })
                    });
                    let record = BaseRecord::to(&topic)
                        .partition(i32::try_from(partition).unwrap_or(0))
                        .key(&key)
                        .headers(headers)
                        .payload(&body);
                    if producer.send(record).is_err() {
                        return;
                    }
                }
                // A commit with something in flight stalls for 100 ms.
                while producer.in_flight_count() > 0 {
                    std::thread::sleep(Duration::from_micros(200));
                }
                if producer.commit_transaction(timeout).is_err() {
                    return;
                }
                free_at = Instant::now() + GAP;
                answer(batch);
            }
        });
        lanes.push(sender);
    }
    Ok(Limit { lanes: Arc::new(lanes) })
}

/// What waits, at least one; `None` at the end.
fn waiting(jobs: &mut mpsc::Receiver<Job>) -> Option<Vec<Job>> {
    let mut batch = vec![jobs.blocking_recv()?];
    while batch.len() < 512
        && let Ok(job) = jobs.try_recv()
    {
        batch.push(job);
    }
    Some(batch)
}

/// A client that went away needs no answer.
fn answer(batch: Vec<Job>) {
    for job in batch {
        let _ = job.send(());
    }
}
