//! A way to the server on which connections fall silent: nothing comes, and nothing says that it won't.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes bytes between clients and the server.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    silenced: watch::Sender<u64>,
}

impl Proxy {
    pub(crate) async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let silenced = watch::Sender::new(0);
        let signal = silenced.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, mut silence) = (TcpStream::connect(&server).await.unwrap(), signal.subscribe());
                tokio::spawn(async move {
                    let (client, server) = (client.into_split(), server.into_split());
                    tokio::select! {
                        () = pass(client.0, server.1) => {}
                        () = pass(server.0, client.1) => {}
                        Ok(()) = silence.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { address, silenced }
    }

    /// From now on the connections that are open carry nothing. New ones work.
    pub(crate) fn silence_open_connections(&self) {
        self.silenced.send_modify(|times| *times += 1);
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let mut bytes = [0; 4_096];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
