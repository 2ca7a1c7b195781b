//! What the log says by itself: the chain of every place, and events that stand where they belong.

use std::collections::BTreeMap;

use domain::id::{GroupId, UserId};
use event_log::Recorded;
use event_log::chain::Chain;
use event_log::envelope::Envelope;
use log_model::partition;
use log_model::{Stream, StreamPartition};

use super::{Kind, Violation};

/// An event of the log, read.
pub(super) struct Event<'a> {
    pub(super) place: StreamPartition,
    pub(super) offset: u64,
    pub(super) envelope: Envelope,
    pub(super) name: &'a str,
    pub(super) body: &'a [u8],
}

/// Verifies the chain of every place. After a break nothing more is said of that place.
pub(super) fn chains(records: &[Recorded]) -> Vec<Violation> {
    let mut chains: BTreeMap<StreamPartition, Option<(Chain, u64)>> = BTreeMap::new();
    let mut violations = Vec::new();
    for recorded in records {
        let state = chains.entry(recorded.place).or_insert_with(|| Some((Chain::default(), 0)));
        let Some((chain, next)) = state else { continue };
        let ordered = recorded.offset >= *next;
        *next = recorded.offset + 1;
        if let Err(broken) = chain.verify(recorded) {
            violations.push(Violation::new(Kind::BrokenChain, broken.to_string()));
            *state = None;
        } else if !ordered {
            let what = format!("{} offset {} comes too late", recorded.place, recorded.offset);
            violations.push(Violation::new(Kind::BrokenChain, what));
            *state = None;
        }
    }
    violations
}

/// The events, without the claims; what can't be read or lies in a wrong place is a violation.
pub(super) fn events<'a>(
    records: &'a [Recorded],
    partitions: u32,
    violations: &mut Vec<Violation>,
) -> Vec<Event<'a>> {
    let mut events = Vec::with_capacity(records.len());
    for recorded in records.iter().filter(|recorded| !recorded.record.is_claim()) {
        match event(recorded, partitions) {
            Ok(event) => events.push(event),
            Err(reason) => {
                let what = format!("{} offset {}: {reason}", recorded.place, recorded.offset);
                violations.push(Violation::new(Kind::Foreign, what));
            }
        }
    }
    events
}

fn event(recorded: &Recorded, partitions: u32) -> Result<Event<'_>, String> {
    let record = &recorded.record;
    let envelope = Envelope::read(record).map_err(|error| error.to_string())?;
    let name = record.wire_name().map_err(|error| error.to_string())?;
    let body = record.body.as_deref().ok_or("an event without data")?;
    if record.key != envelope.subject {
        return Err(format!("the key is {}, the subject {}", record.key, envelope.subject));
    }
    let belongs = if envelope.subject.parse::<GroupId>().is_ok() {
        StreamPartition::new(Stream::GroupEvents, 0)
    } else {
        let id: UserId = envelope.subject.parse().map_err(|_| "the subject is no user and no group")?;
        StreamPartition::new(Stream::UserEvents, partition::of(id.uuid(), partitions))
    };
    if belongs != recorded.place {
        return Err(format!("events of {} belong into {belongs}", envelope.subject));
    }
    Ok(Event { place: recorded.place, offset: recorded.offset, envelope, name, body })
}
