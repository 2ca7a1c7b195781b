//! Answers without a foreseeable end: streams, and connections that change to another protocol.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::StreamExt;

use super::activity::{OpenGuard, SharedActivity};

/// An extension of an answer without a foreseeable end: its connection is cut when the client takes nothing of what is there
/// for this long. While nothing is there it stays open.
#[derive(Debug, Clone, Copy)]
pub struct StallLimit(pub Duration);

/// Has the connection of an answer with a [`StallLimit`] watched, until the answer is written. A connection that changes
/// its protocol stays watched.
pub(super) fn watch(response: Response, activity: &SharedActivity) -> Response {
    let Some(StallLimit(limit)) = response.extensions().get().copied() else { return response };
    activity.stay_open(limit);
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        // Nothing of HTTP follows on this connection.
        return response;
    }
    let open = OpenGuard(activity.clone());
    response.map(|body| {
        let chunks = body.into_data_stream().map(move |chunk| {
            let _until_dropped = &open;
            chunk
        });
        Body::from_stream(chunks)
    })
}
