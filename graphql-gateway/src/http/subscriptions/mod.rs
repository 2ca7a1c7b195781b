//! GraphQL operations that answer more than once: over a WebSocket, and as server-sent events.

mod execution;
mod message;
mod operations;
mod origin;
mod socket;
mod sse;
mod upgrade;

pub(super) use sse::handle as stream;
pub(super) use upgrade::{is_upgrade, upgrade};
