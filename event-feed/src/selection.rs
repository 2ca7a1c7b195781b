//! What a reader of a feed asks for: where to begin, and which events.

use domain::timestamp::Timestamp;

use crate::filter::EventFilter;
use crate::member_filter::MemberFilter;
use crate::position::FeedPosition;

/// Where a reader begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAt {
    /// With what comes from now on.
    Now,
    /// With the first record.
    Beginning,
    /// After this position.
    After(FeedPosition),
    /// With the first record that is not older, in each partition.
    Time(Timestamp),
}

/// Which events a reader wants.
#[derive(Clone, Default)]
pub struct Selection {
    /// By type and subject.
    pub events: EventFilter,
    /// By the group of the user.
    pub group: Option<MemberFilter>,
}
