//! The gateway through its public door: real views, a real log, and an owner who says what the test tells it to.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that can't be")]

mod access;
mod access_records;
mod agents;
mod groups;
mod harness;
mod mutations;
mod over_http;
mod reading;
mod sessions;
