//! The GraphQL types that can be read, and the roots of queries and subscriptions.

mod action;
pub(crate) mod agent;
pub(crate) mod audit;
mod audit_kind;
pub(crate) mod connection;
pub(crate) mod context;
mod counted;
pub(crate) mod delivery;
mod deployment;
pub(crate) mod group;
mod links;
pub(crate) mod loader;
pub(crate) mod node;
pub(crate) mod query;
pub(crate) mod role;
pub(crate) mod rule;
pub(crate) mod scalar;
pub(crate) mod session;
pub(crate) mod subscription;
pub(crate) mod token;
mod until_ended;
pub(crate) mod user;
mod user_as_of;
mod user_event;
mod user_filter;
mod users_changed;
pub(crate) mod webhook;
