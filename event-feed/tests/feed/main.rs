//! Feeds over a real log in one file: what readers get, from where, and what they are told.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that can't be")]

mod positions;
mod reading;
mod world;
