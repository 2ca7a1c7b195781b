//! What is true of users and groups, and why: aggregates, commands, events, refusals and the access policy.
//!
//! Three things this crate never does: input or output, reading a clock, making something random. What a rule needs
//! to know of these comes with the command.

pub mod access;
pub mod actor;
pub mod address;
pub mod aggregate;
pub mod command;
pub mod credential;
pub mod decision_context;
pub mod deployment;
pub mod email;
pub mod group;
pub mod id;
pub mod names;
pub mod patch;
pub mod phone;
pub mod policy;
pub mod refusal;
pub mod reservation_saga;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod timestamp;
pub mod user;
pub mod wire;

#[cfg(test)]
mod spec;
