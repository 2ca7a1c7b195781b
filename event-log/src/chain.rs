//! The hash chain that reveals a changed, missing or swapped record, one per partition of each chained
//! stream.
//!
//! `ce_chain` is lower-case hex. It is the SHA-256 over the previous chain value (32 bytes, zeros at the
//! start), then the key, the value of every attribute of [`ATTRIBUTES`] in that order, and the body. The key,
//! each attribute and the body are preceded by their length in bytes, as a big-endian 32-bit number. An
//! absent attribute or body has the length 2³² − 1 and no bytes.
//!
//! A claim record carries no chain value, because its writer has not read everything yet. It is hashed all
//! the same, so the next event's value covers it. `docs/adr/0006-hash-chain-and-claim-records.md` explains
//! the decision.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use log_model::record::{ATTRIBUTES, CHAIN, Record, Recorded};
use log_model::{Stream, StreamPartition};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// The value of the hash chain after some record of a partition.
///
/// The text form is that of `ce_chain`: 64 lower-case hex digits. The default is the value before the first
/// record.
///
/// ```
/// use event_log::chain::Chain;
/// use log_model::record::{Record, Recorded};
/// use log_model::{Stream, StreamPartition};
///
/// let place = StreamPartition::new(Stream::UserEvents, 0);
/// let mut written = Chain::default();
/// let mut records: Vec<Recorded> = (0..3)
///     .map(|offset| {
///         let body = format!("{{\"number\":{offset}}}");
///         let mut record = Record { key: "user_1".into(), headers: Vec::new(), body: Some(body.into_bytes()) };
///         written.seal(&mut record);
///         Recorded { place, offset, record }
///     })
///     .collect();
///
/// let verify = |records: &[Recorded]| {
///     let mut chain = Chain::default();
///     records.iter().try_for_each(|recorded| chain.verify(recorded))
/// };
/// assert_eq!(verify(&records), Ok(()));
///
/// records[1].record.body = Some(b"{}".to_vec());
/// assert_eq!(verify(&records).unwrap_err().offset, 1);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chain([u8; 32]);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A text that is no chain value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a chain value has 64 hex digits")]
pub struct NotAChainValue;

impl FromStr for Chain {
    type Err = NotAChainValue;

    fn from_str(text: &str) -> Result<Self, NotAChainValue> {
        let mut value = [0; 32];
        hex::decode_to_slice(text, &mut value).map_err(|_| NotAChainValue)?;
        Ok(Self(value))
    }
}

impl Serialize for Chain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Chain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A record whose chain value doesn't follow from the records before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{place} offset {offset}: the chain is broken: this record, one before it, or their order was changed"
)]
pub struct BrokenChain {
    /// The partition that was verified.
    pub place: StreamPartition,
    /// The offset of the first record that doesn't fit.
    pub offset: u64,
}

impl Chain {
    /// The value after one more record.
    #[must_use]
    pub fn after(self, record: &Record) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        update(&mut hash, Some(record.key.as_bytes()));
        for name in ATTRIBUTES {
            update(&mut hash, record.header(name).map(str::as_bytes));
        }
        update(&mut hash, record.body.as_deref());
        Self(hash.finalize().into())
    }

    /// Adds the record to the chain: sets its `ce_chain` and moves to that value.
    pub fn seal(&mut self, record: &mut Record) {
        *self = self.after(record);
        record.push_header(CHAIN, self.to_string());
    }

    /// Moves past a record that was read, trusting the value that it carries. Only a record without a
    /// readable value is hashed, such as a claim record.
    ///
    /// A changed record still shows: [`Chain::verify`] finds it, whatever its successors are chained to.
    pub fn advance(&mut self, record: &Record) {
        let mut carried = [0; 32];
        let read = record.header(CHAIN).map(|value| hex::decode_to_slice(value, &mut carried));
        *self = if matches!(read, Some(Ok(()))) { Self(carried) } else { self.after(record) };
    }

    /// Moves past a record that was read and checks the value that it carries.
    ///
    /// # Errors
    ///
    /// The record, one before it, or their order was changed.
    pub fn verify(&mut self, recorded: &Recorded) -> Result<(), BrokenChain> {
        *self = self.after(&recorded.record);
        let carried = recorded.record.header(CHAIN);
        let fits = match carried {
            Some(value) => value == self.to_string() && !recorded.record.is_claim(),
            None => recorded.record.is_claim(),
        };
        if fits { Ok(()) } else { Err(BrokenChain { place: recorded.place, offset: recorded.offset }) }
    }
}

/// The chain values of the two chained partitions that one writer writes, after its last committed record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Chains {
    pub(crate) users: Chain,
    pub(crate) groups: Chain,
}

impl Chains {
    /// The chain of a stream, which must be a chained one.
    pub(crate) fn of(&mut self, stream: Stream) -> &mut Chain {
        if stream == Stream::GroupEvents { &mut self.groups } else { &mut self.users }
    }

    /// Seals the records of chained streams. Other records stay as they are.
    pub(crate) fn seal(&mut self, records: &mut [(Stream, Record)]) {
        for (stream, record) in records.iter_mut().filter(|(stream, _)| stream.is_chained()) {
            self.of(*stream).seal(record);
        }
    }

    /// Moves past a record that was read. A record of an unchained stream changes nothing.
    pub(crate) fn advance(&mut self, recorded: &Recorded) {
        if recorded.place.stream.is_chained() {
            self.of(recorded.place.stream).advance(&recorded.record);
        }
    }
}

fn update(hash: &mut Sha256, bytes: Option<&[u8]>) {
    let length =
        bytes.map_or(u32::MAX, |bytes| u32::try_from(bytes.len()).expect("records are far below 4 GiB"));
    hash.update(length.to_be_bytes());
    hash.update(bytes.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use domain::timestamp::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn event(key: &str, body: &str) -> Record {
        Record {
            key: key.to_owned(),
            headers: vec![("ce_type", "muster.user.registered".to_owned())],
            body: Some(body.as_bytes().to_vec()),
        }
    }

    fn written() -> Vec<Recorded> {
        let mut chain = Chain::default();
        let claim = Record::claim(Uuid::nil(), &Timestamp::from_micros(0).to_string(), "one");
        chain.advance(&claim);
        let mut records = vec![claim];
        for body in ["{}", "{\"a\":1}"] {
            let mut record = event("user_1", body);
            chain.seal(&mut record);
            records.push(record);
        }
        let place = StreamPartition::new(Stream::UserEvents, 0);
        records.into_iter().zip(0..).map(|(record, offset)| Recorded { place, offset, record }).collect()
    }

    fn verify(records: &[Recorded]) -> Result<(), u64> {
        let mut chain = Chain::default();
        records.iter().try_for_each(|recorded| chain.verify(recorded)).map_err(|broken| broken.offset)
    }

    #[test]
    fn what_was_written_verifies() {
        assert_eq!(verify(&written()), Ok(()));
    }

    #[test]
    fn passing_over_what_was_written_is_verifying_it() {
        let (mut passed, mut verified) = (Chain::default(), Chain::default());
        for recorded in written() {
            passed.advance(&recorded.record);
            verified.verify(&recorded).unwrap();
            assert_eq!(passed, verified);
        }
    }

    #[test]
    fn a_change_shows_though_the_writer_after_it_did_not_look() {
        let mut records = written();
        records[1].record.body = Some(b"{ }".to_vec());
        let mut chain = Chain::default();
        for recorded in &records {
            chain.advance(&recorded.record);
        }
        let mut next = event("user_1", "{}");
        chain.seal(&mut next);
        records.push(Recorded { place: records[0].place, offset: 3, record: next });
        assert_eq!(verify(&records), Err(1));
    }

    #[test]
    fn a_changed_body_shows() {
        let mut records = written();
        records[1].record.body = Some(b"{ }".to_vec());
        assert_eq!(verify(&records), Err(1));
    }

    #[test]
    fn a_changed_claim_shows_at_the_next_event() {
        let mut records = written();
        records[0].record.body = Some(b"{}".to_vec());
        assert_eq!(verify(&records), Err(1));
    }

    #[test]
    fn a_missing_record_and_a_swap_show() {
        let mut missing = written();
        missing.remove(1);
        assert_eq!(verify(&missing), Err(2));
        let mut swapped = written();
        swapped.swap(1, 2);
        assert_eq!(verify(&swapped), Err(2));
    }

    #[test]
    fn an_event_without_its_value_shows() {
        let mut records = written();
        records[1].record.headers.retain(|(name, _)| *name != CHAIN);
        assert_eq!(verify(&records), Err(1));
    }

    #[test]
    fn bytes_that_move_between_key_and_body_show() {
        assert_ne!(Chain::default().after(&event("ab", "c")), Chain::default().after(&event("a", "bc")));
    }
}
