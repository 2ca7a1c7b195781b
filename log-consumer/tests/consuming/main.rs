//! The consumer on a real log, with a sink that does what a test tells it.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod consumer;
mod foreign;
mod log;
mod scan;
mod sink;
