//! A feed as server-sent events. Every frame is written whole, and the stream ends between frames.
//!
//! Many clients move on only with an event that has data, so where the reader stands is told by an event of its own,
//! `muster.position`: first of all, and whenever nothing else has told it for a while. What clients do is in
//! `docs/readers.md`.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::response::Response;
use event_feed::{FeedError, FeedReader, Portion};
use tokio::time::{Instant, sleep_until};

use super::asked::{Asked, MAY_READ};
use super::body::{self, BodyWriter, ClientGone};
use super::media::FeedMedia;
use crate::gateway::Gateway;
use crate::readers::{OpenStream, ReaderRights};

/// How long a stream is quiet at most. Some clients give a connection up after five seconds.
const QUIET: Duration = Duration::from_secs(4);
/// After how many events that were passed over the position is told.
const PASSED_OVER: usize = 1_000;
/// Most bytes of one chunk, roughly.
const CHUNK: usize = 64 << 10;

/// A stream from where the reader stands.
pub(super) fn answer(
    gateway: &Arc<Gateway>,
    asked: &Asked,
    reader: FeedReader,
    place: OpenStream,
) -> Response {
    let media = FeedMedia::EventStream;
    let (writer, body) = body::channel(place);
    let rights = gateway.readers.rights.watch(&asked.reader, MAY_READ);
    tokio::spawn(run(EventStream { reader, writer, told: Instant::now(), passed_over: 0 }, rights));
    body::answer(media, body)
}

async fn run(mut stream: EventStream, mut rights: ReaderRights) {
    // Whatever ends it: the body ends with the writer, between two frames.
    tokio::select! {
        ended = rights.ended() => tracing::debug!(?ended, "An event stream ends."),
        written = stream.write() => match written {
            Ok(never) => match never {},
            Err(StreamEnd::Client(ClientGone)) => tracing::debug!("The client of an event stream is gone."),
            Err(StreamEnd::Feed(error)) => tracing::warn!(error = %error, "An event stream ends."),
        },
    }
}

struct EventStream {
    reader: FeedReader,
    writer: BodyWriter,
    /// When the position was told last.
    told: Instant,
    /// How many events were passed over since.
    passed_over: usize,
}

enum StreamEnd {
    Client(ClientGone),
    Feed(FeedError),
}

impl From<ClientGone> for StreamEnd {
    fn from(gone: ClientGone) -> Self {
        Self::Client(gone)
    }
}

impl EventStream {
    async fn write(&mut self) -> Result<Infallible, StreamEnd> {
        let first =
            format!("event: muster.position\ndata: {{}}\nid: {}\nretry: 2000\n\n", self.reader.position());
        self.writer.write(&mut self.reader, first.into(), 0).await?;
        self.told = Instant::now();
        loop {
            let portion = self.next().await?;
            self.write_portion(portion).await?;
        }
    }

    /// The next portion. Until it comes the client is told every now and then that the stream lives.
    async fn next(&mut self) -> Result<Portion, StreamEnd> {
        let Self { reader, writer, told, passed_over } = self;
        let position = reader.position();
        let mut next = pin!(reader.next_patiently());
        loop {
            tokio::select! {
                portion = &mut next => return portion.map_err(StreamEnd::Feed),
                () = writer.gone() => return Err(ClientGone.into()),
                () = sleep_until(*told + QUIET) => {
                    writer.try_write(sign_of_life(&position));
                    *told = Instant::now();
                    *passed_over = 0;
                }
            }
        }
    }

    async fn write_portion(&mut self, portion: Portion) -> Result<(), StreamEnd> {
        let Portion { events, passed_over, .. } = portion;
        let mut events = events.as_slice();
        while let Some((first, rest)) = events.split_first() {
            // A chunk of one event is shared by all readers.
            let (mut chunk, mut count) = (first.frame(), 1);
            events = rest;
            if let Some(next) = rest.first().filter(|next| chunk.len() + next.frame().len() <= CHUNK) {
                let mut joined = Vec::with_capacity(chunk.len() + next.frame().len());
                joined.extend(&chunk);
                while let Some((next, rest)) = events.split_first()
                    && joined.len() + next.frame().len() <= CHUNK
                {
                    joined.extend(&next.frame());
                    (events, count) = (rest, count + 1);
                }
                chunk = joined.into();
            }
            self.writer.write(&mut self.reader, chunk, count).await?;
            self.told = Instant::now();
            self.passed_over = 0;
        }
        self.passed_over += passed_over;
        if self.passed_over >= PASSED_OVER || (passed_over > 0 && self.told.elapsed() >= QUIET) {
            self.tell().await?;
        }
        Ok(())
    }

    /// Tells where the reader stands.
    async fn tell(&mut self) -> Result<(), ClientGone> {
        let frame = sign_of_life(&self.reader.position());
        self.writer.write(&mut self.reader, frame, 0).await?;
        self.told = Instant::now();
        self.passed_over = 0;
        Ok(())
    }
}

/// A comment and the position, as one frame.
fn sign_of_life(position: &str) -> Bytes {
    format!(":\nevent: muster.position\ndata: {{}}\nid: {position}\n\n").into()
}
