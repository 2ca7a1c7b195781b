//! Failures: why a request, or a field of it, was not answered.

use async_graphql::{ServerError, Value};
use domain::command::Failure;
use service_kit::causes::Causes;

use super::codes::{BAD_REQUEST, server_error};

/// Why a request, or a field of it, failed. The messages are for people, [`ApiError::code`] is for programs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// The field needs a session. There is none, or it is unknown or has ended.
    #[error("Sign in first.")]
    Unauthenticated,
    /// The session may only change the password.
    #[error("Change the password first.")]
    PasswordChangeRequired,
    /// The caller lacks the right.
    #[error("You may not do this.")]
    Forbidden,
    /// The caller asks too often.
    #[error("Too many attempts. Try again later.")]
    RateLimited {
        /// When to try again, in milliseconds.
        retry_after_ms: u64,
    },
    /// The arguments contradict each other.
    #[error("{0}")]
    BadRequest(&'static str),
    /// An argument can't be used; the sentence names it.
    #[error("{0}")]
    BadArgument(String),
    /// Nothing was written; the same request may succeed later.
    #[error("This is not available at the moment. Try again later.")]
    Unavailable {
        /// When to try again, in milliseconds.
        retry_after_ms: u64,
    },
    /// The command may have been written or not.
    #[error("The outcome is unknown. Send the same again with the same commandId.")]
    UnknownOutcome,
    /// The command was written, but the views did not show it in time.
    #[error("This was accepted and is not yet visible. Read it again later.")]
    NotYetVisible,
    /// A bug, or a broken invariant.
    #[error("Something went wrong.")]
    Internal,
}

impl ApiError {
    /// Unavailable for about a second: what is missing usually comes back by then.
    pub(crate) const UNAVAILABLE: Self = Self::Unavailable { retry_after_ms: 1_000 };

    /// The code that programs look at.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PasswordChangeRequired => "PASSWORD_CHANGE_REQUIRED",
            Self::Forbidden => "FORBIDDEN",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::BadRequest(_) | Self::BadArgument(_) => BAD_REQUEST,
            Self::Unavailable { .. } => "UNAVAILABLE",
            Self::UnknownOutcome => "UNKNOWN_OUTCOME",
            Self::NotYetVisible => "NOT_YET_VISIBLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// The GraphQL error, for answers that no resolver gives.
    pub(crate) fn to_server_error(&self) -> ServerError {
        let mut error = server_error(self.code(), self.to_string());
        if let (Some(millis), Some(extensions)) = (self.retry_after_ms(), &mut error.extensions) {
            extensions.set("retryAfterMs", Value::from(millis));
        }
        error
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after_ms } | Self::Unavailable { retry_after_ms } => {
                Some(*retry_after_ms)
            }
            _ => None,
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure {
            // Nobody took the command. For the caller that is the same as an owner that can't be reached.
            Failure::NotOwner => Self::UNAVAILABLE,
            Failure::Unavailable { retry_after_ms } => Self::Unavailable { retry_after_ms },
            Failure::UnknownOutcome => Self::UnknownOutcome,
        }
    }
}

/// Logs why a query of the views failed; callers only hear whether to try again.
impl From<read_model::Error> for ApiError {
    fn from(error: read_model::Error) -> Self {
        match &error {
            read_model::Error::BadCursor => Self::BadRequest("The cursor does not belong to this list."),
            read_model::Error::Unavailable(_) => {
                tracing::warn!(error = %Causes(&error), "The views can't be asked.");
                Self::UNAVAILABLE
            }
            _ => {
                tracing::error!(error = %Causes(&error), "The views refused a question.");
                Self::Internal
            }
        }
    }
}
