//! Ends the messages of a subscription when its reader may not go on.

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, Stream, unfold};

use crate::error::ApiError;
use crate::readers::{Ended, ReaderRights};

/// The messages until they end, or the right to them does. The right comes first: whatever a message waits for, and however
/// many are ready, nobody is told anything after it.
pub(super) fn until_ended<T: Send + 'static>(
    messages: impl Stream<Item = Result<T, ApiError>> + Send + 'static,
    rights: ReaderRights,
) -> BoxStream<'static, Result<T, ApiError>> {
    let messages = unfold(Some((messages.boxed(), rights)), async |state| {
        let (mut messages, mut rights) = state?;
        tokio::select! {
            biased;
            ended = rights.ended() => match ended {
                Ended::Credential => Some((Err(ApiError::Unauthenticated), None)),
                Ended::Rights => Some((Err(ApiError::Forbidden), None)),
                Ended::Stopping => None,
            },
            message = messages.next() => message.map(|message| (message, Some((messages, rights)))),
        }
    });
    messages.boxed()
}
