//! The newest events of one feed in the order in which the tail met them, shared by every reader who keeps up.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::cloud_event::CloudEvent;
use crate::position::FeedPosition;

/// Most events of a ring.
const EVENTS: usize = 4_096;
/// Most bytes of a ring, roughly.
const BYTES: usize = 8 << 20;

/// The newest events of a feed. Each has an index that counts on from the start of the tail.
pub(crate) struct Ring {
    events: VecDeque<Arc<CloudEvent>>,
    bytes: usize,
    /// Index of the oldest event that is kept.
    first: u64,
    /// Where the tail stood before the oldest event.
    before: Vec<u64>,
    /// Where the tail stands.
    seen: FeedPosition,
    text: Arc<str>,
}

/// What a reader at an index finds.
pub(crate) enum RingContent {
    /// The next events, at least one.
    Events(Vec<Arc<CloudEvent>>),
    /// The reader has seen everything.
    Nothing,
    /// The next events are not kept any more.
    TooLate,
}

impl Ring {
    /// An empty ring of a tail that begins at this position.
    pub(crate) fn new(seen: FeedPosition) -> Self {
        let (before, text) = (seen.next().to_vec(), seen.to_string().into());
        Self { events: VecDeque::new(), bytes: 0, first: 0, before, seen, text }
    }

    /// Where the tail stands.
    pub(crate) fn seen(&self) -> &FeedPosition {
        &self.seen
    }

    /// The text of where the tail stands.
    pub(crate) fn text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The index that the next event gets.
    pub(crate) fn head(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// The index to begin at for a reader who stands at `next`; `None` if some of what the reader wants may not be kept.
    pub(crate) fn join(&self, next: &[u64]) -> Option<u64> {
        let is_kept = self.before.iter().zip(next).all(|(before, next)| before <= next);
        is_kept.then_some(self.first)
    }

    /// Up to `most` events from an index on.
    pub(crate) fn from(&self, index: u64, most: usize) -> RingContent {
        let Some(skipped) = index.checked_sub(self.first) else { return RingContent::TooLate };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let events: Vec<_> = self.events.iter().skip(skipped).take(most).cloned().collect();
        if events.is_empty() { RingContent::Nothing } else { RingContent::Events(events) }
    }

    /// The tail has seen everything of a partition before `next`.
    pub(crate) fn see(&mut self, partition: u32, next: u64) {
        self.seen.advance(partition, next);
        self.text = self.seen.to_string().into();
    }

    /// Adds the next event, with the position after it. The oldest events go.
    pub(crate) fn push(&mut self, event: CloudEvent) {
        self.see(event.partition, event.offset + 1);
        self.bytes += event.size();
        self.events.push_back(Arc::new(event));
        while self.events.len() > EVENTS || self.bytes > BYTES {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= oldest.size();
            self.first += 1;
            self.before[oldest.partition as usize] = oldest.offset + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use log_model::record::{ID, Recorded, SEQUENCE, SOURCE, SPECVERSION, SUBJECT, TIME, TYPE};
    use log_model::{Record, Stream, StreamPartition};
    use uuid::Uuid;

    use super::*;
    use crate::kind::FeedKind;
    use log_model::LogId;

    fn push(ring: &mut Ring, offset: u64) {
        let headers = [SPECVERSION, ID, TYPE, SOURCE, TIME, SUBJECT];
        let mut headers: Vec<_> = headers.map(|name| (name, "x".to_owned())).to_vec();
        headers.push((SEQUENCE, "1".to_owned()));
        let record = Record { key: "x".into(), headers, body: Some(b"{}".to_vec()) };
        let place = StreamPartition::new(Stream::UserEvents, 0);
        ring.push(CloudEvent::of(&Recorded { place, offset, record }, "P").unwrap());
    }

    #[test]
    fn a_reader_who_is_too_late_is_told_and_one_who_is_not_joins() {
        let mut ring = Ring::new(FeedPosition::at(LogId(Uuid::nil()), FeedKind::Users, vec![10]));
        assert_eq!((ring.head(), ring.join(&[10]), ring.join(&[9])), (0, Some(0), None));
        assert!(matches!(ring.from(0, 10), RingContent::Nothing));
        for offset in 10..10 + EVENTS as u64 + 5 {
            push(&mut ring, offset);
        }
        assert_eq!((ring.head(), ring.join(&[14]), ring.join(&[15])), (EVENTS as u64 + 5, None, Some(5)));
        assert!(matches!(ring.from(4, 10), RingContent::TooLate));
        let RingContent::Events(events) = ring.from(5, 2) else { panic!("they are kept") };
        assert_eq!(events.iter().map(|event| event.offset).collect::<Vec<_>>(), [15, 16]);
        assert_eq!(ring.seen().next(), [10 + EVENTS as u64 + 5]);
    }
}
