//! The schema of the portal API as a whole, and its SDL.

use async_graphql::{SDLExportOptions, Schema, SchemaBuilder};

use crate::mutations::Mutation;
use crate::schema::node::RuleIsANode;
use crate::schema::query::Query;
use crate::schema::subscription::Subscription;

#[cfg(test)]
mod contract;

/// The schema of the portal API.
pub(crate) type PortalSchema = Schema<Query, Mutation, Subscription>;

/// The whole schema as SDL, with a description on everything in it.
pub fn sdl() -> String {
    builder()
        .finish()
        .sdl_with_options(SDLExportOptions::new().use_space_ident().prefer_single_line_descriptions())
}

/// The schema without what it needs to answer requests.
pub(crate) fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    // An interface that implements another one has to be registered by hand.
    Schema::build(Query, Mutation::default(), Subscription).register_output_type::<RuleIsANode>()
}
