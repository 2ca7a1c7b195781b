//! Exports and checkpoints of a real log: going on, and finding what was changed.

mod changes;
mod going_on;
mod heads;
mod world;
