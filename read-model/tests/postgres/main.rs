//! What the views do with a real PostgreSQL server, of a kind that no other test has.

#![expect(clippy::unwrap_used, reason = "a test ends at the first unexpected result")]

mod connections;
mod encoding;
mod proxy;
mod server;
