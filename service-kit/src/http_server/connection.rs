//! Sockets that end in time, and close only after their client has stopped writing.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep_until};

use super::activity::SharedActivity;
use super::limits::ConnectionLimits;

/// Opens [`BoundedConnection`]s.
pub(super) struct BoundedListener {
    listener: TcpListener,
    limits: ConnectionLimits,
}

impl BoundedListener {
    pub(super) fn new(listener: TcpListener, limits: ConnectionLimits) -> Self {
        Self { listener, limits }
    }
}

impl Listener for BoundedListener {
    type Io = BoundedConnection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (socket, address) = Listener::accept(&mut self.listener).await;
        (BoundedConnection::new(socket, self.limits), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection with a limit for every wait for its client.
pub(super) struct BoundedConnection {
    socket: TcpStream,
    limits: ConnectionLimits,
    activity: SharedActivity,
    /// Wakes the connection at its deadline, or earlier.
    timer: Pin<Box<Sleep>>,
    /// When lingering ends at the latest; `None` while the connection is not closing.
    linger_until: Option<Instant>,
}

impl BoundedConnection {
    fn new(socket: TcpStream, limits: ConnectionLimits) -> Self {
        let timer = Box::pin(sleep_until(Instant::now() + limits.head));
        Self { socket, limits, activity: SharedActivity::opened(), timer, linger_until: None }
    }

    pub(super) fn activity(&self) -> SharedActivity {
        self.activity.clone()
    }

    /// Fails once the client has taken too long.
    fn poll_deadline<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        while let Some(deadline) = self.activity.deadline(self.limits) {
            if deadline <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // A timer that is due earlier stays: the deadline is looked at again then.
            if self.timer.is_elapsed() || self.timer.deadline() > deadline {
                self.timer.as_mut().reset(deadline);
            }
            ready!(self.timer.as_mut().poll(context));
        }
        Poll::Pending
    }

    /// Notes what was written, or waits within the limits.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Ready(Ok(written)) => {
                self.activity.sent();
                // After an answer the server may not read before something wakes it, so the timer is set here.
                let _not_yet = self.poll_deadline::<()>(context);
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.activity.waits();
                self.poll_deadline(context)
            }
        }
    }

    /// Reads and drops until the client stops writing, or the limits are over. To close a socket while bytes arrive
    /// would reset it, and the client would lose an answer that it has not read yet.
    fn poll_linger(&mut self, context: &mut Context<'_>, until: Instant) -> Poll<()> {
        let mut space = [0; 8_192];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut self.socket).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() && Instant::now() < until => {
                    self.timer.as_mut().reset(until.min(Instant::now() + self.limits.linger_quiet));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.timer.as_mut().poll(context),
            }
        }
    }
}

impl AsyncRead for BoundedConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, buffer);
        match polled {
            Poll::Pending => self.poll_deadline(context),
            Poll::Ready(read) => {
                if buffer.filled().len() > before {
                    self.activity.received();
                }
                Poll::Ready(read)
            }
        }
    }
}

impl AsyncWrite for BoundedConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.written(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.written(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger_until.is_none() {
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
            if !self.activity.has_unread() {
                return Poll::Ready(Ok(()));
            }
            let quiet_until = Instant::now() + self.limits.linger_quiet;
            self.timer.as_mut().reset(quiet_until);
        }
        let longest = self.limits.linger;
        let until = *self.linger_until.get_or_insert_with(|| Instant::now() + longest);
        self.poll_linger(context, until).map(Ok)
    }
}
