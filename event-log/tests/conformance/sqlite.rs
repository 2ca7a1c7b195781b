//! What only the log in one file must do: keep others out, survive a torn tail, be read beside its owner.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::timestamp::Timestamp;
use event_log::sqlite::{OpenError, SqliteLog};
use event_log::{ClaimError, EventLog, Recorded};
use log_model::{Stream, StreamPartition};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use crate::fixture::{
    DEADLINE, Owner, TestLog, USERS, assert_chain_verifies, credential, end_of, event, read, read_to,
    sequences, user, user_events,
};
use crate::snapshots;

/// A data directory of its own.
pub(crate) struct Directory(TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("data")
    }
}

#[async_trait]
impl TestLog for Directory {
    async fn open(&self) -> Arc<dyn EventLog> {
        SqliteLog::open(&self.path()).await.unwrap()
    }

    fn is_shared(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_has_one_user_and_the_refusal_names_it() {
    let directory = Directory::new();
    let log = directory.open().await;
    let owner = Owner::claim(&log, 0).await;
    let refused = SqliteLog::open(&directory.path()).await.err().unwrap();
    assert!(matches!(refused, OpenError::InUse(_)));
    assert!(refused.to_string().contains(directory.path().to_str().unwrap()), "{refused}");
    drop(log);
    assert!(SqliteLog::open(&directory.path()).await.is_err(), "its writer is still there");
    owner.leave().await;
    directory.open().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn directory_and_files_are_private() {
    let directory = Directory::new();
    let log = directory.open().await;
    Owner::claim(&log, 0).await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory.path()), 0o700);
    let files: Vec<_> = directory.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 3, "the log, what SQLite writes ahead, the lock: {files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_tail_is_cut_off_and_what_was_whole_is_kept() {
    let directory = Directory::new();
    let log = directory.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    for sequence in 1..21 {
        owner.append(user_events(sequence..sequence + 1)).await.unwrap();
    }
    // The files as a crash leaves them: the newest commits are only in the write-ahead log.
    let ahead = std::fs::read(directory.path().join("log.db-wal")).unwrap();
    let mut kept_before = usize::MAX;
    for torn in [0, 1, 100, 5_000, 20_000] {
        let copy = Directory::new();
        std::fs::create_dir(copy.path()).unwrap();
        std::fs::copy(directory.path().join("log.db"), copy.path().join("log.db")).unwrap();
        std::fs::write(copy.path().join("log.db-wal"), &ahead[..ahead.len() - torn]).unwrap();

        let recovered = copy.open().await;
        let mut next = Owner::claim(&recovered, 0).await;
        let kept = sequences(&next.replayed);
        assert_eq!(kept, (1..=kept.len() as u64).collect::<Vec<_>>(), "a prefix, without gaps");
        assert!(kept.len() <= kept_before && (torn > 0 || kept.len() == 20), "{torn} bytes: {}", kept.len());
        kept_before = kept.len();
        next.append(user_events(100..101)).await.unwrap();
        assert_chain_verifies(&read(&recovered, USERS, 0).await);
    }
    assert!((1..20).contains(&kept_before), "the tear reached some commits: {kept_before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_read_beside_its_owner_and_after_it() {
    let directory = Directory::new();
    assert!(matches!(SqliteLog::open_read_only(&directory.path()).await, Err(OpenError::Missing(_))));
    let log = directory.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..3)).await.unwrap();

    let beside: Arc<dyn EventLog> = SqliteLog::open_read_only(&directory.path()).await.unwrap();
    let mut follow = beside.follow(vec![(USERS, 0)]);
    let end = end_of(&beside, USERS).await;
    assert_eq!(sequences(&read_to(&mut follow, USERS, end).await), [1, 2]);
    let position = owner.append(user_events(3..5)).await.unwrap();
    let end = position.covered(USERS).unwrap() + 1;
    assert_eq!(sequences(&read_to(&mut follow, USERS, end).await), [3, 4]);
    assert!(matches!(Owner::try_claim(&beside, 0).await, Err(ClaimError::Unavailable(_))));
    assert!(beside.append_access(vec![event(&user(), 1)]).await.is_err());

    owner.leave().await;
    drop((log, beside, follow));
    let after: Arc<dyn EventLog> = SqliteLog::open_read_only(&directory.path()).await.unwrap();
    assert_eq!(sequences(&read(&after, USERS, 0).await), [1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_records_are_kept_for_400_days_and_offsets_never_come_again() {
    let access = StreamPartition::new(Stream::Access, 0);
    let directory = Directory::new();
    let noted = Timestamp::parse(event(&user(), 1).header("ce_time").unwrap()).unwrap();
    let days = |days: u64| noted + Duration::from_hours(24 * days);
    let open = async |at| {
        let log: Arc<dyn EventLog> = SqliteLog::open_at(&directory.path(), at).await.unwrap();
        log
    };
    open(days(0)).await.append_access(vec![event(&user(), 1), event(&user(), 2)]).await.unwrap();
    assert_eq!(sequences(&read(&open(days(399)).await, access, 0).await), [1, 2]);
    let log = open(days(401)).await;
    let left = read(&log, access, 0).await;
    assert_eq!(sequences(&left), [2], "the newest stays");
    log.append_access(vec![event(&user(), 3)]).await.unwrap();
    assert_eq!(end_of(&log, access).await, left[0].offset + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_damaged_or_of_another_log_is_passed_over() {
    let (one, other, damaged) = (Directory::new(), Directory::new(), Directory::new());
    for directory in [&one, &other, &damaged] {
        snapshots::save_one(&directory.open().await).await;
    }
    std::fs::copy(one.path().join("snapshot"), other.path().join("snapshot")).unwrap();
    snapshots::assert_passed_over(&other.open().await).await;
    std::fs::write(damaged.path().join("snapshot"), b"MUSTERS1 and nothing else").unwrap();
    snapshots::assert_passed_over(&damaged.open().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_an_earlier_release_is_read_as_it_is_and_goes_on() {
    let directory = Directory::new();
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../muster/tests/fixtures/0.1.0/embedded/data.tar.gz");
    let unpack = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(directory.0.path()).status();
    assert!(unpack.unwrap().success());
    let places: Vec<_> = StreamPartition::followed(1).collect();
    let all = async |log: Arc<dyn EventLog>| {
        let mut all = Vec::new();
        for place in &places {
            all.push(read(&log, *place, 0).await);
        }
        all
    };
    let before = all(SqliteLog::open_read_only(&directory.path()).await.unwrap()).await;
    assert!(before.iter().all(|records| !records.is_empty()), "there is something in every stream");

    // The access records of the fixture would be deleted for their age.
    let long_ago = Timestamp::from_micros(0);
    let log: Arc<dyn EventLog> = SqliteLog::open_at(&directory.path(), long_ago).await.unwrap();
    assert_eq!(all(Arc::clone(&log)).await, before);
    let mut owner = Owner::claim(&log, 0).await;
    let credentials = places.iter().position(|place| place.stream == Stream::Credentials).unwrap();
    let known = before[credentials][0].record.key.clone();
    owner.append([user_events(1..3), vec![credential(&known, Some("{}"))]].concat()).await.unwrap();
    log.append_access(vec![event(&user(), 3)]).await.unwrap();

    let after = all(log).await;
    for ((place, before), after) in places.iter().zip(&before).zip(&after) {
        let (same, new) = after.split_at(before.len());
        assert_eq!(same, before, "{place}");
        assert!(!new.is_empty(), "{place}");
        if place.stream.is_chained() {
            assert_chain_verifies(after);
        }
    }
    assert_eq!(after[credentials].last().unwrap().record.key, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compacted_stream_keeps_the_newest_of_each_key() {
    const KEYS: usize = 80;
    // Together the 10,000 rows that a compaction waits for. Half of the keys are written in the first round alone.
    const ROUNDS: usize = 249;
    let place = StreamPartition::new(Stream::Credentials, 0);
    let directory = Directory::new();
    let log = directory.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    let (mut last, mut expected) = (0, BTreeMap::new());
    for round in 0..ROUNDS {
        let body = |key| {
            // A tombstone is the newest of its key like any other.
            let is_tombstone = key == 1 || (key == 0 && round == ROUNDS - 1);
            (!is_tombstone).then(|| format!("{{\"round\":{round}}}"))
        };
        let keys = (0..KEYS).filter(|key| round == 0 || key % 2 == 0);
        let written: Vec<_> = keys.map(|key| (format!("user_{key}/password"), body(key))).collect();
        let records = written.iter().map(|(key, body)| credential(key, body.as_deref())).collect();
        expected.extend(written);
        last = owner.append(records).await.unwrap().covered(place).unwrap();
    }
    let compacted = async {
        loop {
            let left = read(&log, place, 0).await;
            if left.len() <= KEYS {
                break left;
            }
            tokio::task::yield_now().await;
        }
    };
    let left = tokio::time::timeout(DEADLINE, compacted).await.expect("it is compacted in time");
    let body = |one: &Recorded| one.record.body.clone().map(|body| String::from_utf8(body).unwrap());
    let left: BTreeMap<_, _> = left.iter().map(|one| (one.record.key.clone(), body(one))).collect();
    assert_eq!(left, expected);
    assert_eq!(end_of(&log, place).await, last + 1);
    drop(log);
    owner.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_a_newer_release_is_refused_by_name() {
    let directory = Directory::new();
    drop(directory.open().await);
    let file = SqliteConnectOptions::new().filename(directory.path().join("log.db"));
    let mut connection = file.connect().await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let refused = [
        SqliteLog::open(&directory.path()).await.err().unwrap(),
        SqliteLog::open_read_only(&directory.path()).await.err().unwrap(),
    ];
    for refusal in refused {
        assert!(matches!(refusal, OpenError::Newer { format: 99, .. }), "{refusal}");
    }
}
