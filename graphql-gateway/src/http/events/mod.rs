//! The feeds over HTTP: `/events/users` and `/events/groups`, as an event stream, in batches, or as lines to the end. And
//! `/events/checkpoint`, which says what the log is.

mod asked;
mod batch;
mod body;
mod checkpoint;
mod handler;
mod lines;
mod media;
mod next_link;
mod parameters;
mod sse;

pub(super) use checkpoint::checkpoint;
pub(super) use handler::{groups, users};
pub(super) use parameters::longest_wait;
