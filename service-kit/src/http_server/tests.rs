//! Connections whose client is slow, silent, or still writing.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::routing::{any, post};
use axum::{Extension, Router};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{interval, timeout};

use super::StallLimit;
use super::limits::ConnectionLimits;
use super::serve_within;

const PATIENCE: Duration = Duration::from_secs(10);
/// Of what one test is about, it shortens the limit.
const LONG: ConnectionLimits = ConnectionLimits {
    head: PATIENCE,
    idle: PATIENCE,
    drain_bytes: 1 << 16,
    drain: PATIENCE,
    linger_quiet: PATIENCE,
    linger: PATIENCE,
};
const SOON: Duration = Duration::from_millis(50);

/// A server and the sender that keeps it running.
async fn started(limits: ConnectionLimits) -> (std::net::SocketAddr, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/unread", any(async || "answered"))
        .route("/read", post(async |body: String| body.len().to_string()));
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        let _gone = stopped.await;
    };
    tokio::spawn(serve_within(limits, listener, router, stopped));
    (address, stop)
}

/// Everything up to the end of the connection.
async fn rest(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(PATIENCE / 2, client.read_to_end(&mut answer))
        .await
        .expect("the connection ends in time")
        .unwrap();
    String::from_utf8(answer).unwrap()
}

async fn until(client: &mut TcpStream, end: &str) -> String {
    let mut answer = Vec::new();
    let reading = async {
        while !answer.ends_with(end.as_bytes()) {
            answer.push(client.read_u8().await.unwrap());
        }
    };
    timeout(PATIENCE / 2, reading).await.expect("the answer comes in time");
    String::from_utf8(answer).unwrap()
}

fn head(method: &str, path: &str, length: usize, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{more}\r\n")
}

#[tokio::test]
async fn f11_half_a_head_and_a_silent_connection_end() {
    let (address, _stop) = started(ConnectionLimits { head: SOON, ..LONG }).await;
    for sent in ["", "GET /unread HTTP/1.1\r\nhost: x\r\n"] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(sent.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut client).await, "", "{sent}");
    }
}

#[tokio::test]
async fn f11_the_next_head_has_a_limit_too_and_the_time_between_another() {
    let (address, _stop) = started(ConnectionLimits { head: SOON, ..LONG }).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        client.write_all(head("GET", "/unread", 0, "").as_bytes()).await.unwrap();
        until(&mut client, "answered").await;
    }
    client.write_all(b"GET /unr").await.unwrap();
    assert_eq!(rest(&mut client).await, "");
    let (address, _stop) = started(ConnectionLimits { idle: SOON, ..LONG }).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(head("GET", "/unread", 0, "").as_bytes()).await.unwrap();
    assert!(rest(&mut client).await.ends_with("answered"));
}

#[tokio::test]
async fn f14_a_body_that_nobody_reads_is_dropped_and_the_connection_goes_on() {
    let (address, _stop) = started(LONG).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    for (method, path) in [("POST", "/unread"), ("PUT", "/nowhere"), ("PUT", "/read"), ("POST", "/unread")] {
        client.write_all(head(method, path, 60_000, "").as_bytes()).await.unwrap();
        client.write_all(&vec![b'x'; 60_000]).await.unwrap();
        let answer = until(&mut client, "\r\n\r\n").await;
        assert!(!answer.contains("connection: close"), "{answer}");
        if path == "/unread" {
            until(&mut client, "answered").await;
        }
    }
    client.write_all(head("POST", "/read", 3, "").as_bytes()).await.unwrap();
    client.write_all(b"abc").await.unwrap();
    assert!(until(&mut client, "\r\n\r\n3").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn f14_an_answer_reaches_a_client_that_writes_on() {
    let (address, _stop) = started(LONG).await;
    let body = vec![b'x'; 8 << 20];
    for request in [head("POST", "/unread", body.len(), ""), "nonsense\r\n\r\n".to_owned()] {
        for _ in 0..10 {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(request.as_bytes()).await.unwrap();
            client.write_all(&body).await.unwrap();
            client.shutdown().await.unwrap();
            let answer = rest(&mut client).await;
            assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
            assert!(answer.contains("connection: close"), "{answer}");
        }
    }
}

#[tokio::test]
async fn f14_a_client_that_never_stops_writing_is_left() {
    for limits in [ConnectionLimits { linger: SOON, ..LONG }, ConnectionLimits { linger_quiet: SOON, ..LONG }]
    {
        let (address, _stop) = started(limits).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(head("POST", "/unread", 1 << 30, "").as_bytes()).await.unwrap();
        let (mut answer, mut body) = client.split();
        let writing = async {
            let (is_endless, chunk) = (limits.linger == SOON, vec![b'x'; 1 << 17]);
            while body.write_all(&chunk).await.is_ok() && is_endless {}
            if !is_endless {
                std::future::pending::<()>().await;
            }
        };
        let mut read = Vec::new();
        let reading = async { drop(answer.read_to_end(&mut read).await) };
        let ended = async {
            tokio::select! { () = reading => {}, () = writing => {} }
        };
        timeout(PATIENCE / 2, ended).await.expect("the connection ends in time");
    }
}

#[tokio::test]
async fn f14_a_client_that_asks_before_it_writes_is_not_asked_to_write() {
    let (address, _stop) = started(LONG).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(head("POST", "/unread", 10, "expect: 100-continue\r\n").as_bytes()).await.unwrap();
    assert!(until(&mut client, "answered").await.starts_with("HTTP/1.1 200"));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(head("POST", "/read", 3, "expect: 100-continue\r\n").as_bytes()).await.unwrap();
    assert!(until(&mut client, "\r\n\r\n").await.starts_with("HTTP/1.1 100"));
    client.write_all(b"abc").await.unwrap();
    assert!(until(&mut client, "\r\n\r\n3").await.starts_with("HTTP/1.1 200"));
}

/// Tells when it is dropped.
struct Dropped(mpsc::UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.send(()).ok();
    }
}

#[tokio::test]
async fn an_endless_answer_goes_on_while_it_is_taken_and_ends_when_it_is_not() {
    const MUCH: usize = 400;
    let (dropped, mut ended) = mpsc::unbounded_channel();
    // More than the buffers on the way take, and then a little every now and then.
    let endless = async move || {
        let dropped = Dropped(dropped.clone());
        let much = stream::iter(0..MUCH).map(|_| vec![b'x'; 1 << 16]);
        let little = stream::unfold(interval(SOON / 5), async |mut ticks| {
            ticks.tick().await;
            Some((vec![b'x'], ticks))
        });
        let chunks = much.chain(little).map(move |chunk| {
            let _until_dropped = &dropped;
            Ok::<_, Infallible>(chunk)
        });
        (Extension(StallLimit(SOON * 10)), Body::from_stream(chunks))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/endless", any(endless));
    tokio::spawn(serve_within(LONG, listener, router, std::future::pending()));

    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(head("GET", "/endless", 0, "").as_bytes()).await.unwrap();
    let mut taken = vec![0; MUCH << 16];
    timeout(PATIENCE, client.read_exact(&mut taken)).await.expect("it is written").unwrap();
    let mut little = [0; 6 * 100];
    timeout(PATIENCE, client.read_exact(&mut little)).await.expect("it goes on").unwrap();
    assert!(ended.try_recv().is_err(), "a byte now and then keeps it open");

    let mut stalled = TcpStream::connect(address).await.unwrap();
    stalled.write_all(head("GET", "/endless", 0, "").as_bytes()).await.unwrap();
    drop(client);
    for connection in ["the one that was closed", "the one whose client takes nothing"] {
        timeout(PATIENCE, ended.recv()).await.expect(connection);
    }
}
