//! What callers hear when a request does not do what it asks: refusals are data, failures are errors with a code.
//!
//! Nothing internal reaches a caller. The reasons are in `docs/adr/0008-own-graphql-handler.md`.

mod api;
mod codes;
mod kind;
mod mutation;

pub(crate) use api::ApiError;
pub(crate) use codes::{
    BAD_REQUEST, PARSE_FAILED, TOO_COMPLEX, VALIDATION_FAILED, located_error, server_error,
};
pub(crate) use kind::UserErrorKind;
pub(crate) use mutation::{MutationError, UserError, into_payload};
