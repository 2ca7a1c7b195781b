//! What names a log, so that a position or checkpoint of another one is noticed.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::record::{ID, Record};

/// Names a log: the id of the first record of its group events, a claim record that is written before anything else and
/// kept permanently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogId(pub Uuid);

impl LogId {
    /// The name of the log whose group events begin with this record. `None` if the record has no id.
    pub fn of_first(record: &Record) -> Option<Self> {
        record.header(ID)?.parse().ok()
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for LogId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}
