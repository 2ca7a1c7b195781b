//! Asking the brokers where stream partitions end.

use std::time::Duration;

use log_model::StreamPartition;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::QuietConsumer;
use super::settings::{KafkaSettings, kafka_partition};

/// The end of each stream partition, at the isolation level of the client that asks.
pub(super) fn query(
    metadata: &QuietConsumer,
    settings: &KafkaSettings,
    places: impl Iterator<Item = StreamPartition>,
    timeout: Duration,
) -> KafkaResult<Vec<(StreamPartition, u64)>> {
    let mut list = TopicPartitionList::new();
    for place in places {
        // As a timestamp, `End` stands for the newest offset.
        list.add_partition_offset(
            &settings.topic(place.stream),
            kafka_partition(place.partition),
            Offset::End,
        )?;
    }
    if list.count() == 0 {
        return Ok(Vec::new());
    }
    let answer = metadata.offsets_for_times(list, timeout)?;
    let mut ends = Vec::with_capacity(answer.count());
    for one in answer.elements() {
        one.error()?;
        if let (Some(place), Offset::Offset(end)) =
            (settings.place(one.topic(), one.partition()), one.offset())
        {
            ends.push((place, u64::try_from(end).unwrap_or_default()));
        }
    }
    Ok(ends)
}
