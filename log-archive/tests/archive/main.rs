//! Exports and checkpoints of a real log: going on, and finding what was changed.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that can't be")]

mod changes;
mod going_on;
mod heads;
mod world;
