//! Announcements of owners on a compacted topic, which every process follows.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use log_model::record::{CONTENT_TYPE, Record};
use rdkafka::message::Message;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::client::CloseSignal;
use super::settings::KafkaSettings;
use crate::owners::{AnnouncedOwner, Owners};

/// The body of an announcement.
#[derive(Serialize, Deserialize)]
struct Announcement {
    partition: u32,
    #[serde(flatten)]
    owner: AnnouncedOwner,
}

/// The record with which the owner of a partition announces its URL.
pub(super) fn announcement(partition: u32, owner: AnnouncedOwner) -> Record {
    let body =
        serde_json::to_vec(&Announcement { partition, owner }).expect("an announcement is plain fields");
    Record {
        key: format!("user-events-{partition}"),
        headers: vec![(CONTENT_TYPE, "application/json".to_owned())],
        body: Some(body),
    }
}

/// Follows the announcements on a thread of its own until the log is closed.
pub(super) fn follow(settings: Arc<KafkaSettings>, close_signal: CloseSignal) -> watch::Receiver<Owners> {
    let (sender, receiver) = watch::channel(Owners::new());
    thread::spawn(move || {
        while !close_signal.is_closed() {
            if let Err(error) = read(&settings, &close_signal, &sender) {
                tracing::warn!(%error, "the announcements of owners can't be read");
                thread::sleep(Duration::from_secs(1));
            }
        }
    });
    receiver
}

fn read(
    settings: &KafkaSettings,
    close_signal: &CloseSignal,
    owners: &watch::Sender<Owners>,
) -> Result<(), rdkafka::error::KafkaError> {
    let from = [(settings.owners_topic(), 0, 0)];
    let consumer = settings.reader(Duration::from_millis(100), &from)?;
    while !close_signal.is_closed() {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                let body = message.payload().unwrap_or_default();
                match serde_json::from_slice(body) {
                    Ok(announcement) => {
                        owners.send_if_modified(|owners| update(owners, announcement));
                    }
                    Err(error) => {
                        tracing::warn!(%error, offset = message.offset(), "an announcement can't be read");
                    }
                }
            }
            Some(Err(error @ rdkafka::error::KafkaError::MessageConsumptionFatal(_))) => return Err(error),
            // The client recovers by itself.
            Some(Err(_)) | None => {}
        }
    }
    Ok(())
}

/// Takes in an announcement and returns whether it changed anything. The greater epoch wins, in whatever
/// order announcements are read.
fn update(owners: &mut Owners, Announcement { partition, owner }: Announcement) -> bool {
    let is_newer = owners.get(&partition).is_none_or(|known| known.epoch <= owner.epoch && *known != owner);
    if is_newer {
        owners.insert(partition, owner);
    }
    is_newer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(url: &str, epoch: u64) -> AnnouncedOwner {
        AnnouncedOwner { url: url.to_owned(), epoch }
    }

    #[test]
    fn the_greater_epoch_wins() {
        let mut owners = Owners::new();
        assert!(update(&mut owners, Announcement { partition: 3, owner: owner("http://b", 7) }));
        assert!(!update(&mut owners, Announcement { partition: 3, owner: owner("http://a", 5) }));
        assert_eq!(owners[&3], owner("http://b", 7));
    }

    #[test]
    fn an_announcement_has_the_documented_body() {
        let record = announcement(3, owner("http://a:8081", 12));
        assert_eq!(record.key, "user-events-3");
        let body: serde_json::Value = serde_json::from_slice(&record.body.unwrap()).unwrap();
        assert_eq!(body, serde_json::json!({ "partition": 3, "url": "http://a:8081", "epoch": 12 }));
    }
}
