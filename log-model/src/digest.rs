//! The digest by which one record is told from every other, and the anchor that ties a reader to the log it has read.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::record::{ATTRIBUTES, CHAIN, Record};

/// SHA-256 of a record: its key, attributes, chain value and body. Its text is 64 lower-case hex digits.
///
/// An event carries the value of the hash chain, so its digest stands for the whole history up to it.
///
/// ```
/// use log_model::{Record, RecordDigest};
///
/// let record = Record::keyed("alice".to_owned(), Some(b"{}".to_vec()));
/// let digest = RecordDigest::of(&record);
/// assert_eq!(digest.to_string().parse(), Ok(digest));
/// assert_ne!(digest, RecordDigest::of(&Record { body: None, ..record }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordDigest([u8; 32]);

/// A text that is not the digest of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the digest of a record")]
pub struct NotADigest;

/// The last record that a reader has taken in. Another log, or one that was cut and has grown again, has another
/// record there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The offset of the record.
    pub offset: u64,
    /// The digest of the record.
    pub digest: RecordDigest,
}

impl RecordDigest {
    /// The digest of a record.
    pub fn of(record: &Record) -> Self {
        let mut hash = Sha256::new();
        let mut update = |bytes: Option<&[u8]>| {
            // The length keeps bytes from moving between fields. One byte tells an absent field from an empty one.
            hash.update([u8::from(bytes.is_some())]);
            let bytes = bytes.unwrap_or_default();
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        update(Some(record.key.as_bytes()));
        for name in ATTRIBUTES.into_iter().chain([CHAIN]) {
            update(record.header(name).map(str::as_bytes));
        }
        update(record.body.as_deref());
        Self(hash.finalize().into())
    }
}

impl fmt::Display for RecordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for RecordDigest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map_err(|_| NotADigest)?;
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TYPE;

    #[test]
    fn records_that_differ_in_anything_have_different_digests() {
        let record =
            Record { key: "ab".to_owned(), headers: vec![(TYPE, "t".to_owned())], body: Some(b"c".to_vec()) };
        let moved = Record { key: "a".to_owned(), body: Some(b"bc".to_vec()), ..record.clone() };
        let typed = Record { headers: vec![(TYPE, "u".to_owned())], ..record.clone() };
        let sealed = Record {
            headers: record.headers.iter().cloned().chain([(CHAIN, "0a".to_owned())]).collect(),
            ..record.clone()
        };
        let empty = Record { body: Some(Vec::new()), ..record.clone() };
        let gone = Record { body: None, ..record.clone() };
        let all = [record, moved, typed, sealed, empty, gone].map(|record| RecordDigest::of(&record));
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one), "{at}");
        }
    }
}
