//! Laws that hold for every history, and the contract of every event.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that can't be")]

mod asks;
mod contracts;
mod histories;
mod interleavings;
mod laws;
