//! Keeps the body of a request after its handler, so that the rest can be read before the answer is given.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

use super::limits::ConnectionLimits;

/// What a handler has left of a body.
#[derive(Default)]
pub(super) struct UnreadBody(Arc<Mutex<Left>>);

#[derive(Default)]
struct Left {
    body: Option<BodyDataStream>,
    /// Whether the client writes the body only once somebody reads it (`Expect: 100-continue`).
    is_awaiting: bool,
}

/// The body as the handler sees it. What is left goes back when it is dropped.
struct WatchedBody {
    body: Option<BodyDataStream>,
    left: Arc<Mutex<Left>>,
}

/// The request with a watched body, and what will be left of it.
pub(super) fn watch(request: Request) -> (Request, UnreadBody) {
    let (parts, body) = request.into_parts();
    let rest = UnreadBody::default();
    if body.is_end_stream() {
        return (Request::from_parts(parts, body), rest);
    }
    let expects = parts.headers.get(header::EXPECT).map(HeaderValue::as_bytes);
    lock(&rest.0).is_awaiting = expects.is_some_and(|text| text.eq_ignore_ascii_case(b"100-continue"));
    let watched = WatchedBody { body: Some(body.into_data_stream()), left: Arc::clone(&rest.0) };
    (Request::from_parts(parts, Body::from_stream(watched)), rest)
}

/// Tells the client that no further request is read from this connection.
pub(super) fn announce_close(response: &mut Response) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

impl UnreadBody {
    /// Reads and drops what is left, within the limits. Returns whether that was all.
    pub(super) async fn drain(self, limits: ConnectionLimits) -> bool {
        let Left { body, is_awaiting } = std::mem::take(&mut *lock(&self.0));
        let Some(mut body) = body else { return true };
        // Reading would ask for the body. The answer makes it unnecessary.
        if is_awaiting {
            return false;
        }
        let reading = async {
            let mut read = 0;
            while let Some(chunk) = body.next().await {
                read += chunk.map_or(usize::MAX, |chunk| chunk.len()).min(limits.drain_bytes + 1);
                if read > limits.drain_bytes {
                    return false;
                }
            }
            true
        };
        timeout(limits.drain, reading).await.unwrap_or(false)
    }
}

impl Stream for WatchedBody {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        lock(&self.left).is_awaiting = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = body.poll_next_unpin(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        lock(&self.left).body = self.body.take();
    }
}

fn lock(left: &Mutex<Left>) -> MutexGuard<'_, Left> {
    left.lock().expect("nothing panics while it holds the lock")
}
