//! The body of an answer that is written while it is read: chunks from a task, and the connection's limit for a client who
//! takes none.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use event_feed::FeedReader;
use futures_util::stream;
use service_kit::http_server::StallLimit;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::media::FeedMedia;
use crate::readers::OpenStream;

/// How long a client may take nothing.
const STALLED: Duration = Duration::from_secs(30);
/// How long a chunk may wait until the reading behind it is given up for others.
const SLOW: Duration = Duration::from_secs(1);

/// The client is gone.
pub(super) struct ClientGone;

/// Where a task puts the chunks of a body.
pub(super) struct BodyWriter {
    sender: mpsc::Sender<Result<Bytes, io::Error>>,
    open: OpenStream,
}

/// A body, and the writer that fills it.
pub(super) fn channel(open: OpenStream) -> (BodyWriter, Body) {
    // One chunk waits: memory of a reader stays small, and a slow one is noticed.
    let (sender, receiver) = mpsc::channel(1);
    let body = stream::unfold(receiver, async |mut receiver: mpsc::Receiver<_>| {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    (BodyWriter { sender, open }, Body::from_stream(body))
}

/// The answer with this body, never kept and never changed on the way.
pub(super) fn answer(media: FeedMedia, body: Body) -> Response {
    let mut response = (headers(media), body).into_response();
    response.extensions_mut().insert(StallLimit(STALLED));
    response
}

/// The headers of every form.
pub(super) fn headers(media: FeedMedia) -> HeaderMap {
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static(media.content_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ])
}

impl BodyWriter {
    /// Writes a chunk that holds this many events, as soon as the client takes it. The reading rests while the client is slow.
    pub(super) async fn write(
        &self,
        reader: &mut FeedReader,
        chunk: Bytes,
        events: usize,
    ) -> Result<(), ClientGone> {
        let place = if let Ok(place) = timeout(SLOW, self.sender.reserve()).await {
            place
        } else {
            reader.rest();
            self.sender.reserve().await
        };
        place.map_err(|_| ClientGone)?.send(Ok(chunk));
        self.open.delivered(events);
        Ok(())
    }

    /// Writes a chunk if there is room for it. A client who is slower needs no sign of life.
    pub(super) fn try_write(&self, chunk: Bytes) {
        self.sender.try_send(Ok(chunk)).ok();
    }

    /// Cuts the body, so that the client does not take it for whole.
    pub(super) async fn cut(self) {
        let cut = io::Error::new(io::ErrorKind::ConnectionAborted, "the feed can't be read on");
        self.sender.send(Err(cut)).await.ok();
    }

    /// Ready when the client is gone.
    pub(super) async fn gone(&self) {
        self.sender.closed().await;
    }
}
