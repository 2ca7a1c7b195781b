//! A feed as lines of JSON, up to the end that the log has when it is asked for.

use std::sync::Arc;

use axum::response::Response;
use event_feed::{FeedError, FeedReader};

use super::asked::{Asked, MAY_READ};
use super::body::{self, BodyWriter, ClientGone};
use super::media::FeedMedia;
use crate::gateway::Gateway;
use crate::readers::OpenStream;

/// The events from where the reader stands. A body that can't be finished is cut, so that nobody takes it for whole.
pub(super) async fn answer(
    gateway: &Arc<Gateway>,
    asked: &Asked,
    mut reader: FeedReader,
    place: OpenStream,
) -> Result<Response, FeedError> {
    let end = gateway.readers.feeds.end(asked.kind).await?;
    let media = FeedMedia::Lines;
    let (writer, body) = body::channel(place);
    let mut rights = gateway.readers.rights.watch(&asked.reader, MAY_READ);
    tokio::spawn(async move {
        let written = tokio::select! {
            written = write(&mut reader, &writer, &end) => written,
            // A filter that little passes writes nothing for a long time.
            () = writer.gone() => Err(ClientGone),
            _ended = rights.ended() => Ok(false),
        };
        match written {
            Ok(true) | Err(ClientGone) => {}
            Ok(false) => writer.cut().await,
        }
    });
    Ok(body::answer(media, body))
}

/// Writes every line. Returns whether the end was reached.
async fn write(reader: &mut FeedReader, writer: &BodyWriter, end: &[u64]) -> Result<bool, ClientGone> {
    loop {
        let portion = match reader.next_before(end).await {
            Ok(Some(portion)) => portion,
            Ok(None) => return Ok(true),
            Err(error) => {
                tracing::warn!(error = %error, "The lines of a feed are cut.");
                return Ok(false);
            }
        };
        for events in portion.events.chunks(40) {
            let mut lines = Vec::new();
            for event in events {
                lines.extend(&event.json());
                lines.push(b'\n');
            }
            writer.write(reader, lines.into(), events.len()).await?;
        }
    }
}
