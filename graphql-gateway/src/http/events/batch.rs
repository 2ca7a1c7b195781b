//! A feed in batches: what is there now, or the next that comes within a time, and a link to go on.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use event_feed::{CloudEvent, FeedError, FeedReader, Portion};
use tokio::time::{Instant, timeout_at};

use super::asked::{Asked, MAY_READ};
use super::body;
use super::media::FeedMedia;
use super::next_link::next_link;
use crate::access::AccessDenied;
use crate::gateway::Gateway;
use crate::readers::{Ended, OpenStream};

/// How long events are passed over at most before an empty batch says how far that came.
const SEARCH: Duration = Duration::from_secs(10);

/// The events that are collected, and the position after them.
struct Collected {
    events: Vec<Arc<CloudEvent>>,
    position: Arc<str>,
    limit: usize,
}

pub(super) async fn answer(
    gateway: &Arc<Gateway>,
    asked: &Asked,
    mut reader: FeedReader,
    place: OpenStream,
) -> Result<Response, FeedError> {
    let parameters = &asked.parameters;
    let mut rights = gateway.readers.rights.watch(&asked.reader, MAY_READ);
    let mut collected =
        Collected { events: Vec::new(), position: reader.position(), limit: parameters.limit };
    let end = gateway.readers.feeds.end(asked.kind).await?;
    let collecting = collected.collect(&mut reader, &end, parameters.wait);
    let ended = tokio::select! {
        done = collecting => { done?; None }
        ended = rights.ended() => Some(ended),
    };
    match ended {
        Some(Ended::Credential) => return Ok(AccessDenied::Unauthenticated.into_response()),
        Some(Ended::Rights) => return Ok(AccessDenied::Forbidden.into_response()),
        Some(Ended::Stopping) | None => {}
    }
    let mut text = String::from("[");
    for (index, event) in collected.events.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { "," });
        text.push_str(&String::from_utf8_lossy(&event.json()));
    }
    text.push(']');
    place.delivered(collected.events.len());
    let link = next_link(asked.kind, &collected.position, &parameters.repeated);
    let link: HeaderMap = link.into_iter().map(|link| (header::LINK, link)).collect();
    Ok((body::headers(FeedMedia::Batch), link, text).into_response())
}

impl Collected {
    /// Collects what is there, and if that is nothing, waits for the next.
    async fn collect(
        &mut self,
        reader: &mut FeedReader,
        end: &[u64],
        wait: Duration,
    ) -> Result<(), FeedError> {
        let begun = Instant::now();
        let (searched, waited) = (begun + SEARCH.max(wait), begun + wait);
        while let Ok(portion) = timeout_at(searched, reader.next_before(end)).await {
            let Some(portion) = portion? else { break };
            if self.take(portion) {
                return Ok(());
            }
        }
        while self.events.is_empty() {
            let Ok(portion) = timeout_at(waited, reader.next()).await else { break };
            self.take(portion?);
        }
        Ok(())
    }

    /// Takes as many events as still fit. Returns whether the batch is full.
    fn take(&mut self, portion: Portion) -> bool {
        let room = self.limit - self.events.len();
        if portion.events.len() < room {
            self.events.extend(portion.events);
            self.position = portion.position;
            return false;
        }
        self.events.extend(portion.events.into_iter().take(room));
        if let Some(last) = self.events.last() {
            self.position = last.position().into();
        }
        true
    }
}
