//! The topics that a deployment needs, with the settings that keep what must be kept.

use log_model::Stream;

use super::settings::KafkaSettings;

const UNLIMITED: &str = "-1";
const DAYS_400: &str = "34560000000";
const MIB_64: &str = "67108864";

/// A topic as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// The name, prefix included.
    pub name: String,
    /// The number of partitions.
    pub partitions: u32,
    /// Settings that are checked.
    pub required: Vec<(&'static str, &'static str)>,
    /// Settings that a topic is created with and that operators may change.
    pub initial: Vec<(&'static str, &'static str)>,
}

/// Every topic of a deployment whose users are spread over `partitions`.
pub fn wanted(settings: &KafkaSettings, partitions: u32) -> Vec<TopicSpec> {
    let kept_permanently =
        || vec![("cleanup.policy", "delete"), ("retention.ms", UNLIMITED), ("retention.bytes", UNLIMITED)];
    let compacted = || vec![("cleanup.policy", "compact")];
    let of_streams = Stream::ALL.into_iter().map(|stream| {
        let (required, initial) = match stream {
            Stream::UserEvents | Stream::GroupEvents => (kept_permanently(), vec![]),
            // A tombstone must outlive every follower's absence. Otherwise the revoked secret would stay
            // there.
            Stream::Credentials => (compacted(), vec![("delete.retention.ms", DAYS_400)]),
            // Only owners read it, so no absent follower can miss a tombstone.
            Stream::Reservations => (compacted(), vec![]),
            Stream::Access => (vec![("cleanup.policy", "delete")], vec![("retention.ms", DAYS_400)]),
        };
        let (name, partitions) = (settings.topic(stream), stream.partitions(partitions));
        TopicSpec { name, partitions, required, initial }
    });
    let owners =
        TopicSpec { name: settings.owners_topic(), partitions: 1, required: compacted(), initial: vec![] };
    let snapshots = TopicSpec {
        name: settings.snapshots_topic(),
        partitions,
        // The writer of a newer snapshot deletes the older ones.
        required: kept_permanently(),
        // A broker frees deleted records only by whole segments.
        initial: vec![("segment.bytes", MIB_64)],
    };
    of_streams.chain([owners, snapshots]).collect()
}
