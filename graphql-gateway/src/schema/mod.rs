//! What can be read, and the schema as a whole.

pub(crate) mod agent;
pub(crate) mod audit;
pub(crate) mod connection;
mod filter;
pub(crate) mod group;
pub(crate) mod loader;
mod node;
mod query;
pub(crate) mod rule;
pub(crate) mod scalar;
pub(crate) mod token;
pub(crate) mod user;

#[cfg(test)]
#[path = "../portal/contract.rs"]
mod contract;

use std::sync::Arc;

use async_graphql::{EmptySubscription, SDLExportOptions, Schema, SchemaBuilder};

use crate::gateway::Gateway;
use crate::http::Guard;
use crate::mutations::Mutation;
use loader::Loaders;
use query::Query;

/// The schema of the portal API.
pub(crate) type PortalSchema = Schema<Query, Mutation, EmptySubscription>;

/// The whole schema as SDL, with a description on everything in it.
pub fn sdl() -> String {
    builder()
        .finish()
        .sdl_with_options(SDLExportOptions::new().use_space_ident().prefer_single_line_descriptions())
}

/// The schema that answers requests.
pub(crate) fn build(gateway: Arc<Gateway>) -> PortalSchema {
    let config = &gateway.config;
    let guard = Guard { depth: config.graphql_depth.get(), complexity: config.graphql_complexity.get() };
    let mut builder = builder().extension(guard).data(Arc::new(Loaders::new(&gateway.views)));
    if !config.is_dev() {
        builder = builder.disable_introspection().disable_suggestions();
    }
    builder.data(gateway).finish()
}

fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    // An interface that implements another one has to say so by hand.
    Schema::build(Query, Mutation::default(), EmptySubscription).register_output_type::<node::RuleIsANode>()
}
