//! What HTTP handlers share.

use std::sync::Arc;

use super::guard::Guard;
use crate::gateway::Gateway;
use crate::portal::{self, PortalSchema};
use crate::schema::loader::Loaders;

/// What HTTP handlers share.
pub(crate) struct HttpState {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) schema: PortalSchema,
}

impl HttpState {
    pub(crate) fn new(gateway: Arc<Gateway>) -> Self {
        let config = &gateway.config;
        let guard = Guard { depth: config.graphql_depth.get(), complexity: config.graphql_complexity.get() };
        let mut builder = portal::builder()
            .extension(guard)
            .data(Arc::new(Loaders::new(&gateway.views)))
            .data(Arc::clone(&gateway));
        if !config.is_dev() {
            builder = builder.disable_introspection().disable_suggestions();
        }
        Self { schema: builder.finish(), gateway }
    }
}
