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

/// The whole schema as SDL, with a description on everything in it. It is committed, and served in development.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().use_space_ident().include_specified_by();
    let sdl = builder().finish().sdl_with_options(options);
    // The library indents the empty lines of descriptions, too.
    let mut lines: Vec<&str> = sdl.lines().map(str::trim_end).collect();
    lines.push("");
    lines.join("\n")
}

/// The schema without what it needs to answer requests.
pub(crate) fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    // An interface that implements another one has to be registered by hand.
    Schema::build(Query, Mutation::default(), Subscription).register_output_type::<RuleIsANode>()
}
