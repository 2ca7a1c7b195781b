//! Why a document is rejected before it is validated.

use async_graphql::{Pos, ServerError};

use crate::error::{BAD_REQUEST, TOO_COMPLEX, VALIDATION_FAILED, located_error, server_error};

/// Why a document is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentError {
    /// It could cost more than a request may.
    #[error("{0}")]
    TooComplex(&'static str),
    /// It is not clear which operation to execute.
    #[error("{0}")]
    NoOperation(&'static str),
    /// It asks for something impossible, at this place.
    #[error("{0}")]
    Invalid(String, Pos),
}

impl DocumentError {
    /// The error that the caller sees.
    pub(crate) fn to_server_error(&self) -> ServerError {
        match self {
            Self::TooComplex(message) => server_error(TOO_COMPLEX, *message),
            Self::NoOperation(message) => server_error(BAD_REQUEST, *message),
            Self::Invalid(message, at) => located_error(VALIDATION_FAILED, message, *at),
        }
    }
}
