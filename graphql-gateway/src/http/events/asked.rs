//! What a request to a feed comes to, once it was read.

use domain::actor::Roles;
use event_feed::FeedKind;

use super::parameters::FeedParameters;
use crate::access::EventReader;

/// The right that reading needs.
pub(super) const MAY_READ: fn(Roles) -> bool = Roles::may_audit;

/// Who reads, in which form, and from where: all that was asked for and may be had.
pub(super) struct Asked {
    pub(super) reader: EventReader,
    pub(super) kind: FeedKind,
    pub(super) parameters: FeedParameters,
}
