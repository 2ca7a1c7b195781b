//! What is true of users and groups, and why: aggregates, commands, events, refusals and the access policy.
//!
//! This crate does no input or output, reads no clock and makes no random values. A rule gets such things with its
//! command, in a [`decision_context::DecisionContext`].
//!
//! `docs/glossary.md` explains the terms. `docs/adr` explains the decisions behind the rules: 0004 for ids, 0005 for
//! secrets, 0010 for the deletion of groups, 0011 for e-mail addresses.

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
pub mod network;
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
pub mod validation;
pub mod webhook;
pub mod wire;

#[cfg(test)]
mod spec;
