//! The HTTP API: GraphQL for the portals, access checks, and the config of remote agents.
//!
//! Why GraphQL over HTTP is handled here and not by the library: `docs/adr/0008-own-graphql-handler.md`.

mod access;
mod agent;
mod cost;
mod cycles;
mod document;
mod document_error;
mod embedded;
mod events;
mod graphiql;
mod graphql;
mod guard;
mod literals;
mod negotiation;
mod parameters;
mod portals;
mod prepared;
mod problem;
mod response;
mod router;
mod state;
mod subscriptions;
mod telemetry;
mod usages;
mod variables;

pub(crate) use router::router;
pub(crate) use state::HttpState;
