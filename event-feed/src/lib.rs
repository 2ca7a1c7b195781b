//! The feeds: what happened to users and to groups, for readers outside, from any position on.
//!
//! [`cloud_event`] is an event as every reader sees it, whatever the transport. [`FeedPosition`] is where a reader
//! stands; its text names the log and covers every partition of the feed. [`EventFilter`] chooses by type and subject,
//! [`MemberFilter`] by the group of the user at that time.
//!
//! [`Feeds`] opens readers. All that keep up share one tail of the log; one that is behind reads the log at its own pace and
//! joins the tail again without a gap and without a repeat.
//!
//! Only committed records are read, and none is changed. Terms are defined in `docs/glossary.md`.

pub mod cloud_event;
mod error;
mod feeds;
mod filter;
mod kind;
mod locate;
mod member_filter;
mod position;
mod reader;
mod ring;
mod selection;
mod tail;

pub use cloud_event::CloudEvent;
pub use error::FeedError;
pub use feeds::Feeds;
pub use filter::{EventFilter, UnknownType};
pub use kind::FeedKind;
pub use member_filter::{GroupsUnknown, MemberFilter, UserEventAt};
pub use position::{FeedPosition, NotAFeedPosition};
pub use reader::{FeedReader, Portion};
pub use selection::{Selection, StartAt};
pub use tail::identify;
