//! A GraphQL request that was read and checked as far as that goes without the schema, for every transport.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, ServerError, Variables};

use super::document::{self, Operation};
use super::guard::ExecutionProgress;
use super::literals;
use super::parameters::Parameters;
use crate::config::Config;
use crate::error::{PARSE_FAILED, VALIDATION_FAILED, server_error};

/// A request, ready for execution but for its caller.
pub(super) struct PreparedOperation {
    pub(super) request: Request,
    pub(super) operation: Operation,
    /// Tells whether the execution has begun.
    pub(super) progress: Arc<ExecutionProgress>,
}

impl PreparedOperation {
    /// Checks the document: nesting of its text, syntax, size, and what it may ask for.
    pub(super) fn read(config: &Config, parameters: Parameters) -> Result<Self, ServerError> {
        let operation_name = parameters.operation_name.filter(|name| !name.is_empty());
        document::check_text(&parameters.query).map_err(|error| error.to_server_error())?;
        let variables = parameters.variables.map(serde_json::Value::Object).unwrap_or_default();
        let query = literals::translated(&parameters.query).into_owned();
        let mut request = Request::new(query).variables(Variables::from_json(variables));
        request.operation_name.clone_from(&operation_name);
        let document = request.parsed_query().map_err(|mut error| {
            error.extensions = server_error(PARSE_FAILED, "").extensions;
            error
        })?;
        let operation = document::check(document, operation_name.as_deref());
        let operation = operation.map_err(|error| error.to_server_error())?;
        if !config.is_dev() && operation.introspects() {
            return Err(server_error(VALIDATION_FAILED, "The schema is not shown here."));
        }
        if operation.kind == OperationType::Subscription && operation.fields.len() != 1 {
            return Err(server_error(VALIDATION_FAILED, "A subscription has one field at its root."));
        }
        let progress = Arc::new(ExecutionProgress::new(operation_name.as_deref()));
        let request = request.data(Arc::clone(&progress));
        Ok(Self { request, operation, progress })
    }
}
