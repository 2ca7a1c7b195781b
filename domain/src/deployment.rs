//! The deployment's own event: who its first administrator is, and how many partitions it has. It is stored among the group events, under its own key.

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::refusal::{Code, Refusal};

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

crate::wire::wire_events! {
    /// What can have happened to the deployment.
    pub enum Event {
        /// The deployment has its first administrator.
        Initialised(Initialised) = "muster.deployment.initialised",
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

#[cfg(test)]
mod tests {
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
        let Event::Initialised(old) = Event::from_json("muster.deployment.initialised", json).unwrap();
        let adopted = old.adopt(8).unwrap();
        let known = adopted.after(Some(old));
        assert_eq!((known.partitions, known.adopt(12)), (Some(8), None));
        let later = Initialised { partitions: Some(12), ..known.clone() };
        assert_eq!(later.after(Some(known)).partitions, Some(8));
    }
}
