//! Why a mutation did not do what it was asked, and how that becomes its payload.

use async_graphql::SimpleObject;
use domain::command::Failure;
use domain::refusal::{Refusal, Refusals};

use super::api::ApiError;
use super::kind::UserErrorKind;

/// Why a rule said no: a code for programs, a sentence for people, the path of the field at fault inside `input`.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct UserError {
    /// What kind of no it is; one of a fixed list, in lower case.
    pub(crate) code: String,
    /// The code as an enum.
    pub(crate) kind: UserErrorKind,
    /// One sentence for the person who asked.
    pub(crate) message: String,
    /// Path of the field inside `input`, outermost first; null when no single field is at fault.
    pub(crate) field: Option<Vec<String>>,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, message, field } = refusal;
        Self {
            code: code.as_str().to_owned(),
            kind: code.into(),
            message,
            field: Some(field).filter(|path| !path.is_empty()),
        }
    }
}

/// Why a mutation did not do what it was asked.
#[derive(Debug)]
pub(crate) enum MutationError {
    /// A rule said no. Callers see it as data, in `userErrors`.
    Refused(Refusals),
    /// The mutation failed. Callers see an error.
    Failed(ApiError),
}

impl From<ApiError> for MutationError {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<Failure> for MutationError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

impl From<read_model::Error> for MutationError {
    fn from(error: read_model::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Refusal> for MutationError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<Refusals> for MutationError {
    fn from(refusals: Refusals) -> Self {
        Self::Refused(refusals)
    }
}

/// Runs a mutation. Refusals become a payload that holds nothing else.
///
/// The answer is never `None`. It makes the field nullable, so that a failure doesn't take the payloads of the other
/// mutations in the document with it. They have been executed, and may show a secret only this once.
pub(crate) async fn into_payload<P: From<Vec<UserError>>>(
    mutation: impl Future<Output = Result<P, MutationError>>,
) -> Option<Result<P, ApiError>> {
    Some(match mutation.await {
        Ok(payload) => Ok(payload),
        Err(MutationError::Refused(refusals)) => {
            Ok(P::from(refusals.into_iter().map(UserError::from).collect::<Vec<_>>()))
        }
        Err(MutationError::Failed(error)) => Err(error),
    })
}
