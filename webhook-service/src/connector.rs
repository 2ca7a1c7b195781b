//! Connects to a receiver: resolves its name, judges each address, and connects to one that is allowed.
//!
//! Name and address can't drift apart in between, because what is judged is what is connected to.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::networks::Networks;

/// Longest wait for one address of a receiver that has others, so that those are tried in time.
const ONE: Duration = Duration::from_secs(5);

/// Connects plainly; TLS goes on top of it.
#[derive(Debug, Clone)]
pub(crate) struct GuardedConnector {
    networks: Networks,
    /// How long a send takes at most.
    timeout: Duration,
}

impl GuardedConnector {
    pub(crate) fn new(networks: Networks, timeout: Duration) -> Self {
        Self { networks, timeout }
    }
}

impl tower_service::Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let Self { networks, timeout } = self.clone();
        Box::pin(async move { connect(&networks, &target, Instant::now() + timeout).await.map(TokioIo::new) })
    }
}

async fn connect(networks: &Networks, target: &Uri, ends: Instant) -> io::Result<TcpStream> {
    let is_tls = target.scheme_str() == Some("https");
    let host = target.host().ok_or_else(|| io::Error::other("the address has no host"))?;
    let port = target.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    // An IPv6 address stands in brackets.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<SocketAddr> = if let Ok(address) = host.parse::<IpAddr>() {
        vec![SocketAddr::new(address, port)]
    } else {
        let unresolved = |error: io::Error| io::Error::other(format!("`{host}` can't be resolved: {error}"));
        tokio::net::lookup_host((host, port)).await.map_err(unresolved)?.collect()
    };
    let mut last = io::Error::other(format!("`{host}` has no address"));
    let number = addresses.len();
    for (address, left) in addresses.into_iter().zip((1..=number).rev()) {
        let rest = ends.saturating_duration_since(Instant::now());
        let within = if left == 1 { rest } else { ONE.min(rest / u32::try_from(left).unwrap_or(u32::MAX)) };
        if let Err(refused) = networks.judge(address.ip(), is_tls) {
            last = io::Error::other(refused);
            continue;
        }
        match timeout(within, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A delivery is one small request; waiting for more would only delay it.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = io::Error::new(error.kind(), format!("{address}: {error}")),
            Err(_) => {
                let message = format!("{address}: no connection within {} s", within.as_secs_f64());
                last = io::Error::new(io::ErrorKind::TimedOut, message);
            }
        }
    }
    Err(last)
}
