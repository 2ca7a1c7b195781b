//! Tests of the crate as a whole: laws of every history, contracts of events and questions, races for an address.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod asks;
mod contracts;
mod histories;
mod interleavings;
mod laws;
mod permissions;
