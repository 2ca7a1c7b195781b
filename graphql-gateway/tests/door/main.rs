//! The gateway through its public address, with real views, a real log and a scripted owner.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that can't be")]

mod access;
mod access_records;
mod agents;
mod attempts;
mod browser;
mod events;
mod feed;
mod graphiql;
mod groups;
mod harness;
mod mutations;
mod over_http;
mod past;
mod portals;
mod readers;
mod reading;
mod requests;
mod schema;
mod sessions;
mod subscriptions;
mod websocket;
