//! Every event with the schema of its data, as it is published.

use domain::{access, deployment, group, user, webhook};
use log_model::Stream;
use serde_json::Value;

use super::plain::plain;

/// Every event: its stream, its wire name and the schema of its data.
pub(super) fn all() -> Vec<(Stream, &'static str, Value)> {
    let streams = [
        (Stream::UserEvents, user::Event::schemas()),
        (Stream::GroupEvents, group::Event::schemas()),
        (Stream::GroupEvents, webhook::Event::schemas()),
        (Stream::GroupEvents, deployment::Event::schemas()),
        (Stream::Access, access::Event::schemas()),
    ];
    let of = |(stream, schemas): (Stream, Vec<(&'static str, schemars::Schema)>)| {
        schemas.into_iter().map(move |(name, schema)| (stream, name, plain(name, schema.to_value())))
    };
    streams.into_iter().flat_map(of).collect()
}
