//! The codes of errors that no resolver makes, and the GraphQL error that carries a code.

use async_graphql::{Pos, ServerError};

/// The request can't be executed.
pub(crate) const BAD_REQUEST: &str = "BAD_REQUEST";
/// The text is not a GraphQL document.
pub(crate) const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
/// The document does not match the schema.
pub(crate) const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
/// The document could cost more than a request may.
pub(crate) const TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";

/// A GraphQL error with this code in its extensions.
pub(crate) fn server_error(code: &'static str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    error
}

/// A GraphQL error with this code, about this place in the document.
pub(crate) fn located_error(code: &'static str, message: impl Into<String>, at: Pos) -> ServerError {
    let mut error = server_error(code, message);
    error.locations.push(at);
    error
}
