//! Serves HTTP so that connections end in time and no answer is lost to a client that still writes.
//!
//! The library's server waits indefinitely for the rest of a request head, keeps idle connections, and closes a
//! connection at once when a handler has not read the body. A client that still writes then gets a reset in place of
//! the answer.

mod activity;
mod connection;
mod limits;
mod open_answer;
#[cfg(test)]
mod tests;
mod unread_body;

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::serve::IncomingStream;
use tokio::net::TcpListener;

use activity::SharedActivity;
use connection::BoundedListener;
use limits::ConnectionLimits;
pub use open_answer::StallLimit;

/// Serves `router` until `stop` is ready and every request has its answer. Handlers find the peer in
/// `ConnectInfo<SocketAddr>`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_within(ConnectionLimits::DEFAULT, listener, router, stop).await
}

async fn serve_within(
    limits: ConnectionLimits,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = router.layer(from_fn_with_state(limits, answer));
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(BoundedListener::new(listener, limits), service).with_graceful_shutdown(stop).await
}

/// The other end of a connection.
#[derive(Clone)]
struct Peer {
    address: SocketAddr,
    activity: SharedActivity,
}

impl Connected<IncomingStream<'_, BoundedListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, BoundedListener>) -> Self {
        Self { address: *stream.remote_addr(), activity: stream.io().activity() }
    }
}

/// Has a request answered, then reads the rest of its body.
async fn answer(
    State(limits): State<ConnectionLimits>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let _busy = peer.activity.begin_request();
    request.extensions_mut().insert(ConnectInfo(peer.address));
    let (request, rest) = unread_body::watch(request);
    let mut response = next.run(request).await;
    if !rest.drain(limits).await {
        peer.activity.leave_unread();
        unread_body::announce_close(&mut response);
    }
    open_answer::watch(response, &peer.activity)
}
