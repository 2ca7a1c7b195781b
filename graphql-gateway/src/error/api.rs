//! Refusals as data, and failures as errors with a code; nothing internal gets out.

use async_graphql::{ServerError, SimpleObject, Value};
use domain::command::Failure;
use domain::refusal::{Refusal, Refusals};

use crate::secrets::Busy;

/// The request is not one that can be executed.
pub(crate) const BAD_REQUEST: &str = "BAD_REQUEST";
/// The text is no GraphQL document.
pub(crate) const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
/// The document does not fit the schema.
pub(crate) const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
/// The document could cost more than a request may.
pub(crate) const TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";

/// Why a rule said no: a code for programs, a sentence for people, the path of the field at fault inside `input`.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct UserError {
    /// What kind of no it is; one of a fixed list, in lower case.
    pub(crate) code: String,
    /// One sentence for the person who asked.
    pub(crate) message: String,
    /// Path of the field inside `input`, outermost first; null when no single field is at fault.
    pub(crate) field: Option<Vec<String>>,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, message, field } = refusal;
        Self { code: code.as_str().to_owned(), message, field: Some(field).filter(|path| !path.is_empty()) }
    }
}

/// Why a request, or a field of it, failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// A session is needed, or the one given is unknown or has ended.
    #[error("Sign in first.")]
    Unauthenticated,
    /// The session can do nothing but change the password.
    #[error("Change the password first.")]
    PasswordChangeRequired,
    /// It is not the caller's to ask.
    #[error("You may not do this.")]
    Forbidden,
    /// The caller asks too often.
    #[error("Too many attempts. Try again later.")]
    RateLimited {
        /// When asking again makes sense.
        retry_after_ms: u64,
    },
    /// The arguments don't go together.
    #[error("{0}")]
    BadRequest(&'static str),
    /// Nothing was written, and asking again later may help.
    #[error("This is not available at the moment. Try again later.")]
    Unavailable {
        /// When asking again makes sense.
        retry_after_ms: u64,
    },
    /// It may have been written or not.
    #[error("The outcome is unknown. Send the same again with the same commandId.")]
    UnknownOutcome,
    /// It was written; reading it back took too long.
    #[error("This was accepted and is not yet visible. Read it again later.")]
    NotYetVisible,
    /// Something that should not happen.
    #[error("Something went wrong.")]
    Internal,
}

impl Fault {
    /// The code that programs look at.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PasswordChangeRequired => "PASSWORD_CHANGE_REQUIRED",
            Self::Forbidden => "FORBIDDEN",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::BadRequest(_) => BAD_REQUEST,
            Self::Unavailable { .. } => "UNAVAILABLE",
            Self::UnknownOutcome => "UNKNOWN_OUTCOME",
            Self::NotYetVisible => "NOT_YET_VISIBLE",
            Self::Internal => "INTERNAL",
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after_ms } | Self::Unavailable { retry_after_ms } => {
                Some(*retry_after_ms)
            }
            _ => None,
        }
    }

    /// The fault as an error of its own, for answers without execution.
    pub(crate) fn error(&self) -> ServerError {
        let mut error = coded(self.code(), self.to_string());
        if let (Some(millis), Some(extensions)) = (self.retry_after_ms(), &mut error.extensions) {
            extensions.set("retryAfterMs", Value::from(millis));
        }
        error
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            // Nobody took it: for the caller that is the same as nobody being there.
            Failure::NotOwner => Self::Unavailable { retry_after_ms: 1_000 },
            Failure::Unavailable { retry_after_ms } => Self::Unavailable { retry_after_ms },
            Failure::UnknownOutcome => Self::UnknownOutcome,
        }
    }
}

impl From<Busy> for Fault {
    fn from(busy: Busy) -> Self {
        Self::Unavailable { retry_after_ms: busy.retry_after_ms }
    }
}

/// Why a mutation did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A rule said no: data.
    Refused(Refusals),
    /// It failed: an error.
    Failed(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<Refusals> for Stop {
    fn from(refusals: Refusals) -> Self {
        Self::Refused(refusals)
    }
}

impl From<Busy> for Stop {
    fn from(busy: Busy) -> Self {
        Self::Failed(busy.into())
    }
}

/// The payload of a mutation: what it did, or the refusals in a payload that is otherwise empty.
pub(crate) fn settle<P: From<Vec<UserError>>>(done: Result<P, Stop>) -> Result<P, Fault> {
    match done {
        Ok(payload) => Ok(payload),
        Err(Stop::Refused(refusals)) => {
            Ok(P::from(refusals.into_iter().map(UserError::from).collect::<Vec<_>>()))
        }
        Err(Stop::Failed(fault)) => Err(fault),
    }
}

/// An error of this code.
pub(crate) fn coded(code: &'static str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    error
}

/// Gives an error of execution its code, and takes from it what callers must not see.
pub(crate) fn finish(error: ServerError, executed: bool) -> ServerError {
    if error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some()) {
        return error;
    }
    let mut finished = match error.source::<Fault>() {
        Some(fault) => fault.error(),
        // Resolvers fail with faults alone; an error of another source was not meant for callers.
        None if error.source.is_some() => Fault::Internal.error(),
        None if executed => coded(BAD_REQUEST, error.message),
        None => coded(VALIDATION_FAILED, error.message),
    };
    finished.locations = error.locations;
    finished.path = error.path;
    finished
}
