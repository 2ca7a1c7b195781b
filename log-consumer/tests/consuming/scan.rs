//! A bounded read to the end, and on.

use log_consumer::{Scan, ScanError};
use log_model::StreamPartition;
use tokio::sync::watch;

use crate::log::{Away, Log, PLACE, soon};

async fn texts(scan: &mut Scan) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(records) = soon(scan.next()).await.unwrap() {
        texts.extend(records.into_iter().map(|recorded| recorded.record.key));
    }
    texts
}

#[tokio::test]
async fn a_scan_reads_every_stream_partition_to_its_end_and_goes_on() {
    let log = Log::open().await;
    log.append(&["a", "b"]).await;
    let mut scan = Scan::new(&*log.log, StreamPartition::followed(1));
    assert_eq!(texts(&mut scan).await, ["a", "b"]);
    log.append(&["c"]).await;
    let records = soon(scan.next()).await.unwrap().unwrap();
    assert_eq!((records[0].record.key.as_str(), records[0].place), ("c", PLACE));
    drop(log);
    assert_eq!(soon(scan.next()).await, Err(ScanError::Closed));
}

#[tokio::test]
async fn a_scan_of_nothing_is_at_its_end() {
    let log = Log::open().await;
    assert_eq!(soon(Scan::new(&*log.log, []).next()).await, Ok(None));
}

#[tokio::test]
async fn a_scan_says_that_the_log_is_away_and_goes_on_when_it_is_back() {
    let log = Log::open().await;
    log.append(&["a"]).await;
    let (back, is_away) = watch::channel(true);
    let away = Away { log: log.log.clone(), is_away };
    let mut scan = Scan::new(&away, [PLACE]);
    assert_eq!(soon(scan.next()).await, Err(ScanError::Unreachable("on leave".to_owned())));
    back.send(false).unwrap();
    assert_eq!(texts(&mut scan).await, ["a"]);
}
