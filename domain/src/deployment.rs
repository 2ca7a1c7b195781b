//! The deployment's own events: who its first administrator is, how many partitions it has, and which records of the log are
//! skipped. They are stored among the group events, under their own key.

use log_model::{RecordDigest, StreamPartition};
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::id::UserId;
use crate::policy;
use crate::refusal::{Code, Refusal};
use crate::text::{self, DESCRIPTION_LENGTH};

/// Key and subject of the record.
pub const SUBJECT: &str = "deployment";

/// The deployment has its first administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Initialised {
    /// The first administrator.
    #[serde(rename = "userId")]
    pub user_id: UserId,
    /// Their username.
    #[serde(rename = "username")]
    pub username: String,
    /// Over how many partitions users are spread. It never changes. Absent in records of 0.1.0.
    #[serde(rename = "partitions", default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
}

impl Initialised {
    /// What is known once this event follows what was known before: of each fact the first in the log counts.
    #[must_use]
    pub fn after(self, before: Option<Self>) -> Self {
        match before {
            None => self,
            Some(before) => Self { partitions: before.partitions.or(self.partitions), ..before },
        }
    }

    /// The event that adds the number of partitions to a record without one. `None` when it has one.
    #[must_use]
    pub fn adopt(&self, partitions: u32) -> Option<Self> {
        self.partitions.is_none().then(|| Self { partitions: Some(partitions), ..self.clone() })
    }
}

/// An operator has taken a record out of the log that can't be read. Every reader passes over exactly this record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RecordSkipped {
    /// The stream partition that holds the record, such as `user-events-3`.
    #[serde(rename = "place")]
    pub place: String,
    /// The offset of the record there.
    #[serde(rename = "offset")]
    pub offset: u64,
    /// SHA-256 of the record, in hex. Another record at this offset is not skipped.
    #[serde(rename = "digest")]
    pub digest: String,
    /// Why it is skipped.
    #[serde(rename = "reason")]
    pub reason: String,
}

crate::wire::wire_events! {
    /// What can have happened to the deployment.
    pub enum Event {
        /// The deployment has its first administrator.
        Initialised(Initialised) = "muster.deployment.initialised",
        /// A record that can't be read is skipped.
        RecordSkipped(RecordSkipped) = "muster.deployment.record_skipped",
    }
}

/// The event that makes this user the first administrator, or completes the record. `None` when nothing is missing.
///
/// When several try, the first one in the log wins.
pub fn initialise(
    before: Option<&Initialised>,
    user_id: UserId,
    username: &str,
    partitions: u32,
) -> Result<Option<Initialised>, Refusal> {
    match before {
        None => {
            Ok(Some(Initialised { user_id, username: username.to_owned(), partitions: Some(partitions) }))
        }
        Some(first) if first.user_id == user_id => Ok(first.adopt(partitions)),
        Some(first) => Err(Refusal::new(
            Code::AlreadyInitialised,
            format!("This deployment was initialised with the administrator `{}`.", first.username),
        )),
    }
}

/// The event that skips a record, for a reason that the actor gives. The caller has made sure that nobody can read it.
pub fn skip(
    actor: &Actor,
    (place, offset): (StreamPartition, u64),
    digest: RecordDigest,
    reason: &str,
) -> Result<RecordSkipped, Refusal> {
    if !policy::may_administer(actor) {
        return Err(Refusal::new(Code::NotApplicable, "Only an operator may do this."));
    }
    let reason = text::required(reason, DESCRIPTION_LENGTH).map_err(|refusal| refusal.at("reason"))?;
    Ok(RecordSkipped { place: place.to_string(), offset, digest: digest.to_string(), reason })
}

#[cfg(test)]
mod tests {
    use log_model::{Record, Stream};

    use super::*;
    use crate::names::Username;

    #[test]
    fn of_two_who_initialise_the_first_wins() {
        let id = |name| UserId::of(&Username::parse(name).unwrap());
        let first = initialise(None, id("ada"), "ada", 8).unwrap().unwrap();
        assert_eq!(initialise(Some(&first), id("ada"), "ada", 8), Ok(None));
        let refused = initialise(Some(&first), id("eve"), "eve", 8).unwrap_err();
        assert_eq!(refused.code, Code::AlreadyInitialised);
    }

    #[test]
    fn f05_a_record_without_a_number_of_partitions_adopts_one_and_keeps_it() {
        let json = br#"{"userId":"user_132917bf-f74f-57c0-afd1-d72b2db15f46","username":"alice"}"#;
        let read = Event::from_json("muster.deployment.initialised", json).unwrap();
        let Event::Initialised(old) = read else { panic!("it is {read:?}") };
        let adopted = old.adopt(8).unwrap();
        let known = adopted.after(Some(old));
        assert_eq!((known.partitions, known.adopt(12)), (Some(8), None));
        let later = Initialised { partitions: Some(12), ..known.clone() };
        assert_eq!(later.after(Some(known)).partitions, Some(8));
    }

    #[test]
    fn f07_a_record_is_skipped_by_an_operator_who_says_why() {
        let record = Record::keyed(String::new(), Some(b"hello".to_vec()));
        let digest = RecordDigest::of(&record);
        let at = (StreamPartition::new(Stream::UserEvents, 3), 17);
        let skipped = skip(&Actor::System, at, digest, " a typo ").unwrap();
        let expected = RecordSkipped {
            place: "user-events-3".to_owned(),
            offset: 17,
            digest: digest.to_string(),
            reason: "a typo".to_owned(),
        };
        assert_eq!(skipped, expected);
        assert_eq!(skip(&Actor::System, at, digest, " ").unwrap_err().code, Code::Required);
        let long = "x".repeat(DESCRIPTION_LENGTH + 1);
        assert_eq!(skip(&Actor::System, at, digest, &long).unwrap_err().code, Code::TooLong);
        assert_eq!(skip(&Actor::Anonymous, at, digest, "a typo").unwrap_err().code, Code::NotApplicable);
    }
}
